// SPDX-License-Identifier: GPL-2.0-only
// When what is cleaned: syncs, thresholds, the fallow clock.
#include <vector>

#include <gtest/gtest.h>

#include "alone.h"
#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

void tune(World &w, int tunable, unsigned value) {
    ASSERT_EQ(fc_core_tune(w.core, tunable, value), 0);
}

// Cleans only what a test asks for.
void without_timers(World &w) {
    tune(w, FC_TUNE_IDLE_DELAY_MS, 0);
    tune(w, FC_TUNE_FALLOW_DELAY_S, 0);
}

bool syncing(World &w) {
    return w.gauge(FC_GAUGE_SYNCING);
}

// All I/O but what the test holds back, and time.
void go_on(World &w, int rounds = 20) {
    for (int i = 0; i < rounds; i++)
        w.pass(100), w.finish();
}

// ---- sync

TEST(Sync, ends_though_users_write_all_the_time) {
    World w;
    without_timers(w);
    for (fc_u64 block = 0; block < 8; block++)
        w.make_dirty(block, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    int rounds = 0;
    for (; syncing(w) && rounds < 200; rounds++) {
        for (fc_u64 block = 0; block < 8; block++)
            w.write(block, 'b');
        w.run();
        while (w.find(kCache, Op::write) >= 0)
            w.complete(kCache, Op::write, FC_OK), w.run();
        go_on(w, 1);
    }
    EXPECT_LT(rounds, 100);
    for (fc_u64 block = 0; block < 8; block++)
        EXPECT_NE(w.origin_letter(block), 'o') << block;
}

TEST(Sync, does_not_trust_a_copy_that_began_before_it) {
    World w;
    without_timers(w);
    tune(w, FC_TUNE_FALLOW_CLEAN_SPEED, 100);
    w.make_dirty(0, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::copy), 1u);
    const UserRequest &user = w.write(0, 'b'); // after the copy has read 'a', perhaps
    w.complete(kCache, Op::write, FC_OK);
    ASSERT_EQ(user.status, FC_OK);
    fc_core_start_sync(w.core);
    w.run(); // marks, while the copy is under way
    Io &copy = w.ios[static_cast<size_t>(w.find(kOrigin, Op::copy))];
    const std::string old = std::string(copy.count * 512, 'a');
    w.complete(kOrigin, Op::copy, FC_OK);
    w.device[kOrigin].write(0, old, false); // it has
    w.run();
    EXPECT_TRUE(syncing(w)) << "'b' was written before the second sync";
    go_on(w);
    EXPECT_FALSE(syncing(w));
    EXPECT_EQ(w.origin_letter(0), 'b');
}

TEST(Sync, copies_a_block_that_somebody_writes_all_the_time_and_leaves_it_dirty) {
    World w;
    without_timers(w);
    w.make_dirty(0, 'a');
    w.confirm();
    w.write(0, 'b'); // in flight to the end
    ASSERT_EQ(w.count(kCache, Op::write), 1u);
    fc_core_start_sync(w.core);
    for (int i = 0; i < 20 && syncing(w); i++) {
        w.pass(100);
        w.complete_all([](const Io &io) { return io.op != Op::write || io.kind != Io::kRemap; });
    }
    EXPECT_FALSE(syncing(w));
    EXPECT_NE(w.origin_letter(0), 'o');
    w.finish();
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.cached_letter(0), 'b');
    w.clean_all();
    EXPECT_EQ(w.origin_letter(0), 'b');
}

TEST(Sync, a_write_that_overlaps_only_the_start_of_a_copy_keeps_the_block_dirty) {
    World w;
    without_timers(w);
    w.make_dirty(0, 'a');
    w.confirm();
    w.write(0, 'b');
    fc_core_start_sync(w.core);
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::copy), 1u);
    w.complete(kCache, Op::write, FC_OK); // the write ends first
    go_on(w);
    EXPECT_EQ(w.state(0), "dirty");
}

TEST(Sync, goes_on_after_copies_have_failed) {
    World w;
    without_timers(w);
    w.make_dirty(0, 'a');
    w.make_dirty(20, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    w.complete(kOrigin, Op::copy, FC_EIO);
    w.run();
    w.finish();
    EXPECT_TRUE(syncing(w));
    go_on(w, 50);
    EXPECT_FALSE(syncing(w));
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

// The walk over 5000 sets takes two calls, and comes to this one in the second.
TEST(Sync, does_not_end_before_it_has_been_everywhere) {
    World w(many_sets());
    without_timers(w);
    fc_u64 block = 0;
    while (w.core->geo.place(block).set > 100)
        block++;
    w.make_dirty(block, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    for (int i = 0; i < 2000 && syncing(w); i++) {
        w.now_ms++;
        w.run();
        if (!w.ios.empty())
            w.complete(0);
    }
    EXPECT_FALSE(syncing(w));
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

TEST(Sync, a_stopped_one_leaves_no_marks) {
    World w;
    without_timers(w);
    tune(w, FC_TUNE_MAX_CLEAN_IOS_TOTAL, 1);
    for (const fc_u64 block : {0ull, 8ull, 16ull, 24ull})
        w.make_dirty(block, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    tune(w, FC_TUNE_STOP_SYNC, 1);
    go_on(w);
    EXPECT_FALSE(syncing(w));
    EXPECT_EQ(w.core->shared.nr_due, 0u);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 3u);
}

TEST(Sync, asked_for_after_one_was_stopped_is_not_forgotten_with_it) {
    World w(many_sets()); // a walk takes two calls
    without_timers(w);
    for (fc_u64 block = 0; block < 5000; block += 1000)
        w.make_dirty(block, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    tune(w, FC_TUNE_STOP_SYNC, 1);
    w.now_ms += 2;
    w.run(); // stopped; what it marked is to be forgotten
    fc_core_start_sync(w.core);
    go_on(w, 40);
    EXPECT_FALSE(syncing(w));
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

// ---- thresholds

// One set of 64 ways, of which n are dirty, no two of them neighbours.
Shape one_large_set() {
    Shape shape;
    shape.sets = 1;
    shape.ways = 64;
    shape.extent = 64;
    shape.origin_sectors = 512 * 8;
    return shape;
}

void make_many_dirty(World &w, unsigned n) {
    for (fc_u64 block = 0; w.gauge(FC_GAUGE_DIRTY) < n; block += 2)
        w.make_dirty(block, 'a');
    w.confirm();
}

TEST(Threshold, of_a_set_cleaning_goes_on_until_an_eighth_below_and_no_further) {
    World w(one_large_set());
    without_timers(w);
    tune(w, FC_TUNE_DIRTY_THRESH_PCT, 50);
    tune(w, FC_TUNE_CACHE_DIRTY_THRESH_PCT, 95);
    make_many_dirty(w, 32);
    go_on(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 32u) << "not above yet";
    w.make_dirty(200, 'a');
    w.confirm();
    go_on(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 28u);
}

TEST(Threshold, what_is_being_copied_counts) {
    World w(one_large_set());
    without_timers(w);
    tune(w, FC_TUNE_DIRTY_THRESH_PCT, 95);
    tune(w, FC_TUNE_CACHE_DIRTY_THRESH_PCT, 95);
    make_many_dirty(w, 40);
    tune(w, FC_TUNE_MAX_CLEAN_IOS_SET, 4);
    tune(w, FC_TUNE_DIRTY_THRESH_PCT, 50);
    for (int i = 0; i < 20; i++) // no copy ends
        w.now_ms += 500, w.run();
    EXPECT_EQ(w.count(kOrigin, Op::copy), 12u);
    w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 28u);
}

TEST(Threshold, of_the_cache_cleans_sets_that_are_below_their_own) {
    World w(one_large_set());
    without_timers(w);
    tune(w, FC_TUNE_DIRTY_THRESH_PCT, 95);
    tune(w, FC_TUNE_CACHE_DIRTY_THRESH_PCT, 50);
    make_many_dirty(w, 33);
    go_on(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 28u);
}

TEST(Threshold, fewer_copies_run_while_users_read_the_origin) {
    World w(one_large_set());
    without_timers(w);
    tune(w, FC_TUNE_DIRTY_THRESH_PCT, 95);
    tune(w, FC_TUNE_CACHE_DIRTY_THRESH_PCT, 95);
    make_many_dirty(w, 40);
    tune(w, FC_TUNE_MAX_CLEAN_IOS_BUSY, 2);
    w.read(400);
    fc_core_start_sync(w.core);
    w.run();
    EXPECT_EQ(w.count(kOrigin, Op::copy), 2u);
    w.complete(kOrigin, Op::read, FC_OK);
    w.now_ms += 600;
    for (int i = 0; i < 10; i++)
        w.now_ms++, w.run();
    EXPECT_EQ(w.count(kOrigin, Op::copy), 32u) << "they have stopped";
    w.finish();
}

TEST(Threshold, a_miss_may_clean_what_is_next_to_go) {
    World w(one_large_set());
    without_timers(w);
    make_many_dirty(w, 8);
    tune(w, FC_TUNE_CLEAN_ON_READ_MISS, 3);
    w.read(400), w.finish();
    go_on(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 5u);
}

TEST(Threshold, without_merging_each_block_is_a_copy_of_its_own) {
    World w(one_large_set());
    without_timers(w);
    w.make_dirty(0, 'a', 4);
    w.confirm();
    tune(w, FC_TUNE_WRITE_MERGE, 0);
    fc_core_start_sync(w.core);
    w.run();
    EXPECT_EQ(w.count(kOrigin, Op::copy), 4u);
    w.finish();
}

// What stays anyway is not in the way of new blocks.
TEST(Threshold, a_miss_cleans_nothing_of_the_main_part) {
    World w(one_large_set());
    without_timers(w);
    make_many_dirty(w, 8);
    fc::CacheSet set = fc::set_at(*w.core, w.core->geo.place(0).set);
    {
        const Alone alone;
        for (fc::u32 way = 0; way < 8; way++)
            set.set_referenced(way, way != 5);
    }
    tune(w, FC_TUNE_CLEAN_ON_READ_MISS, 3);
    w.read(400), w.finish();
    go_on(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 7u);
    EXPECT_FALSE(set.dirty(5));
}

TEST(Threshold, a_miss_cleans_the_oldest_under_lru) {
    World w(one_large_set());
    std::vector<char> lists(fc_core_policy_bytes(w.core, FC_POLICY_LRU));
    ASSERT_EQ(fc_core_set_policy(w.core, FC_POLICY_LRU, lists.data()), nullptr);
    without_timers(w);
    make_many_dirty(w, 8);
    w.write(0, 'b'), w.finish();
    tune(w, FC_TUNE_CLEAN_ON_READ_MISS, 2);
    w.read(400), w.finish();
    go_on(w);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.state(2), "clean");
    EXPECT_EQ(w.state(4), "clean");
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 6u);
}

// Misses that find nothing new do not make what waits for its turn urgent.
TEST(Threshold, a_burst_of_misses_marks_no_more_than_one) {
    World w(one_large_set());
    without_timers(w);
    make_many_dirty(w, 20);
    tune(w, FC_TUNE_CLEAN_ON_READ_MISS, 3);
    for (fc_u64 block = 400; block < 410; block++)
        w.read(block);
    EXPECT_EQ(w.core->shared.nr_due, 3u);
    w.finish();
}

TEST(Threshold, a_set_that_was_emptied_begins_anew) {
    World w(one_large_set());
    without_timers(w);
    tune(w, FC_TUNE_CACHE_DIRTY_THRESH_PCT, 95);
    tune(w, FC_TUNE_DIRTY_THRESH_PCT, 50);
    w.make_dirty(0, 'a', 33); // one run, which is copied as a whole
    w.confirm();
    go_on(w);
    ASSERT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
    make_many_dirty(w, 30);
    go_on(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 30u) << "above the lower mark, not above the upper one";
}

// ---- copies that wait for the origin's flush

TEST(Copied, blocks_are_bounded_while_the_flush_takes_its_time) {
    Shape shape;
    shape.sets = 1;
    shape.ways = shape.extent = 8192;
    shape.origin_sectors = 8192 * 8;
    shape.origin_volatile = true;
    World w(shape);
    without_timers(w);
    tune(w, FC_TUNE_DIRTY_THRESH_PCT, 95);
    tune(w, FC_TUNE_CACHE_DIRTY_THRESH_PCT, 95);
    for (fc_u64 block = 0; block < 7680; block += 64)
        w.make_dirty(block, 'a', 64);
    w.confirm();
    fc_core_start_sync(w.core);
    for (int i = 0; i < 400; i++) { // the flush does not end
        w.now_ms += 50, w.run();
        while (w.find(kOrigin, Op::copy) >= 0)
            w.complete(kOrigin, Op::copy, FC_OK);
    }
    ASSERT_EQ(w.count(kOrigin, Op::flush), 1u);
    EXPECT_GE(w.traced(kOrigin, Op::copy), 64u);
    EXPECT_LT(w.traced(kOrigin, Op::copy), 110u) << "of 120";
    w.finish();
    go_on(w, 40);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

// ---- the fallow clock

TEST(Fallow, as_many_copies_a_second_and_set_as_the_speed_says) {
    World w(one_large_set());
    tune(w, FC_TUNE_IDLE_DELAY_MS, 0);
    tune(w, FC_TUNE_FALLOW_DELAY_S, 1);
    tune(w, FC_TUNE_WRITE_MERGE, 0);
    tune(w, FC_TUNE_FALLOW_CLEAN_SPEED, 2);
    make_many_dirty(w, 40);
    for (int i = 0; i < 60; i++)
        w.pass(50), w.finish();
    const fc_u64 before = w.gauge(FC_GAUGE_DIRTY);
    for (int i = 0; i < 100; i++)
        w.pass(50), w.finish();
    EXPECT_GE(before - w.gauge(FC_GAUGE_DIRTY), 8u) << "in five seconds";
    EXPECT_LE(before - w.gauge(FC_GAUGE_DIRTY), 12u);
}


TEST(Fallow, cleans_what_was_not_written_for_one_to_two_delays) {
    World w;
    tune(w, FC_TUNE_IDLE_DELAY_MS, 0);
    tune(w, FC_TUNE_FALLOW_DELAY_S, 10);
    w.make_dirty(0, 'a');
    w.make_dirty(20, 'a');
    w.confirm();
    for (int i = 0; i < 11; i++)
        w.pass(1000), w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 2u) << "seen once";
    w.write(20, 'b'), w.finish();
    for (int i = 0; i < 14; i++)
        w.pass(1000), w.finish();
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.state(20), "dirty") << "written since";
    EXPECT_EQ(w.stats[FC_STAT_fallow_cleanings], 1u);
}

} // namespace
