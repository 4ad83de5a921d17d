// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

TEST(Close, rule_8_writes_everything_back_and_says_clean) {
    World w;
    w.make_dirty(0, 'a', 3);
    w.make_clean(20);
    EXPECT_EQ(w.close(), FC_OK);
    EXPECT_EQ(w.origin_letter(2), 'a');
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_UNCLEAN_LOAD), 0u);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_CLEAN), 4u) << "a warm restart";
    EXPECT_EQ(w.read(20).action, FC_ACT_REMAP_CACHE);
    w.finish();
}

TEST(Close, rule_8_keeps_dirty_blocks_if_told_so) {
    World w;
    w.make_dirty(0, 'a');
    w.make_clean(1);
    EXPECT_EQ(w.close(true), FC_OK);
    EXPECT_EQ(w.origin_letter(0), 'o');
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.state(1), "clean");
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Close, rule_8_data_is_durable_before_the_table_and_the_table_before_the_superblock) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    w.trace.clear();
    EXPECT_EQ(w.close(true), FC_OK);
    std::size_t flush = 0, home = 0, again = 0;
    for (std::size_t i = 0; i < w.trace.size(); i++) {
        const Io &io = w.trace[i];
        if (io.op == Op::flush && io.dev == kCache)
            (home ? again : flush) = i + 1;
        if (io.op == Op::write && io.sector >= 16 && io.sector < w.config.log_offset_sectors && !home)
            home = i + 1;
    }
    EXPECT_GT(flush, 0u);
    EXPECT_LT(flush, home);
    EXPECT_LE(w.trace.back().sector, 8u);
    EXPECT_GT(again, home);
    EXPECT_LT(again, w.trace.size());
    EXPECT_EQ(w.trace.back().flags, FC_IO_FUA);
    w.power_cut();
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

// A device below may have got a write cache since anybody looked.
TEST(Close, rule_8_flushes_a_device_that_seemed_to_need_none) {
    World w;
    w.make_clean(0);
    w.trace.clear();
    EXPECT_EQ(w.close(), FC_OK);
    std::size_t flush = 0, home = 0;
    for (std::size_t i = 0; i < w.trace.size(); i++) {
        const Io &io = w.trace[i];
        if (io.op == Op::flush && io.dev == kCache)
            flush = i;
        if (io.op == Op::write && io.sector >= 16)
            home = i;
    }
    EXPECT_GT(flush, home) << "the home table is durable before the superblock";
}

TEST(Close, keeps_which_blocks_were_used) {
    World w;
    w.make_clean(0, 8);
    w.read(3);
    w.finish();
    w.close();
    EXPECT_EQ(w.open(), FC_OK);
    const fc::Placement place = w.core->geo.place(3);
    const fc::SetGuard guard(*w.core, place.set);
    const fc::CacheSet set = fc::set_at(*w.core, place.set);
    EXPECT_TRUE(set.referenced(set.find(place.tag)));
    EXPECT_FALSE(set.referenced(set.find(place.tag + 1)));
}

TEST(Close, can_be_interrupted_and_leaves_dirty_blocks_safely) {
    World w;
    w.make_dirty(0, 'a');
    w.fails = [](const Io &io) { return io.op == Op::copy; };
    w.interrupted = true;
    EXPECT_EQ(w.close(), FC_EINTR);
    w.fails = nullptr;
    EXPECT_TRUE(w.logged("cache still dirty"));
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Close, gives_up_on_a_dead_origin_and_keeps_the_blocks) {
    World w;
    w.make_dirty(0, 'a');
    w.fails = [](const Io &io) { return io.op == Op::copy; };
    EXPECT_EQ(w.close(), FC_EIO);
    w.fails = nullptr;
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Close, gives_up_on_an_origin_that_takes_writes_but_no_flush) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    w.confirm();
    int flushes = 0;
    w.fails = [&](const Io &io) { return io.op == Op::flush && io.dev == FC_DEV_ORIGIN && ++flushes < 1000; };
    EXPECT_EQ(w.close(), FC_EIO);
    EXPECT_LT(flushes, 20);
    w.fails = nullptr;
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Close, says_when_the_metadata_cannot_be_saved_and_the_next_load_recovers) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.fails = [](const Io &io) { return io.op == Op::write && io.kind == Io::kSync; };
    EXPECT_EQ(w.close(true), FC_EIO);
    EXPECT_TRUE(w.logged("CRITICAL"));
    w.fails = nullptr;
    w.power_cut();
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_UNCLEAN_LOAD), 1u);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Close, a_power_cut_at_any_write_of_it_loses_nothing) {
    for (int cut = 0; cut < 30; cut++) {
        Shape shape;
        shape.cache_volatile = true;
        World w(shape);
        w.make_dirty(0, 'a', 2);
        w.flush(kCache);
        w.finish();
        int writes = 0;
        w.fails = [&](const Io &io) { return io.dev == kCache && io.op != Op::read && writes++ >= cut; };
        const int status = w.close(true);
        w.fails = nullptr;
        if (cut)
            w.power_cut();
        EXPECT_EQ(w.open(), FC_OK) << cut;
        EXPECT_EQ(w.read_letter(1), 'a') << cut;
        if (status == FC_OK)
            return;
    }
    FAIL() << "close never succeeded";
}

TEST(Close, of_a_cache_that_was_not_opened_writes_nothing) {
    World w;
    w.core->started = false;
    w.trace.clear();
    EXPECT_EQ(fc_core_close(w.core, 0), FC_OK);
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    EXPECT_EQ(w.trace.size(), 0u);
}

TEST(Suspend, makes_everything_durable) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Suspend, lets_what_is_in_flight_end_and_starts_nothing) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    ASSERT_GE(w.find(kOrigin, Op::copy), 0);
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    EXPECT_TRUE(w.ios.empty());
    EXPECT_EQ(w.state(0), "clean");
    w.trace.clear();
    for (int i = 0; i < 10; i++)
        w.pass(10000);
    EXPECT_EQ(w.trace.size(), 0u);
}

TEST(Suspend, is_undone_by_resume) {
    World w;
    w.make_dirty(0, 'a');
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    fc_core_resume(w.core);
    for (int i = 0; i < 10; i++)
        w.pass(1000);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u) << "the cleaner works again";
    w.make_dirty(1, 'b');
}

TEST(Suspend, says_when_a_device_cannot_be_flushed) {
    Shape shape;
    shape.cache_volatile = true;
    World w(shape);
    w.make_dirty(0, 'a');
    w.fails = [](const Io &io) { return io.op == Op::flush; };
    EXPECT_EQ(fc_core_suspend(w.core), FC_EIO);
}

// The device may have lost clean blocks that nothing has ever flushed.
TEST(Close, believes_no_clean_blocks_after_a_flush_that_failed_in_suspend) {
    World w(volatile_devices());
    w.make_clean(20);
    *w.device[kCache].at(w.data_sector(20)) = 'X'; // that is what the flush has lost
    int flushes = 0;
    w.fails = [&](const Io &io) { return io.op == Op::flush && io.dev == kCache && flushes++ == 0; };
    EXPECT_EQ(fc_core_suspend(w.core), FC_EIO);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_EQ(w.close(), FC_EIO);
    ASSERT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_UNCLEAN_LOAD), 1u);
    EXPECT_EQ(w.read_letter(20), w.origin_letter(20));
}

TEST(Close, a_mode_that_could_not_be_recorded_costs_nothing_else) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    fc_u64 failed = 0;
    w.fails = [&](const Io &io) { return io.op == Op::write && (failed = io.sector + 1); };
    EXPECT_EQ(fc_core_set_mode(w.core, FC_MODE_WRITE_THROUGH), FC_EIO);
    w.fails = nullptr;
    fc_core_resume(w.core);
    w.make_dirty(0, 'b');
    EXPECT_EQ(w.flush_status(kCache), FC_OK);
    w.trace.clear();
    w.confirm();
    fc_core_checkpoint(w.core);
    EXPECT_EQ(w.trace.back().sector, failed - 1) << "the other superblock is the only whole one";
    w.power_cut();
    EXPECT_EQ(w.open(), FC_OK);
}

TEST(Close, the_cleaning_after_write_back_goes_on_after_a_power_cut) {
    World w;
    w.make_dirty(0, 'a');
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    EXPECT_EQ(fc_core_set_mode(w.core, FC_MODE_WRITE_THROUGH), FC_OK);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 1u);
    w.pass(1500);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
    EXPECT_EQ(w.origin_letter(0), 'a');
}

TEST(Close, a_change_of_mode_is_there_after_a_power_cut) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    EXPECT_EQ(fc_core_set_mode(w.core, FC_MODE_WRITE_THROUGH), FC_OK);
    w.power_cut();
    EXPECT_EQ(w.probe(), FC_OK);
    EXPECT_EQ(w.config.mode, static_cast<unsigned>(FC_MODE_WRITE_THROUGH));
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Close, a_degraded_cache_stores_no_clean_blocks) {
    World w(volatile_devices());
    w.make_clean(20);
    w.make_dirty(100, 'd');
    w.confirm();
    *w.device[kCache].at(w.data_sector(20)) = 'X'; // a reset cost it its write cache
    for (int i = 0; i < 20 && !w.gauge(FC_GAUGE_DEGRADED); i++) {
        w.read(100);
        while (w.find(kCache, Op::read) >= 0) {
            w.complete(kCache, Op::read, FC_EIO);
            w.run();
        }
    }
    ASSERT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    w.close();
    ASSERT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(20), w.origin_letter(20));
    EXPECT_EQ(w.read_letter(100), 'd');
}

TEST(Suspend, a_flush_of_the_origin_in_it_that_fails_is_told_to_the_users_next_flush) {
    World w(volatile_devices());
    w.submit(FC_OP_WRITE, 83, 1, 'b'); // on the origin, acknowledged, and flushed by nobody
    w.finish();
    w.fails = [](const Io &io) { return io.op == Op::flush && io.dev == kOrigin; };
    EXPECT_EQ(fc_core_suspend(w.core), FC_EIO);
    w.fails = nullptr;
    fc_core_resume(w.core);
    EXPECT_EQ(w.flush_status(kOrigin), FC_EIO);
}

// The origin of the test's world is small, so that the regions that the fingerprint is made of are known.
TEST(Close, every_region_of_the_origin_counts_in_its_fingerprint) {
    World w;
    ASSERT_EQ(w.config.origin_sectors, 2048u);
    w.make_clean(100);
    w.close();
    // The two pieces of the head, samples, and the tail.
    for (const fc_u64 sector : {0u, 127u, 128u, 255u, 360u, 1200u, 1207u, 1860u, 1928u, 2047u}) {
        char &byte = w.device[kOrigin].at(sector)[511];
        byte = '!';
        EXPECT_EQ(w.open(), FC_E_ORIGIN_CHANGED) << sector;
        byte = 'o';
    }
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.state(100), "clean");
}

} // namespace
