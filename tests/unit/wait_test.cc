// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

Shape through() {
    Shape shape;
    shape.mode = FC_MODE_WRITE_THROUGH;
    return shape;
}

TEST(Wait, a_request_that_comes_later_does_not_pass_those_that_are_ready) {
    World w(through());
    w.write(0, 'a');
    UserRequest &second = w.write(0, 'b');
    w.complete(kOrigin, Op::write, FC_OK);
    w.complete(kCache, Op::write, FC_OK); // the second is ready now, but nobody has run
    UserRequest &third = w.write(0, 'c');
    EXPECT_TRUE(w.ios.empty());
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::write), 1u);
    w.complete(kOrigin, Op::write, FC_OK);
    w.complete(kCache, Op::write, FC_OK);
    EXPECT_EQ(second.status, FC_OK);
    EXPECT_FALSE(third.ended());
    w.finish();
    EXPECT_EQ(w.origin_letter(0), 'c');
    EXPECT_EQ(w.cached_letter(0), 'c');
}

TEST(Wait, a_hit_does_not_pass_those_that_are_ready) {
    World w(through());
    w.write(0, 'a');
    w.write(0, 'b');
    w.complete(kOrigin, Op::write, FC_OK);
    w.complete(kCache, Op::write, FC_OK);
    UserRequest &reader = w.read(0);
    EXPECT_EQ(reader.action, FC_ACT_TAKEN);
    w.finish();
    EXPECT_EQ(reader.data[0], 'b');
}

TEST(Wait, a_collision_on_one_block_does_not_stop_others) {
    World w(through());
    w.write(0, 'a');
    w.write(0, 'b');
    EXPECT_NE(w.write(1, 'c').action, -1);
    EXPECT_EQ(w.count(kOrigin, Op::write), 2u);
    w.finish();
}

TEST(Wait, what_waited_takes_its_blocks_piece_by_piece) {
    World w(through());
    w.write(0, 'a', 4);
    w.make_clean(8);
    UserRequest &user = w.write(0, 'b', 4);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    for (fc_u64 block = 0; block < 4; block++)
        EXPECT_EQ(w.origin_letter(block), 'b');
}

TEST(Wait, an_accepted_request_that_no_single_treatment_serves_ends_once_and_whole) {
    World w;
    w.read(0, 8); // all 8 blocks are busy
    UserRequest &user = w.read(0, 8);
    EXPECT_EQ(user.accepted, 0u);
    w.complete(kOrigin, Op::read, FC_OK);
    UserRequest &writer = w.write(3, 'n'); // overtakes the fill
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    for (const unsigned block : {0u, 1u, 2u, 4u, 7u})
        EXPECT_EQ(user.data[block * 4096], 'o');
    EXPECT_EQ(writer.status, FC_OK);
    EXPECT_EQ(w.read_letter(3), 'n');
}

TEST(Wait, a_waiting_request_over_clean_and_uncached_blocks_is_served_in_parts) {
    World w;
    UserRequest &first = w.write(0, 'a', 8);
    UserRequest &second = w.read(0, 8);
    w.fails = [&w](const Io &io) { return io.dev == kCache && io.sector >= w.config.data_offset_sectors && io.op == Op::write; };
    w.finish();
    EXPECT_EQ(first.status, FC_OK);
    EXPECT_EQ(second.status, FC_OK);
    EXPECT_EQ(second.data, std::string(8 * 4096, 'a'));
}

TEST(Wait, without_memory_for_a_place_in_line_it_is_taken_up_again) {
    World w;
    UserRequest &first = w.write(0, 'a');
    w.no_pendings = 3;
    UserRequest &second = w.write(0, 'b');
    EXPECT_EQ(second.action, FC_ACT_TAKEN);
    for (int i = 0; i < 20 && !second.ended(); i++)
        w.pass(2);
    EXPECT_EQ(first.status, FC_OK);
    EXPECT_EQ(second.status, FC_OK);
    EXPECT_GE(w.stats[FC_STAT_memory_alloc_errors], 3u);
    EXPECT_EQ(w.gauge(FC_GAUGE_WAITING), 0u);
}

TEST(Wait, no_memory_in_the_worker_is_no_error_either) {
    World w(through());
    w.write(0, 'a');
    UserRequest &second = w.write(0, 'b');
    UserRequest &third = w.write(0, 'c');
    w.complete(kOrigin, Op::write, FC_OK);
    w.complete(kCache, Op::write, FC_OK);
    w.no_jobs = w.no_buffers = w.no_pendings = 2;
    for (int i = 0; i < 40 && !(second.ended() && third.ended()); i++)
        w.pass(2);
    EXPECT_EQ(second.status, FC_OK);
    EXPECT_EQ(third.status, FC_OK);
}

TEST(Wait, memory_that_comes_back_wakes_those_that_wait_for_it) {
    World w(through());
    w.write(8, 'x');
    w.no_jobs = 1;
    UserRequest &starved = w.write(0, 'a');
    w.finish(); // no time passes; a job is freed
    EXPECT_EQ(starved.status, FC_OK);
}

TEST(Wait, hundreds_that_wait_are_all_served) {
    World w;
    std::vector<UserRequest *> users;
    for (int i = 0; i < 600; i++)
        users.push_back(i % 3 ? &w.write(0, static_cast<char>('a' + i % 26)) : &w.read(0));
    w.finish();
    for (const UserRequest *user : users)
        ASSERT_EQ(user->status, FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_WAITING), 0u);
    EXPECT_EQ(w.stats[FC_STAT_pending_inval], 0u);
}

} // namespace
