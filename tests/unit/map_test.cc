// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

// Room for runs of 32 blocks.
Shape large() {
    Shape shape;
    shape.sets = 2;
    shape.ways = 64;
    shape.extent = 32;
    shape.origin_sectors = 512 * 8;
    return shape;
}

// ---- hits

TEST(Map, a_read_hit_allocates_nothing_and_goes_straight_to_the_cache) {
    World w;
    w.make_clean(3);
    w.allocations = 0;
    UserRequest &user = w.read(3);
    EXPECT_EQ(user.action, FC_ACT_REMAP_CACHE);
    EXPECT_EQ(user.req.target_sector, w.data_sector(3));
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.data, std::string(4096, 'o'));
    EXPECT_EQ(w.allocations, 0u);
    EXPECT_EQ(w.trace.size(), 1u);
    EXPECT_EQ(w.stats[FC_STAT_read_hits], 1u);
}

TEST(Map, a_write_to_a_dirty_block_allocates_nothing_and_logs_nothing) {
    World w;
    w.make_dirty(3, 'a');
    w.confirm();
    w.allocations = 0;
    UserRequest &user = w.write(3, 'b');
    EXPECT_EQ(user.action, FC_ACT_REMAP_CACHE);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.allocations, 0u);
    EXPECT_EQ(w.trace.size(), 1u);
    EXPECT_EQ(w.cached_letter(3), 'b');
    EXPECT_EQ(w.stats[FC_STAT_dirty_write_hits], 1u);
}

// ---- large I/O

TEST(Map, a_read_miss_of_32_blocks_is_one_io_on_each_device) {
    World w(large());
    UserRequest &user = w.read(0, 32);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.accepted, 0u) << "all of it";
    EXPECT_EQ(w.traced(kOrigin, Op::read), 1u);
    EXPECT_EQ(w.traced(kCache, Op::write), 1u);
    EXPECT_EQ(w.trace[0].count, 256u);
    EXPECT_EQ(w.trace[1].count, 256u);
}

TEST(Map, a_read_hit_of_32_blocks_is_one_io) {
    World w(large());
    w.make_clean(0, 32);
    UserRequest &user = w.read(0, 32);
    w.finish();
    EXPECT_EQ(user.accepted, 0u);
    ASSERT_EQ(w.trace.size(), 1u);
    EXPECT_EQ(w.trace[0].count, 256u);
}

TEST(Map, a_write_of_32_blocks_is_one_io_of_data_and_one_of_the_log) {
    World w(large());
    UserRequest &user = w.write(0, 'a', 32);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.accepted, 0u);
    ASSERT_EQ(w.trace.size(), 2u);
    EXPECT_EQ(w.traced(kCache, Op::write), 2u);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 32u);
}

TEST(Map, an_overwrite_of_32_dirty_blocks_is_one_io) {
    World w(large());
    w.make_dirty(0, 'a', 32);
    w.confirm();
    w.write(0, 'b', 32);
    w.finish();
    ASSERT_EQ(w.trace.size(), 1u);
    EXPECT_EQ(w.trace[0].count, 256u);
}

TEST(Map, a_write_through_of_32_blocks_is_one_io_on_each_device) {
    Shape shape = large();
    shape.mode = FC_MODE_WRITE_THROUGH;
    World w(shape);
    w.write(0, 'a', 32);
    w.finish();
    EXPECT_EQ(w.trace.size(), 2u);
    EXPECT_EQ(w.traced(kOrigin, Op::write), 1u);
}

TEST(Map, neighbours_written_one_by_one_lie_together) {
    World w(large());
    for (fc_u64 block = 0; block < 32; block++)
        w.make_dirty(block, 'a');
    w.confirm();
    w.read(0, 32);
    w.finish();
    EXPECT_EQ(w.trace.size(), 1u);
}

TEST(Map, accepts_the_run_that_one_treatment_serves) {
    World w(large());
    w.make_clean(4, 4);
    UserRequest &miss = w.read(0, 32);
    EXPECT_EQ(miss.accepted, 4u * 8) << "the misses before the hits";
    w.finish();
    UserRequest &hit = w.read(4, 28);
    EXPECT_EQ(hit.accepted, 4u * 8) << "the hits before the misses";
    EXPECT_EQ(hit.req.nr_sectors, 4u * 8);
    w.finish();
    EXPECT_EQ(hit.status, FC_OK);
}

TEST(Map, a_write_run_ends_where_dirty_blocks_begin) {
    World w(large());
    w.make_dirty(4, 'd');
    UserRequest &user = w.write(0, 'a', 8);
    EXPECT_EQ(user.accepted, 4u * 8);
    w.finish();
    EXPECT_EQ(w.cached_letter(4), 'd');
}

// ---- collisions

TEST(Map, requests_that_collide_are_served_in_the_order_of_arrival) {
    Shape shape;
    shape.mode = FC_MODE_WRITE_THROUGH;
    World w(shape);
    UserRequest &first = w.write(0, 'a');
    UserRequest &second = w.write(0, 'b');
    UserRequest &third = w.write(0, 'c');
    UserRequest &reader = w.read(0);
    EXPECT_EQ(w.gauge(FC_GAUGE_WAITING), 3u);
    w.finish();
    for (const UserRequest *user : {&first, &second, &third, &reader})
        EXPECT_EQ(user->status, FC_OK);
    EXPECT_EQ(reader.data, std::string(4096, 'c'));
    EXPECT_EQ(w.gauge(FC_GAUGE_WAITING), 0u);
}

TEST(Map, writes_that_wait_for_a_confirmation_keep_their_order) {
    World w;
    w.write(0, 'a');
    for (const char letter : {'b', 'c', 'd'})
        w.write(0, letter);
    w.finish();
    EXPECT_EQ(w.cached_letter(0), 'd');
}

TEST(Map, requests_that_collide_evict_nothing) {
    World w;
    w.make_clean(1);
    w.write(1, 'a');
    for (int i = 0; i < 20; i++)
        w.write(1, 'b');
    w.read(1);
    w.finish();
    EXPECT_EQ(w.state(1), "dirty");
    EXPECT_EQ(w.stats[FC_STAT_write_invalidates], 0u);
    EXPECT_EQ(w.stats[FC_STAT_pending_inval], 0u);
    EXPECT_EQ(w.stats[FC_STAT_replacement] + w.stats[FC_STAT_write_replacement], 0u);
    EXPECT_EQ(w.stats[FC_STAT_pending_enqueues], 21u);
}

TEST(Map, many_readers_share_a_block) {
    World w;
    w.make_clean(1);
    for (int i = 0; i < 255; i++)
        EXPECT_EQ(w.read(1).action, FC_ACT_REMAP_CACHE);
    UserRequest &late = w.read(1);
    EXPECT_EQ(late.action, FC_ACT_TAKEN) << "there is no room for one more";
    w.finish();
    EXPECT_EQ(late.status, FC_OK);
}

TEST(Map, a_read_may_pass_an_overwrite_of_the_same_block) {
    World w;
    w.make_dirty(1, 'a');
    w.confirm();
    w.write(1, 'b');
    EXPECT_EQ(w.read(1).action, FC_ACT_REMAP_CACHE);
    w.finish();
}

TEST(Map, a_collision_in_the_middle_shortens_the_request) {
    World w;
    w.write(4, 'a');
    UserRequest &user = w.read(0, 8);
    EXPECT_EQ(user.accepted, 4u * 8);
    UserRequest &waiter = w.read(4, 4);
    EXPECT_EQ(waiter.accepted, 8u) << "only what is busy has to wait";
    w.finish();
    EXPECT_EQ(waiter.data, std::string(4096, 'a'));
}

// ---- the full set

void fill_set_with_dirty(World &w) {
    w.make_dirty(0, 'd', 8); // one extent: all 8 ways of its set
    w.confirm();
}

// A block of another extent in the set of block 0.
fc_u64 rival(World &w) {
    fc_u64 block = 8;
    while (w.core->geo.place(block).set != w.core->geo.place(0).set)
        block += 8;
    return block;
}

TEST(Map, a_write_to_a_full_set_falls_back_to_the_origin) {
    World w;
    fill_set_with_dirty(w);
    UserRequest &user = w.write(rival(w), 'x');
    EXPECT_EQ(user.action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.origin_letter(rival(w)), 'x');
    EXPECT_EQ(w.state(rival(w)), "none");
    EXPECT_EQ(w.stats[FC_STAT_no_room], 1u);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 8u);
}

TEST(Map, a_read_into_a_full_set_is_answered_and_not_cached) {
    World w;
    fill_set_with_dirty(w);
    EXPECT_EQ(w.read_letter(rival(w)), 'o');
    EXPECT_EQ(w.state(rival(w)), "none");
    EXPECT_EQ(w.traced(kCache, Op::write), 0u);
}

TEST(Map, a_write_to_a_set_of_clean_blocks_evicts_one) {
    World w;
    w.make_clean(0, 8);
    w.write(rival(w), 'x');
    w.finish();
    EXPECT_EQ(w.state(rival(w)), "dirty unconfirmed");
    EXPECT_EQ(w.stats[FC_STAT_write_replacement], 1u);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 8u);
}

// ---- modes

TEST(Map, write_around_sends_writes_to_the_origin_only) {
    Shape shape;
    shape.mode = FC_MODE_WRITE_AROUND;
    World w(shape);
    UserRequest &user = w.write(0, 'a');
    EXPECT_EQ(user.action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(w.traced(kCache, Op::write), 0u);
    EXPECT_EQ(w.read_letter(0), 'a');
    EXPECT_EQ(w.state(0), "clean");
}

TEST(Map, write_only_fills_nothing_on_reads) {
    Shape shape;
    shape.mode = FC_MODE_WRITE_ONLY;
    World w(shape);
    w.write(0, 'a');
    w.finish();
    EXPECT_EQ(w.state(0), "dirty unconfirmed");
    EXPECT_EQ(w.read(1).action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(w.state(1), "none");
    EXPECT_EQ(w.stats[FC_STAT_uncached_reads], 1u);
}

TEST(Map, a_write_that_hits_a_dirty_block_goes_to_the_cache_in_every_mode) {
    for (const int mode : {FC_MODE_WRITE_THROUGH, FC_MODE_WRITE_AROUND, FC_MODE_WRITE_ONLY}) {
        World w;
        w.make_dirty(2, 'a');
        w.confirm();
        EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
        fc_core_set_mode(w.core, mode);
        fc_core_resume(w.core);
        UserRequest &user = w.write(2, 'b');
        EXPECT_EQ(user.action, FC_ACT_REMAP_CACHE) << mode;
        w.complete(kCache, Op::write, FC_OK);
        EXPECT_EQ(w.cached_letter(2), 'b');
        UserRequest &run = w.write(0, 'c', 8);
        EXPECT_LE(run.req.nr_sectors, 2u * 8) << "and what passes it by stops before it";
        w.finish();
        EXPECT_EQ(w.read_letter(2), 'b');
    }
}

TEST(Map, what_is_not_to_be_cached_passes_by_but_not_dirty_blocks) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_CACHE_ALL, 0), 0);
    EXPECT_EQ(w.write(0, 'b').action, FC_ACT_REMAP_CACHE);
    EXPECT_EQ(w.write(1, 'b').action, FC_ACT_REMAP_ORIGIN);
    EXPECT_EQ(w.read(2).action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 1u);
}

TEST(Map, rule_6_a_write_that_bypasses_a_clean_block_invalidates_it_before_it_ends) {
    for (const bool around : {true, false}) {
        World w;
        w.make_clean(2);
        if (around)
            fc_core_set_mode(w.core, FC_MODE_WRITE_AROUND);
        else
            EXPECT_EQ(fc_core_tune(w.core, FC_TUNE_CACHE_ALL, 0), 0);
        UserRequest &user = w.write(2, 'n');
        EXPECT_EQ(w.state(2), "none");
        EXPECT_FALSE(user.ended());
        w.finish();
        EXPECT_EQ(w.read_letter(2), 'n');
    }
}

TEST(Map, the_last_part_of_a_block_on_the_origin_is_never_cached) {
    Shape shape;
    shape.origin_sectors = 16 * 8 + 3;
    World w(shape);
    UserRequest &tail = w.submit(FC_OP_WRITE, 16 * 8, 3, 't');
    EXPECT_EQ(tail.action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    UserRequest &back = w.submit(FC_OP_READ, 16 * 8 + 1, 2);
    EXPECT_EQ(back.action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(back.data, std::string(1024, 't'));
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
}

TEST(Map, a_run_into_that_part_stops_before_it) {
    Shape shape;
    shape.origin_sectors = 12 * 8 + 3;
    World w(shape);
    UserRequest &user = w.submit(FC_OP_WRITE, 11 * 8, 11, 't');
    EXPECT_EQ(user.accepted, 8u);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
}

} // namespace
