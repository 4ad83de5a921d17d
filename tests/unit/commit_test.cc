// SPDX-License-Identifier: GPL-2.0-only
// What happens to copies that fail, or may have been lost.
#include <gtest/gtest.h>

#include "cache.h"
#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

TEST(Commit, a_bad_block_does_not_keep_its_neighbours_from_the_origin) {
    World w;
    w.make_dirty(0, 'a', 8);
    w.confirm();
    const fc_u64 bad = w.data_sector(3);
    w.fails = [bad](const Io &io) {
        return io.kind == Io::kCopy && io.from <= bad && bad < io.from + io.count;
    };
    EXPECT_EQ(w.close(), FC_EIO);
    for (fc_u64 block = 0; block < 8; block++)
        EXPECT_EQ(w.origin_letter(block), block == 3 ? 'o' : 'a') << block;
}

TEST(Commit, many_copies_that_fail_at_once_are_one_failure) {
    World w;
    for (fc_u64 extent = 0; extent < 8; extent++)
        w.make_dirty(extent * 8, 'a');
    w.confirm();
    unsigned failed = 0;
    w.fails = [&failed](const Io &io) { return io.kind == Io::kCopy && failed < 8 && ++failed; };
    EXPECT_EQ(w.close(), FC_OK);
    EXPECT_EQ(failed, 8u);
    EXPECT_EQ(w.origin_letter(0), 'a');
}

// A flush that fails may have cost the origin its write cache, whoever sent it.
TEST(Commit, what_was_copied_before_somebodys_flush_failed_is_copied_again) {
    World w(volatile_devices());
    w.finish();
    w.make_dirty(0, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    // Somebody writes past the cache, so that the origin has something to flush.
    fc_core_tune(w.core, FC_TUNE_CACHE_ALL, 0);
    w.write(100, 'x');
    w.complete(kOrigin, Op::write, FC_OK);
    ASSERT_EQ(w.count(kOrigin, Op::copy), 1u);
    w.complete(kOrigin, Op::copy, FC_OK);
    UserRequest &flush = w.flush(kOrigin);
    ASSERT_EQ(w.count(kOrigin, Op::flush), 1u);
    w.complete(kOrigin, Op::flush, FC_EIO);
    EXPECT_EQ(flush.status, FC_EIO);
    w.run();
    w.complete(kOrigin, Op::flush, FC_OK); // the cleaner's own
    w.run();
    EXPECT_EQ(w.state(0), "dirty");
    w.clean_all();
    EXPECT_EQ(w.state(0), "clean");
}

TEST(Commit, a_flush_of_the_cache_device_that_fails_fails_the_log) {
    World w(volatile_devices());
    w.finish();
    w.make_dirty(0, 'a');
    UserRequest &flush = w.flush(kCache);
    ASSERT_EQ(w.count(kCache, Op::flush), 1u);
    w.complete(kCache, Op::flush, FC_EIO);
    w.finish();
    EXPECT_EQ(flush.status, FC_EIO);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_EQ(fc_core_clear_errors(w.core), -1) << "the log is lost for this activation";
    EXPECT_EQ(w.read_letter(0), 0) << "not confirmed";
    w.crash();
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Commit, where_write_back_was_left_writes_let_a_block_become_clean) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    fc_core_suspend(w.core);
    EXPECT_EQ(fc_core_set_mode(w.core, FC_MODE_WRITE_THROUGH), FC_OK);
    fc_core_resume(w.core);
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::copy), 1u);
    UserRequest &write = w.write(0, 'b');
    EXPECT_EQ(w.count(kCache, Op::write), 0u) << "it waits for the copy";
    w.finish();
    EXPECT_EQ(write.status, FC_OK);
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.origin_letter(0), 'b');
}

// ---- the fallow walk

TEST(Fallow, a_walk_does_not_pass_sets_while_no_copy_may_be_started) {
    World w;
    fc_core_tune(w.core, FC_TUNE_IDLE_DELAY_MS, 0);
    fc_core_tune(w.core, FC_TUNE_FALLOW_DELAY_S, 5);
    fc_core_tune(w.core, FC_TUNE_MAX_CLEAN_IOS_TOTAL, 1);
    for (unsigned set = 0; set < 4; set++) {
        fc_u64 block = 0;
        while (w.core->geo.place(block).set != set)
            block += 8;
        w.make_dirty(block, 'a');
    }
    w.confirm();
    const fc_u64 start = w.now_ms;
    while (w.find(kOrigin, Op::copy) < 0 && w.now_ms < start + 20000)
        w.now_ms += 50, w.run();
    ASSERT_EQ(w.count(kOrigin, Op::copy), 1u);
    for (int i = 0; i < 10; i++) // the copy takes long
        w.now_ms += 50, w.run();
    w.finish();
    for (int i = 0; i < 20; i++)
        w.pass(100), w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

TEST(Fallow, a_walk_cleans_all_of_a_set_and_not_a_few_blocks) {
    Shape shape;
    shape.sets = 8;
    shape.ways = 64;
    shape.origin_sectors = 8u * 64 * 8 * 4;
    World w(shape);
    fc_core_tune(w.core, FC_TUNE_IDLE_DELAY_MS, 0);
    fc_core_tune(w.core, FC_TUNE_FALLOW_DELAY_S, 5);
    fc_core_tune(w.core, FC_TUNE_DIRTY_THRESH_PCT, 95);
    const unsigned set = w.core->geo.place(0).set;
    unsigned n = 0;
    for (fc_u64 block = 0; n < 30 && block < w.core->whole_blocks; block += 2)
        if (w.core->geo.place(block).set == set)
            w.make_dirty(block, 'a'), n++;
    ASSERT_EQ(n, 30u);
    w.confirm();
    for (int i = 0; i < 10 * 28; i++) // twice fallow_delay, and half a second each
        w.pass(100), w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

} // namespace
