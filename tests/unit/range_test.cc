// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

UserRequest &range(World &w, int op, fc_u64 sector, unsigned n) {
    UserRequest &user = w.submit(op, sector, n);
    EXPECT_EQ(user.action, FC_ACT_TAKEN);
    w.finish();
    return user;
}

TEST(Range, a_discard_goes_to_the_origin_and_drops_clean_blocks) {
    World w;
    w.make_clean(0, 4);
    EXPECT_EQ(range(w, FC_OP_DISCARD, 8, 16).status, FC_OK);
    EXPECT_EQ(w.traced(kOrigin, Op::discard), 1u);
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.state(1), "none");
    EXPECT_EQ(w.state(2), "none");
    EXPECT_EQ(w.state(3), "clean");
}

TEST(Range, dirty_blocks_are_dropped_durably) {
    World w;
    w.make_dirty(0, 'a', 4);
    EXPECT_EQ(range(w, FC_OP_WRITE_ZEROES, 0, 32).status, FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 0u);
    EXPECT_EQ(w.device[kOrigin].read(0, 1)[0], '\0');
}

TEST(Range, rule_4_invalid_records_are_written_only_after_the_origin_is_flushed) {
    Shape shape;
    shape.cache_volatile = shape.origin_volatile = true;
    World w(shape);
    w.make_dirty(0, 'a');
    w.confirm();
    UserRequest &user = w.submit(FC_OP_DISCARD, 0, 8);
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::discard), 1u);
    w.complete(kOrigin, Op::discard, FC_OK);
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::flush), 1u);
    EXPECT_EQ(w.count(kCache, Op::write), 0u);
    EXPECT_EQ(w.state(0), "dirty");
    w.complete(kOrigin, Op::flush, FC_OK);
    w.run();
    w.complete(kCache, Op::write, FC_OK);
    EXPECT_EQ(w.state(0), "dirty busy") << "the record is volatile";
    EXPECT_FALSE(user.ended());
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.state(0), "none");
}

TEST(Range, a_flush_of_the_origin_is_spared_if_nothing_is_dirty) {
    Shape shape;
    shape.origin_volatile = true;
    World w(shape);
    w.make_clean(0);
    range(w, FC_OP_DISCARD, 0, 8);
    EXPECT_EQ(w.traced(kOrigin, Op::flush), 0u);
}

TEST(Range, does_not_care_for_a_flush_of_the_origin_that_it_does_not_need) {
    Shape shape;
    shape.origin_volatile = true;
    World w(shape);
    w.make_clean(0);
    UserRequest &discard = w.submit(FC_OP_DISCARD, 0, 8);
    w.run();
    ASSERT_GE(w.find(kOrigin, Op::discard), 0);
    fc_core_sync_failed(w.core, kOrigin, 1);
    w.finish();
    EXPECT_EQ(discard.status, FC_OK);
}

TEST(Range, zeroes_at_the_edges_of_dirty_blocks_go_in_place) {
    World w;
    w.make_dirty(0, 'a', 3);
    EXPECT_EQ(range(w, FC_OP_WRITE_ZEROES, 3, 16).status, FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.state(1), "none");
    EXPECT_EQ(w.state(2), "dirty");
    EXPECT_EQ(w.device[kCache].read(w.data_sector(0), 8), std::string(3 * 512, 'a') + std::string(5 * 512, '\0'));
    EXPECT_EQ(w.device[kCache].read(w.data_sector(2), 8), std::string(3 * 512, '\0') + std::string(5 * 512, 'a'));
}

TEST(Range, zeroes_inside_one_dirty_block_go_in_place) {
    World w;
    w.make_dirty(0, 'a');
    EXPECT_EQ(range(w, FC_OP_WRITE_ZEROES, 2, 3).status, FC_OK);
    UserRequest &back = w.read(0);
    w.finish();
    EXPECT_TRUE(back.data == std::string(1024, 'a') + std::string(3 * 512, '\0') + std::string(3 * 512, 'a'));
}

TEST(Range, a_clean_block_at_an_edge_is_dropped) {
    World w;
    w.make_clean(0, 3);
    EXPECT_EQ(range(w, FC_OP_WRITE_ZEROES, 3, 16).status, FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
    UserRequest &back = w.read(0);
    w.finish();
    EXPECT_TRUE(back.data == std::string(3 * 512, 'o') + std::string(5 * 512, '\0'));
}

TEST(Range, a_discard_leaves_dirty_blocks_at_its_edges_alone) {
    World w;
    w.make_dirty(0, 'a', 3);
    EXPECT_EQ(range(w, FC_OP_DISCARD, 3, 16).status, FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.state(1), "none");
    EXPECT_EQ(w.read_letter(2), 'a');
    EXPECT_EQ(w.cached_letter(0), 'a');
}

TEST(Range, one_as_long_as_the_device_drops_everything) {
    World w;
    for (fc_u64 block = 0; block < 64; block += 5)
        w.make_dirty(block, 'a');
    w.make_clean(3);
    EXPECT_EQ(range(w, FC_OP_DISCARD, 0, 2048).status, FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
    EXPECT_EQ(w.traced(kOrigin, Op::discard), 1u);
}

TEST(Range, what_comes_later_waits_for_it) {
    World w;
    w.make_dirty(0, 'a');
    UserRequest &zeroes = w.submit(FC_OP_WRITE_ZEROES, 0, 8);
    w.run();
    UserRequest &writer = w.write(0, 'n');
    UserRequest &reader = w.read(1);
    EXPECT_FALSE(writer.ended());
    w.finish();
    EXPECT_EQ(zeroes.status, FC_OK);
    EXPECT_EQ(reader.status, FC_OK);
    EXPECT_EQ(w.read_letter(0), 'n');
}

TEST(Range, it_waits_for_what_came_earlier) {
    World w;
    UserRequest &writer = w.write(0, 'n');
    UserRequest &zeroes = w.submit(FC_OP_WRITE_ZEROES, 0, 8);
    w.run();
    EXPECT_EQ(w.count(kOrigin, Op::zeroes), 0u);
    w.finish();
    EXPECT_EQ(writer.status, FC_OK);
    EXPECT_EQ(zeroes.status, FC_OK);
    UserRequest &back = w.read(0);
    w.finish();
    EXPECT_EQ(back.data[0], '\0');
}

TEST(Range, several_are_served_in_order) {
    World w;
    w.make_dirty(0, 'a', 3);
    UserRequest *users[3];
    for (unsigned i = 0; i < 3; i++)
        users[i] = &w.submit(FC_OP_DISCARD, i * 8, 8);
    w.finish();
    for (const UserRequest *user : users)
        EXPECT_EQ(user->status, FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
    EXPECT_EQ(w.stats[FC_STAT_discards], 3u);
}

TEST(Range, an_error_of_the_origin_keeps_dirty_blocks_and_drops_clean_ones) {
    World w;
    w.make_clean(0);
    w.make_dirty(1, 'a');
    w.fails = [](const Io &io) { return io.op == Op::zeroes; };
    EXPECT_EQ(range(w, FC_OP_WRITE_ZEROES, 0, 16).status, FC_EIO);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.read_letter(1), 'a');
}

TEST(Range, an_operation_that_the_origin_does_not_know_changes_nothing) {
    World w;
    w.make_clean(0);
    UserRequest &user = w.submit(FC_OP_DISCARD, 0, 8);
    w.run();
    w.complete(kOrigin, Op::discard, FC_ENOTSUPP);
    w.finish();
    EXPECT_EQ(user.status, FC_ENOTSUPP);
    EXPECT_EQ(w.state(0), "clean");
}

TEST(Range, a_flush_that_fails_is_an_error_and_keeps_dirty_blocks) {
    Shape shape;
    shape.origin_volatile = true;
    World w(shape);
    w.make_dirty(0, 'a');
    w.fails = [](const Io &io) { return io.op == Op::flush && io.dev == kOrigin; };
    EXPECT_EQ(range(w, FC_OP_DISCARD, 0, 8).status, FC_EIO);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Range, a_flush_that_ends_well_after_another_one_failed_does_not_count) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    w.confirm();
    w.submit(FC_OP_WRITE, 83, 1, 'b'); // so that there is something to flush
    w.finish();
    UserRequest &zeroes = w.submit(FC_OP_WRITE_ZEROES, 0, 8);
    w.run();
    w.complete(FC_DEV_ORIGIN, Op::zeroes, FC_OK);
    w.flush(FC_DEV_ORIGIN);
    w.run();
    ASSERT_EQ(w.count(FC_DEV_ORIGIN, Op::flush), 2u);
    w.complete(FC_DEV_ORIGIN, Op::flush, FC_EIO);
    w.finish();
    EXPECT_EQ(zeroes.status, FC_EIO);
    EXPECT_EQ(w.state(0), "dirty");
}

TEST(Range, lets_those_in_before_the_next_one_that_waited_for_it) {
    World w;
    w.submit(FC_OP_DISCARD, 0, 32 * 8);
    w.run();
    w.read(0);
    w.submit(FC_OP_DISCARD, 0, 32 * 8);
    w.complete(FC_DEV_ORIGIN, Op::discard, FC_OK);
    w.run();
    EXPECT_EQ(w.count(FC_DEV_ORIGIN, Op::read), 1u);
    w.finish();
}

TEST(Range, with_a_failed_log_a_range_with_dirty_blocks_is_refused) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.fails = [&w](const Io &io) { return io.op == Op::write && io.dev == kCache && io.sector < w.config.data_offset_sectors; };
    w.write(8, 'x');
    w.finish();
    ASSERT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_EQ(range(w, FC_OP_DISCARD, 0, 8).status, FC_EIO);
    EXPECT_EQ(w.traced(kOrigin, Op::discard), 0u) << "a recovery would bring the block back";
    EXPECT_EQ(range(w, FC_OP_DISCARD, 16 * 8, 8).status, FC_OK);
}

TEST(Range, without_memory_it_waits_and_then_succeeds) {
    World w;
    w.make_dirty(0, 'a', 3);
    w.confirm();
    w.no_jobs = 2;
    w.no_buffers = 2;
    UserRequest &user = range(w, FC_OP_WRITE_ZEROES, 3, 16);
    for (int i = 0; i < 10 && !user.ended(); i++)
        w.pass(2);
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.state(1), "none");
}

TEST(Range, zeroes_with_fua_are_durable_at_the_edges_of_dirty_blocks_too) {
    for (const unsigned fua : {0u, FC_REQ_FUA}) {
        World w(volatile_devices());
        w.make_dirty(0, 'a', 3);
        w.confirm();
        UserRequest &user = w.submit(FC_OP_WRITE_ZEROES, 3, 16, 0, fua);
        w.finish();
        EXPECT_EQ(user.status, FC_OK);
        unsigned edges = 0;
        for (const Io &io : w.trace)
            if (io.kind == Io::kJob) {
                EXPECT_EQ(io.flags, fua ? FC_IO_FUA : 0);
                edges++;
            }
        EXPECT_EQ(edges, 2u);
    }
}

TEST(Range, an_invalid_record_that_may_have_arrived_or_not_leaves_its_block_in_doubt) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.fails = [&w](const Io &io) { return io.kind == Io::kAsync && io.sector < w.config.data_offset_sectors; };
    EXPECT_EQ(range(w, FC_OP_DISCARD, 0, 8).status, FC_EIO);
    w.fails = nullptr;
    EXPECT_EQ(w.state(0), "dirty busy");
    UserRequest &user = w.write(0, 'b');
    w.finish();
    EXPECT_EQ(user.status, FC_EIO) << "a recovery may have the block, or the origin's";
    EXPECT_EQ(w.read_letter(0), '\0');
}

TEST(Range, a_flush_of_it_that_fails_is_told_to_the_users_next_flush) {
    World w(volatile_devices());
    w.make_dirty(0, 'a');
    w.submit(FC_OP_WRITE, 83, 1, 'b'); // on the origin, acknowledged, and flushed by nobody
    w.finish();
    w.fails = [](const Io &io) { return io.kind == Io::kAsync && io.op == Op::flush && io.dev == kOrigin; };
    EXPECT_EQ(range(w, FC_OP_DISCARD, 0, 8).status, FC_EIO);
    w.fails = nullptr;
    EXPECT_EQ(w.flush_status(kOrigin), FC_EIO);
    EXPECT_EQ(w.flush_status(kOrigin), FC_OK) << "once";
}

} // namespace
