// SPDX-License-Identifier: GPL-2.0-only
//
// Where numbers are large: addresses beyond 32 bits, thousands of sets.
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kOrigin = FC_DEV_ORIGIN;

// Of these worlds only the end can be touched: an address that has lost its upper bits is beyond it.
class LargeOrigin : public ::testing::TestWithParam<fc_u64> {
protected:
    static Shape shape() {
        Shape shape;
        shape.origin_base = GetParam() * 8;
        return shape;
    }
    World w{shape()};
    fc_u64 block = GetParam() + 5;
};

TEST_P(LargeOrigin, is_read_filled_and_hit) {
    *w.device[kOrigin].at(block * 8) = 'x';
    EXPECT_EQ(w.read_letter(block), 'x');
    EXPECT_EQ(w.state(block), "clean");
    EXPECT_EQ(w.read(block).action, FC_ACT_REMAP_CACHE);
    w.finish();
    EXPECT_EQ(w.read_letter(block), 'x');
    w.no_jobs = 1;
    EXPECT_EQ(w.read(block + 1).action, FC_ACT_REMAP_ORIGIN) << "for want of memory";
    w.finish();
}

TEST_P(LargeOrigin, is_written_past_the_cache) {
    UserRequest &user = w.submit(FC_OP_WRITE, block * 8 + 3, 1, 'b'); // part of an uncached block
    EXPECT_EQ(user.action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(w.device[kOrigin].read(block * 8 + 3, 1)[0], 'b');
    w.write(block + 2, 'c');
    w.complete_all([](const Io &io) { return io.kind == Io::kAsync; });
    w.complete(FC_DEV_CACHE, Op::write, FC_EIO); // its data: falls back
    w.finish();
    EXPECT_EQ(w.origin_letter(block + 2), 'c');
    UserRequest &zeroes = w.submit(FC_OP_WRITE_ZEROES, block * 8, 8);
    w.finish();
    EXPECT_EQ(zeroes.status, FC_OK);
    EXPECT_EQ(w.origin_letter(block), '\0');
}

TEST_P(LargeOrigin, is_written_through_and_back) {
    w.make_dirty(block, 'a');
    w.clean_all();
    EXPECT_EQ(w.origin_letter(block), 'a');
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    EXPECT_EQ(fc_core_set_mode(w.core, FC_MODE_WRITE_THROUGH), FC_OK);
    fc_core_resume(w.core);
    w.write(block, 'b');
    w.finish();
    EXPECT_EQ(w.origin_letter(block), 'b');
    EXPECT_EQ(w.read_letter(block), 'b');
}

TEST_P(LargeOrigin, is_known_to_the_log_and_to_the_home_table) {
    w.make_dirty(block, 'a');
    ASSERT_EQ(w.reopen_after_power_cut(), FC_OK);
    ASSERT_EQ(w.state(block), "dirty") << "from the log";
    EXPECT_EQ(w.read_letter(block), 'a');
    ASSERT_EQ(w.reopen_after_power_cut(), FC_OK);
    ASSERT_EQ(w.state(block), "dirty") << "from the home table";
    EXPECT_EQ(w.read_letter(block), 'a');
}

INSTANTIATE_TEST_SUITE_P(Behind, LargeOrigin, ::testing::Values(1ull << 29, 1ull << 32),
                         [](const auto &behind) { return behind.param >> 32 ? "16_TiB" : "2_TiB"; });

// Blocks of 128 GiB, so that few of them need addresses beyond 2 TiB; only where a hit goes is looked at.
TEST(LargeCacheDevice, is_read_where_the_block_is) {
    World w;
    fc_config huge = w.config;
    huge.block_sectors = 1u << 28;
    w.core->geo.init(huge);
    w.core->whole_blocks = 256;
    const fc_u64 block = w.core->geo.origin_block(3, 0);
    {
        const fc::SetGuard guard(*w.core, 3);
        fc::set_at(*w.core, 3).insert(7, 0);
    }
    UserRequest &user = w.submit(FC_OP_READ, (block << 28) + 5, 1);
    ASSERT_EQ(user.action, FC_ACT_REMAP_CACHE);
    EXPECT_EQ(user.req.target_sector, w.config.data_offset_sectors + (31ull << 28) + 5);
    w.crash();
}

// ---- thousands of sets

fc_u64 block_in(World &w, fc::u32 set, fc::u32 row = 0) {
    return w.core->geo.origin_block(set, row * 2);
}

TEST(ManySets, a_sync_cleans_all_of_them) {
    World w(many_sets());
    for (const fc::u32 set : {0u, 4095u, 4096u, 4999u})
        w.make_dirty(block_in(w, set), 'a');
    w.clean_all();
    for (const fc::u32 set : {0u, 4095u, 4096u, 4999u})
        EXPECT_EQ(w.origin_letter(block_in(w, set)), 'a') << set;
}

TEST(ManySets, a_discard_of_everything_ends) {
    World w(many_sets());
    for (const fc::u32 set : {0u, 4095u, 4096u, 4999u})
        w.make_clean(block_in(w, set));
    UserRequest &user = w.submit(FC_OP_DISCARD, 0, many_sets().origin_sectors);
    w.finish(); // and no time passes
    EXPECT_EQ(user.status, FC_OK);
    for (const fc::u32 set : {0u, 4095u, 4096u, 4999u})
        EXPECT_EQ(w.state(block_in(w, set)), "none") << set;
}

// They hit, which asks for no other work.
TEST(ManySets, those_that_wait_for_a_discard_of_many_go_on_without_a_timer) {
    World w(many_sets());
    constexpr unsigned kSets = 300;
    std::vector<fc_u64> blocks;
    for (fc_u64 block = 0; block < kSets * 2; block += 2) {
        blocks.push_back(block_in(w, w.core->geo.place(block).set, 1));
        w.make_clean(blocks.back());
    }
    UserRequest &discard = w.submit(FC_OP_DISCARD, 0, kSets * 2);
    w.run();
    ASSERT_EQ(w.count(kOrigin, Op::discard), 1u);
    std::vector<UserRequest *> readers;
    for (const fc_u64 block : blocks)
        readers.push_back(&w.read(block));
    EXPECT_EQ(w.gauge(FC_GAUGE_WAITING), kSets);
    w.finish();
    EXPECT_EQ(discard.status, FC_OK);
    for (const UserRequest *reader : readers)
        ASSERT_EQ(reader->status, FC_OK);
}

} // namespace
