// SPDX-License-Identifier: GPL-2.0-only
#include <vector>

#include <gtest/gtest.h>

#include "alone.h"
#include "cache_set.h"

namespace {

using fc::kNoWay;
using fc::u32;

class CacheSet : public ::testing::Test {
protected:
    void init(u32 ways) {
        layout_.init(ways);
        layout_.shared = &shared_;
        shared_ = {};
        shared_.policy = FC_POLICY_CLOCK2Q;
        memory_.assign(layout_.bytes / 8, 0);
        set().init();
    }
    fc::CacheSet set() { return {layout_, reinterpret_cast<char *>(memory_.data())}; }

    // Tags 100, 101, ... in ways 0, 1, ...
    void fill(u32 n) FC_REQUIRES(fc::set_lock) {
        for (u32 way = 0; way < n; way++)
            set().insert(way, 100 + way);
    }
    u32 allocate(u32 want, u32 near = kNoWay) FC_REQUIRES(fc::set_lock) {
        return set().allocate(want, near, first_, evicted_);
    }

    fc::SetLayout layout_ = {};
    fc::SetsShared shared_ = {};
    std::vector<fc::u64> memory_;
    u32 first_ = kNoWay;
    u32 evicted_ = 0;
};

TEST_F(CacheSet, needs_less_than_twelve_bytes_for_a_way) {
    init(512);
    EXPECT_LE(layout_.bytes, 512 * 12);
}

TEST_F(CacheSet, finds_what_was_inserted_and_not_what_was_removed) {
    const Alone alone;
    for (const u32 ways : {2u, 64u, 512u, 8192u}) {
        init(ways);
        for (u32 way = 0; way < ways; way++)
            set().insert(way, way * 7);
        for (u32 way = 0; way < ways; way++)
            ASSERT_EQ(set().find(way * 7), way);
        EXPECT_EQ(set().find(3), kNoWay);
        for (u32 way = 0; way < ways; way += 2)
            set().remove(way);
        for (u32 way = 0; way < ways; way++)
            ASSERT_EQ(set().find(way * 7), way % 2 ? way : kNoWay);
        EXPECT_EQ(set().header().nr_valid, ways / 2);
    }
}

TEST_F(CacheSet, counts_dirty_ways_once) {
    const Alone alone;
    init(8);
    fill(3);
    set().set_dirty(1, true);
    set().set_dirty(1, true);
    EXPECT_EQ(set().header().nr_dirty, 1);
    set().remove(1);
    EXPECT_EQ(set().header().nr_dirty, 0);
    EXPECT_FALSE(set().dirty(1));
}

TEST_F(CacheSet, a_removed_way_has_no_marks_left) {
    const Alone alone;
    init(8);
    fill(1);
    set().set_referenced(0, true);
    set().set_unconfirmed(0, true);
    EXPECT_TRUE(set().any_unconfirmed());
    set().remove(0);
    EXPECT_FALSE(set().referenced(0));
    EXPECT_FALSE(set().any_unconfirmed());
}

TEST_F(CacheSet, gives_neighbouring_free_ways) {
    const Alone alone;
    init(64);
    fill(5);
    EXPECT_EQ(allocate(32), 32u);
    EXPECT_EQ(first_, 5u);
    EXPECT_EQ(evicted_, 0u);
}

TEST_F(CacheSet, gives_the_ways_behind_the_neighbour) {
    const Alone alone;
    init(64);
    set().insert(20, 100);
    EXPECT_EQ(allocate(4, 21), 4u);
    EXPECT_EQ(first_, 21u);
}

TEST_F(CacheSet, gives_a_shorter_run_if_there_is_no_longer_one) {
    const Alone alone;
    init(8);
    fill(8);
    for (u32 way = 0; way < 8; way++)
        set().set_dirty(way, true);
    set().remove(2);
    set().remove(3);
    EXPECT_EQ(allocate(8), 2u);
    EXPECT_EQ(first_, 2u);
}

TEST_F(CacheSet, takes_free_ways_before_it_evicts) {
    const Alone alone;
    init(64);
    fill(64);
    set().remove(40);
    EXPECT_EQ(allocate(1), 1u);
    EXPECT_EQ(first_, 40u);
    EXPECT_EQ(evicted_, 0u);
}

TEST_F(CacheSet, evicts_the_oldest_clean_block_first) {
    const Alone alone;
    init(8);
    fill(8);
    for (u32 expected = 0; expected < 12; expected++) {
        EXPECT_EQ(allocate(1), 1u);
        EXPECT_EQ(first_, expected % 8);
        EXPECT_EQ(evicted_, 1u);
        set().insert(first_, 200 + expected);
    }
}

TEST_F(CacheSet, spares_what_was_used_since_the_hand_passed) {
    const Alone alone;
    init(8);
    fill(8);
    set().set_referenced(0, true);
    set().set_referenced(1, true);
    EXPECT_EQ(allocate(1), 1u);
    EXPECT_EQ(first_, 2u);
    EXPECT_FALSE(set().referenced(0)) << "but only once";
    EXPECT_TRUE(set().in_main(0));
}

TEST_F(CacheSet, evicts_what_was_used_if_everything_was) {
    const Alone alone;
    init(8);
    fill(8);
    for (u32 way = 0; way < 8; way++)
        set().set_referenced(way, true);
    EXPECT_EQ(allocate(1), 1u);
    EXPECT_EQ(evicted_, 1u);
}

TEST_F(CacheSet, never_gives_away_what_is_dirty_busy_or_pinned) {
    const Alone alone;
    init(4);
    fill(4);
    set().set_dirty(0, true);
    set().set_busy(1, true);
    EXPECT_EQ(set().pin(2, 1, false), 1u);
    EXPECT_EQ(allocate(4), 1u);
    EXPECT_EQ(first_, 3u);
    set().insert(3, 300);
    EXPECT_EQ(set().pin(3, 1, true), 1u);
    EXPECT_EQ(allocate(1), 0u);
    EXPECT_EQ(set().header().nr_valid, 4);
}

TEST_F(CacheSet, never_gives_away_a_free_way_that_somebody_still_uses) {
    const Alone alone;
    init(2);
    fill(2);
    set().set_dirty(1, true);
    EXPECT_EQ(set().pin(0, 1, false), 1u);
    set().remove(0);
    EXPECT_EQ(allocate(1), 0u) << "the read in flight would see another block";
    EXPECT_EQ(allocate(1, 0), 0u);
    set().unpin(0, 1, false);
    EXPECT_EQ(allocate(1), 1u);
}

TEST_F(CacheSet, counts_readers_and_writers_apart) {
    const Alone alone;
    init(2);
    EXPECT_EQ(set().pin(0, 1, false), 1u);
    EXPECT_EQ(set().pin(0, 1, true), 1u);
    EXPECT_EQ(set().writers(0), 1u);
    set().unpin(0, 1, true);
    EXPECT_EQ(set().writers(0), 0u);
    EXPECT_TRUE(set().pinned(0));
    set().unpin(0, 1, false);
    EXPECT_FALSE(set().pinned(0));
}

TEST_F(CacheSet, has_room_for_255_users_and_says_when_it_was_full) {
    const Alone alone;
    init(2);
    for (const bool write : {false, true}) {
        for (int i = 0; i < 255; i++)
            ASSERT_EQ(set().pin(0, 1, write), 1u);
        EXPECT_EQ(set().pin(0, 1, write), 0u);
        EXPECT_TRUE(set().unpin(0, 1, write));
        EXPECT_FALSE(set().unpin(0, 1, write));
    }
}

TEST_F(CacheSet, pins_as_many_ways_as_have_room) {
    const Alone alone;
    init(128);
    for (int i = 0; i < 255; i++)
        ASSERT_EQ(set().pin(66, 1, false), 1u);
    EXPECT_EQ(set().pin(62, 8, false), 4u);
    EXPECT_TRUE(set().pinned(65));
    EXPECT_FALSE(set().pinned(67));
    EXPECT_FALSE(set().unpin(62, 4, false));
    EXPECT_FALSE(set().pinned(65));
    EXPECT_TRUE(set().unpin(66, 1, false));
    EXPECT_EQ(set().pin(62, 8, true), 8u) << "writers are counted apart";
    EXPECT_FALSE(set().unpin(62, 8, true));
}

TEST_F(CacheSet, a_run_ends_where_the_next_block_is_not_or_a_job_is_at_it) {
    const Alone alone;
    init(128);
    fill(128);
    const u32 tag = set().tag(0);
    ASSERT_EQ(set().tag(127), tag + 127);
    EXPECT_EQ(set().run_length(0, tag, 64, false), 64u);
    EXPECT_EQ(set().run_length(60, tag + 60, 64, false), 64u) << "beyond a word of the bitmaps";
    EXPECT_EQ(set().run_length(100, tag + 100, 64, false), 28u) << "the set ends";
    set().set_busy(70, true);
    EXPECT_EQ(set().run_length(60, tag + 60, 64, false), 10u);
    EXPECT_EQ(set().run_length(70, tag + 70, 8, false), 8u) << "the first is the caller's affair";
    set().set_busy(70, false);
    set().remove(64);
    EXPECT_EQ(set().run_length(60, tag + 60, 64, false), 4u);
    set().insert(64, 5000);
    EXPECT_EQ(set().run_length(60, tag + 60, 64, false), 4u) << "another block";
    EXPECT_EQ(set().run_length(60, tag + 60, 1, false), 1u);
}

TEST_F(CacheSet, a_run_of_writes_ends_where_a_block_is_clean_or_not_confirmed) {
    const Alone alone;
    init(128);
    fill(128);
    const u32 tag = set().tag(0);
    for (u32 way = 10; way < 90; way++)
        set().set_dirty(way, true);
    EXPECT_EQ(set().run_length(40, tag + 40, 64, true), 50u);
    set().set_unconfirmed(64, true);
    EXPECT_EQ(set().run_length(40, tag + 40, 64, true), 24u);
    EXPECT_EQ(set().run_length(40, tag + 40, 64, false), 64u);
    EXPECT_FALSE(set().open_to(64, true));
    EXPECT_TRUE(set().open_to(64, false));
    EXPECT_FALSE(set().open_to(90, true)) << "clean";
    set().set_busy(20, true);
    EXPECT_FALSE(set().open_to(20, true));
    EXPECT_FALSE(set().open_to(20, false));
}

TEST_F(CacheSet, a_run_that_is_written_is_young_again) {
    const Alone alone;
    init(128);
    fill(128);
    for (u32 way = 60; way < 80; way++)
        set().set_dirty(way, true);
    set().age();
    set().touch_run(62, 6, false);
    set().touch_run(68, 10, true);
    set().age();
    for (u32 way = 60; way < 80; way++)
        EXPECT_EQ(set().due(way), way < 68 || way >= 78) << way;
}

TEST_F(CacheSet, collects_dirty_ways_from_a_start_on_and_around) {
    const Alone alone;
    init(128);
    fill(128);
    for (const u32 way : {3u, 70u, 100u, 127u})
        set().set_dirty(way, true);
    set().set_busy(100, true);
    fc::u16 ways[8];
    ASSERT_EQ(set().collect_dirty(70, false, ways, 8), 3u);
    EXPECT_EQ(ways[0], 70);
    EXPECT_EQ(ways[1], 127);
    EXPECT_EQ(ways[2], 3);
    EXPECT_EQ(set().collect_dirty(71, false, ways, 1), 1u);
    EXPECT_EQ(ways[0], 127);
}

TEST(PendingList, gives_back_in_the_order_of_arrival) {
    fc_pending a = {}, b = {}, c = {};
    fc::PendingList one = {}, two = {};
    one.push(&a);
    two.push(&b);
    two.push(&c);
    one.take_all(two);
    EXPECT_TRUE(two.empty());
    one.take_all(two);
    EXPECT_EQ(one.pop(), &a);
    EXPECT_EQ(one.pop(), &b);
    EXPECT_EQ(one.pop(), &c);
    EXPECT_EQ(one.pop(), nullptr);
    one.push(&b);
    EXPECT_EQ(one.pop(), &b);
}

} // namespace
