// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

// A world with dirty blocks whose copies to the origin are in flight.
void start_cleaning(World &w) {
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    ASSERT_GE(w.find(kOrigin, Op::copy), 0);
}

TEST(Writeback, cleans_what_is_dirty_when_a_sync_is_asked_for) {
    World w;
    w.make_dirty(0, 'a', 3);
    w.make_dirty(20, 'b');
    w.clean_all();
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.origin_letter(2), 'a');
    EXPECT_EQ(w.origin_letter(20), 'b');
    EXPECT_EQ(w.stats[FC_STAT_cleanings], 4u);
    w.pass(1000);
    EXPECT_EQ(w.gauge(FC_GAUGE_SYNCING), 0u);
}

TEST(Writeback, copies_neighbours_in_one_io) {
    World w;
    w.make_dirty(0, 'a', 4);
    start_cleaning(w);
    ASSERT_EQ(w.count(kOrigin, Op::copy), 1u);
    EXPECT_EQ(w.ios[0].count, 4u * 8);
    w.finish();
}

// ---- rule 4

TEST(Writeback, rule_4_clean_records_are_written_only_after_the_origin_is_flushed) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    start_cleaning(w);
    w.complete(kOrigin, Op::copy, FC_OK);
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::flush), 1u);
    EXPECT_EQ(w.count(kCache, Op::write), 0u) << "no CLEAN record yet";
    EXPECT_EQ(w.state(0), "dirty busy");
    w.complete(kOrigin, Op::flush, FC_OK);
    w.run();
    EXPECT_EQ(w.count(kCache, Op::write), 1u);
    w.finish();
}

TEST(Writeback, rule_4_a_block_is_clean_only_when_its_record_is_durable) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    start_cleaning(w);
    w.complete(kOrigin, Op::copy, FC_OK);
    w.run();
    w.complete(kOrigin, Op::flush, FC_OK);
    w.run();
    w.complete(kCache, Op::write, FC_OK);
    EXPECT_EQ(w.state(0).substr(0, 10), "dirty busy") << "its record is in a volatile cache";
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 1u);
    w.run();
    w.complete(kCache, Op::flush, FC_OK);
    EXPECT_EQ(w.state(0), "clean");
    w.finish();
}

TEST(Writeback, rule_4_one_flush_of_the_origin_serves_a_whole_batch) {
    World w(volatile_devices());
    for (fc_u64 extent = 0; extent < 4; extent++)
        w.make_dirty(extent * 8, 'a');
    w.trace.clear();
    w.confirm();
    fc_core_start_sync(w.core);
    w.finish();
    EXPECT_EQ(w.traced(kOrigin, Op::copy), 4u);
    EXPECT_EQ(w.traced(kOrigin, Op::flush), 1u);
}

TEST(Writeback, rule_4_a_reused_slot_never_gives_its_bytes_to_the_old_block) {
    World w(volatile_devices());
    w.make_dirty(0, 'a', 8);
    w.clean_all();
    fc_u64 rival = 8;
    while (w.core->geo.place(rival).set != w.core->geo.place(0).set)
        rival += 8;
    w.write(rival, 'r', 8);
    for (int i = w.find(kCache, Op::write); i >= 0; i = w.find(kCache, Op::write)) {
        const bool data = w.ios[static_cast<std::size_t>(i)].sector >= w.config.data_offset_sectors;
        w.complete(i);
        if (data)
            w.device[kCache].flush(std::set<fc_u64>(w.device[kCache].unstable())); // the data, and what came before
    }
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    for (fc_u64 block = 0; block < 8; block++)
        EXPECT_EQ(w.read_letter(block), 'a');
}

// ---- writes during a copy

TEST(Writeback, a_write_during_the_copy_goes_on_in_place_and_the_block_stays_dirty) {
    World w;
    w.make_dirty(0, 'a', 2);
    start_cleaning(w);
    UserRequest &user = w.write(0, 'b');
    EXPECT_EQ(user.action, FC_ACT_REMAP_CACHE);
    w.complete(kCache, Op::write, FC_OK);
    EXPECT_EQ(user.status, FC_OK);
    w.complete(kOrigin, Op::copy, FC_OK);
    w.run();
    w.complete(kCache, Op::write, FC_OK); // the CLEAN record
    EXPECT_EQ(w.state(0).substr(0, 5), "dirty");
    EXPECT_EQ(w.state(1), "clean");
    EXPECT_EQ(w.stats[FC_STAT_cleanings], 1u) << "the other one";
    w.clean_all();
    EXPECT_EQ(w.origin_letter(0), 'b');
}

TEST(Writeback, a_write_that_is_in_flight_when_the_copy_ends_keeps_its_block_dirty) {
    World w;
    w.make_dirty(0, 'a');
    start_cleaning(w);
    UserRequest &user = w.write(0, 'b');
    w.complete(kOrigin, Op::copy, FC_OK);
    w.run();
    EXPECT_EQ(w.state(0).substr(0, 5), "dirty");
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 1u);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    w.clean_all();
    EXPECT_EQ(w.origin_letter(0), 'b');
}

TEST(Writeback, a_write_waits_while_the_clean_record_is_on_its_way) {
    World w;
    w.make_dirty(0, 'a');
    start_cleaning(w);
    w.complete(kOrigin, Op::copy, FC_OK);
    w.run();
    ASSERT_EQ(w.count(kCache, Op::write), 1u); // the CLEAN record
    UserRequest &user = w.write(0, 'b');
    EXPECT_EQ(user.action, FC_ACT_TAKEN);
    EXPECT_EQ(w.count(kCache, Op::write), 1u);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'b');
}

TEST(Writeback, reads_of_a_block_that_is_copied_are_hits) {
    World w;
    w.make_dirty(0, 'a');
    start_cleaning(w);
    EXPECT_EQ(w.read(0).action, FC_ACT_REMAP_CACHE);
    w.finish();
}

// ---- failures

TEST(Writeback, a_copy_that_fails_leaves_the_block_dirty_and_backs_off) {
    World w;
    w.make_dirty(0, 'a');
    w.fails = [](const Io &io) { return io.op == Op::copy; };
    start_cleaning(w);
    w.finish();
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.traced(kOrigin, Op::copy), 1u) << "it does not spin";
    w.pass(900);
    EXPECT_EQ(w.traced(kOrigin, Op::copy), 1u);
    for (int i = 0; i < 20; i++)
        w.pass(500);
    EXPECT_LE(w.traced(kOrigin, Op::copy), 5u) << "each pause is twice as long";
    EXPECT_GE(w.traced(kOrigin, Op::copy), 3u);
    w.fails = nullptr;
    for (int i = 0; i < 130; i++)
        w.pass(500);
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.origin_letter(0), 'a');
}

TEST(Writeback, a_flush_of_the_origin_that_fails_leaves_the_blocks_dirty) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    start_cleaning(w);
    w.complete(kOrigin, Op::copy, FC_OK);
    w.run();
    w.complete(kOrigin, Op::flush, FC_EIO);
    w.finish();
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.stats[FC_STAT_disk_write_errors], 1u);
}

TEST(Writeback, a_clean_record_that_fails_leaves_the_block_dirty_readable_and_closed_to_writes) {
    World w;
    w.make_dirty(0, 'a');
    start_cleaning(w);
    w.complete(kOrigin, Op::copy, FC_OK);
    w.fails = [](const Io &io) { return io.op == Op::write; };
    w.finish();
    EXPECT_EQ(w.state(0), "dirty unconfirmed");
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_EQ(w.read_letter(0), 'a');
    UserRequest &user = w.write(0, 'b');
    w.finish();
    EXPECT_EQ(user.status, FC_EIO) << "a recovery may have it clean, and the origin's bytes";
}

TEST(Writeback, without_memory_for_jobs_it_tries_again_later) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.no_jobs = 3;
    w.clean_all();
    EXPECT_EQ(w.origin_letter(0), 'a');
}

// ---- when

TEST(Writeback, sleeps_while_nothing_is_dirty) {
    World w;
    w.make_clean(0);
    EXPECT_EQ(fc_core_writeback(w.core), 0u);
}

TEST(Writeback, leaves_blocks_below_the_threshold_alone_while_there_is_traffic) {
    World w;
    w.make_dirty(0, 'a', 5); // of 8: 62 %
    for (int i = 0; i < 40; i++) {
        w.read(100);
        w.pass(500);
    }
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 5u);
}

TEST(Writeback, cleans_a_set_above_the_threshold_soon) {
    World w;
    w.make_dirty(0, 'a', 5);
    w.make_dirty(5, 'b', 2); // 87 %
    w.pass(600);
    EXPECT_LE(w.gauge(FC_GAUGE_DIRTY), 5u);
}

TEST(Writeback, uses_the_idle_disk) {
    World w;
    w.make_dirty(0, 'a');
    for (int i = 0; i < 6; i++)
        w.pass(600);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
    EXPECT_EQ(w.stats[FC_STAT_fallow_cleanings], 1u);
}

TEST(Writeback, cleans_old_blocks_even_with_traffic) {
    World w;
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_FALLOW_DELAY_S, 10), 0);
    w.make_dirty(0, 'a');
    for (int i = 0; i < 50; i++) {
        w.read(100);
        w.pass(500);
    }
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

TEST(Writeback, neither_idle_nor_old_counts_if_it_is_turned_off) {
    World w;
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_FALLOW_DELAY_S, 0), 0);
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_IDLE_DELAY_MS, 0), 0);
    w.make_dirty(0, 'a');
    for (int i = 0; i < 10; i++)
        w.pass(100000);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 1u);
}

TEST(Writeback, keeps_to_the_limit_of_copies) {
    World w;
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_MAX_CLEAN_IOS_TOTAL, 2), 0);
    for (const fc_u64 block : {0ull, 8ull, 16ull, 24ull})
        w.make_dirty(block, 'a');
    start_cleaning(w);
    EXPECT_EQ(w.count(kOrigin, Op::copy), 2u);
    w.clean_all();
}

TEST(Writeback, a_sync_can_be_stopped) {
    World w;
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_IDLE_DELAY_MS, 0), 0);
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_MAX_CLEAN_IOS_TOTAL, 1), 0);
    for (const fc_u64 block : {0ull, 8ull, 16ull, 24ull})
        w.make_dirty(block, 'a');
    start_cleaning(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_SYNCING), 1u);
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_STOP_SYNC, 1), 0);
    for (int i = 0; i < 10; i++)
        w.pass(500);
    EXPECT_EQ(w.gauge(FC_GAUGE_SYNCING), 0u);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 3u);
}

// Neighbours are dirty on both sides of the border between two chunks.  The cleaner, which looks at 64
// dirty blocks from way 64 on, begins behind the border if there are so many, else before it.
TEST(Writeback, a_run_to_be_copied_stays_within_its_chunk) {
    for (const bool behind : {true, false}) {
        Shape shape;
        shape.sets = 1;
        shape.ways = shape.extent = 128;
        World w(shape);
        ASSERT_EQ(w.config.chunk_blocks, 64u);
        EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_DIRTY_THRESH_PCT, 95), 0);
        w.make_clean(0, 64);
        w.make_clean(64, 64);
        w.make_dirty(behind ? 36 : 0, 'a', behind ? 28 : 64);
        w.make_dirty(64, 'b', behind ? 64 : 28);
        ASSERT_EQ(w.data_sector(64), w.config.data_offset_sectors + 64 * 8);
        start_cleaning(w);
        for (const Io &io : w.trace)
            EXPECT_TRUE(io.op != Op::copy || io.sector / 512 == (io.sector + io.count - 1) / 512) << io.sector;
        EXPECT_EQ(w.count(kOrigin, Op::copy), behind ? 1u : 2u);
        w.clean_all();
        EXPECT_EQ(w.origin_letter(63), 'a');
        EXPECT_EQ(w.origin_letter(64), 'b');
    }
}

} // namespace
