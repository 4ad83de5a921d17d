// SPDX-License-Identifier: GPL-2.0-only
// Who has to make room: the three policies in one set, and a change of the policy of a whole cache.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "alone.h"
#include "world.h"

namespace {

using fc::kNoWay;
using fc::u32;

class Replacement : public ::testing::Test {
protected:
    void init(u32 ways, int policy) {
        layout_ = {};
        layout_.init(ways);
        layout_.shared = &shared_;
        shared_ = {};
        shared_.hot_pct = 75;
        shared_.promote_uses = 2;
        shared_.policy = static_cast<u32>(policy == FC_POLICY_LRU ? +FC_POLICY_FIFO : policy);
        memory_.assign(layout_.bytes / 8, 0);
        const Alone alone;
        set().init();
        if (policy == FC_POLICY_LRU)
            adopt(policy);
    }
    void adopt(int policy) FC_REQUIRES(fc::set_lock) {
        shared_.policy = static_cast<u32>(policy);
        lists_.assign(fc::LruLists::bytes(layout_.ways) / 8, 0);
        set().adopt_policy(policy == FC_POLICY_LRU ? reinterpret_cast<char *>(lists_.data())
                                                   : nullptr);
    }
    fc::CacheSet set() { return {layout_, reinterpret_cast<char *>(memory_.data())}; }

    // A reference to a block: a hit, or it is brought in.
    bool access(u32 tag) FC_REQUIRES(fc::set_lock) {
        const u32 way = set().find(tag);
        if (way != kNoWay) {
            set().touch(way);
            return true;
        }
        u32 first = kNoWay, evicted = 0;
        if (set().allocate(1, kNoWay, first, evicted) == 1)
            set().insert(first, tag);
        return false;
    }
    void access_all(u32 from, u32 to) FC_REQUIRES(fc::set_lock) {
        for (u32 tag = from; tag < to; tag++)
            access(tag);
    }
    u32 cached(u32 from, u32 to) FC_REQUIRES(fc::set_lock) {
        u32 n = 0;
        for (u32 tag = from; tag < to; tag++)
            n += set().find(tag) != kNoWay;
        return n;
    }
    // What the set counts is what a recount says.
    void check() FC_REQUIRES(fc::set_lock) {
        u32 valid = 0, main = 0, due = 0;
        for (u32 way = 0; way < layout_.ways; way++) {
            valid += set().valid(way);
            main += set().in_main(way);
            due += set().due(way);
            EXPECT_TRUE(set().valid(way) ||
                        (!set().in_main(way) && !set().due(way) && !set().dirty(way)));
            EXPECT_TRUE(!set().due(way) || set().dirty(way));
        }
        ASSERT_EQ(valid, set().header().nr_valid);
        ASSERT_EQ(main, set().header().nr_main);
        ASSERT_EQ(due, set().header().nr_due);
        ASSERT_EQ(due, shared_.nr_due);
        ASSERT_EQ(shared_.nr_hot, set().header().policy == FC_POLICY_LRU ? main : 0);
    }
    // Everybody is in the list that the set says, once.
    void check_lists() FC_REQUIRES(fc::set_lock) {
        const fc::LruLists lists(set().header().lru, layout_.ways);
        u32 n = 0;
        for (const bool hot : {false, true})
            for (u32 way = lists.oldest(hot); way != lists.sentinel(hot);
                 way = lists.younger(way)) {
                ASSERT_LT(way, layout_.ways);
                ASSERT_TRUE(set().valid(way));
                ASSERT_EQ(set().in_main(way), hot);
                ASSERT_LE(++n, layout_.ways);
            }
        ASSERT_EQ(n, set().header().nr_valid);
    }

    fc::SetLayout layout_ = {};
    fc::SetsShared shared_ = {};
    std::vector<fc::u64> memory_, lists_;
};

// ---- each policy

// A run that fills the ways left free around the hand: what came first goes first all the same.
TEST_F(Replacement, the_hand_goes_on_behind_a_run_that_it_was_inside_of) {
    init(64, FC_POLICY_FIFO);
    const Alone alone;
    access_all(0, 64);
    for (u32 way = 10; way < 14; way++)
        set().remove(way);
    set().header().hand = 12;
    u32 first = 0, evicted = 0;
    ASSERT_EQ(set().allocate(4, fc::kNoWay, first, evicted), 4u);
    ASSERT_EQ(first, 10u);
    EXPECT_EQ(set().header().hand, 14u);
}

// Of large sets: else a few long runs would drive it past everybody.
TEST_F(Replacement, the_hand_does_not_go_far_for_a_long_run) {
    init(1024, FC_POLICY_FIFO);
    const Alone alone;
    access_all(0, 1024);
    for (u32 way = 0; way < 512; way += 2)
        set().set_dirty(way, true);
    u32 first = 0, evicted = 0;
    ASSERT_EQ(set().allocate(32, fc::kNoWay, first, evicted), 1u);
    EXPECT_LT(first, 128u);
}

TEST_F(Replacement, fifo_does_not_care_who_was_used) {
    init(8, FC_POLICY_FIFO);
    const Alone alone;
    access_all(0, 8);
    for (int i = 0; i < 5; i++)
        access(0);
    access(100);
    EXPECT_EQ(set().find(0), kNoWay);
    EXPECT_EQ(cached(1, 8), 7u);
}

TEST_F(Replacement, lru_evicts_who_was_not_used_for_longest) {
    init(8, FC_POLICY_LRU);
    const Alone alone;
    access_all(0, 8);
    access(0);
    access(100);
    EXPECT_NE(set().find(0), kNoWay);
    EXPECT_EQ(set().find(1), kNoWay);
    check_lists();
}

TEST_F(Replacement, lru_keeps_the_hot_list_through_a_scan) {
    init(64, FC_POLICY_LRU);
    const Alone alone;
    for (int i = 0; i < 3; i++)
        access_all(0, 40);
    EXPECT_EQ(shared_.nr_hot, 40u);
    access_all(1000, 2000);
    EXPECT_EQ(cached(0, 40), 40u);
    check_lists();
}

TEST_F(Replacement, lru_promotes_at_the_use_that_was_asked_for) {
    init(8, FC_POLICY_LRU);
    shared_.promote_uses = 3;
    const Alone alone;
    access(1);
    access(1), access(1);
    EXPECT_EQ(shared_.nr_hot, 0u);
    access(1);
    EXPECT_EQ(shared_.nr_hot, 1u);
    EXPECT_EQ(shared_.promotions, 1u);
}

TEST_F(Replacement, lru_has_at_most_its_share_of_hot_blocks_also_when_that_changes) {
    init(64, FC_POLICY_LRU);
    const Alone alone;
    for (int i = 0; i < 4; i++)
        access_all(0, 64);
    EXPECT_EQ(shared_.nr_hot, 48u);
    shared_.hot_pct = 25;
    for (int i = 0; i < 2; i++)
        access_all(0, 64);
    EXPECT_EQ(shared_.nr_hot, 16u);
    EXPECT_GE(shared_.demotions, 32u);
    shared_.hot_pct = 0;
    for (int i = 0; i < 2; i++)
        access_all(0, 64);
    EXPECT_EQ(shared_.nr_hot, 0u);
    check(), check_lists();
}

TEST_F(Replacement, clock2q_keeps_what_was_used_twice_through_a_scan) {
    init(512, FC_POLICY_CLOCK2Q);
    const Alone alone;
    access_all(0, 200);
    access_all(1000, 1100); // so that the uses are not within the window
    access_all(0, 200);
    access_all(10000, 20000);
    EXPECT_EQ(cached(0, 200), 200u);
}

TEST_F(Replacement, clock2q_does_not_count_uses_right_after_the_first) {
    init(512, FC_POLICY_CLOCK2Q);
    const Alone alone;
    for (u32 tag = 0; tag < 300; tag++)
        access(tag), access(tag);
    access_all(10000, 11000);
    EXPECT_EQ(cached(0, 300), 0u);
    EXPECT_EQ(set().header().nr_main, 0u);
}

TEST_F(Replacement, clock2q_takes_who_comes_back_into_the_main_part) {
    init(512, FC_POLICY_CLOCK2Q);
    const Alone alone;
    access_all(0, 512);
    access_all(1000, 1100); // 100 had to go
    EXPECT_EQ(set().find(0), kNoWay);
    access_all(0, 100);
    EXPECT_GE(set().header().nr_main, 95u); // a bucket of ghosts may run over
    access_all(10000, 20000);
    EXPECT_GE(cached(0, 100), 95u);
}

TEST_F(Replacement, clock2q_leaves_a_tenth_to_the_probation) {
    init(512, FC_POLICY_CLOCK2Q);
    const Alone alone;
    for (u32 round = 0; round < 6; round++) {
        access_all(0, 512);
        access_all(1000 + 200 * round, 1200 + 200 * round);
    }
    EXPECT_LE(set().header().nr_main, 512u - 512 / 10);
    EXPECT_GT(set().header().nr_main, 300u);
    check();
}

// ---- all policies

class EachPolicy : public Replacement, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Replacement, EachPolicy,
                         ::testing::Values(FC_POLICY_FIFO, FC_POLICY_LRU, FC_POLICY_CLOCK2Q));

TEST_P(EachPolicy, never_gives_away_what_is_dirty_busy_or_pinned) {
    for (const u32 ways : {2u, 8u, 64u, 100u, 512u}) {
        init(ways, GetParam());
        const Alone alone;
        std::mt19937 random(ways);
        access_all(0, ways);
        std::vector<u32> kept;
        for (u32 way = 0; way < ways; way++)
            if (random() % 2) {
                kept.push_back(set().tag(way));
                if (random() % 3 == 0)
                    set().set_busy(way, true);
                else if (random() % 2)
                    set().set_dirty(way, true);
                else
                    ASSERT_EQ(set().pin(way, 1, random() % 2), 1u);
            }
        for (u32 i = 0; i < 20 * ways; i++)
            access(1000 + random() % (4 * ways));
        for (const u32 tag : kept)
            ASSERT_NE(set().find(tag), kNoWay) << ways;
        check();
    }
}

TEST_P(EachPolicy, finds_no_room_if_there_is_none_and_some_if_one_may_go) {
    init(64, GetParam());
    const Alone alone;
    access_all(0, 64);
    for (u32 i = 0; i < 64; i++)
        access(i);
    for (u32 way = 0; way < 64; way++)
        set().set_dirty(way, true);
    u32 first = 0, evicted = 0;
    EXPECT_EQ(set().allocate(4, kNoWay, first, evicted), 0u);
    set().set_dirty(37, false);
    EXPECT_EQ(set().allocate(4, kNoWay, first, evicted), 1u);
    EXPECT_EQ(first, 37u);
    EXPECT_EQ(evicted, 1u);
}

TEST_P(EachPolicy, counts_right_whatever_happens) {
    for (const u32 ways : {2u, 16u, 100u, 512u}) {
        init(ways, GetParam());
        const Alone alone;
        std::mt19937 random(ways);
        for (u32 i = 0; i < 40 * ways; i++) {
            const u32 way = random() % ways;
            switch (random() % 10) {
            case 0:
                if (set().valid(way))
                    set().set_dirty(way, random() % 2);
                break;
            case 1:
                if (set().valid(way) && !set().busy(way))
                    set().remove(way);
                break;
            case 2:
                set().mark_next_due(2);
                break;
            case 3:
                if (random() % ways == 0)
                    random() % 2 ? set().mark_due() : set().age();
                break;
            case 4:
                if (random() % ways == 0)
                    adopt(static_cast<int>(random() % FC_NR_POLICIES));
                break;
            default:
                access(random() % (2 * ways));
            }
        }
        check();
        if (set().header().policy == FC_POLICY_LRU)
            check_lists();
        set().forget_due();
        check();
    }
}

// ---- a cache

// Blocks in all sets of a world, read until they are cached.
void fill_all(World &w) {
    for (fc_u64 block = 0; block < 32; block++)
        w.make_clean(block);
}

std::vector<char> change(World &w, int policy, bool memory = true) {
    std::vector<char> lists(fc_core_policy_bytes(w.core, policy));
    fc_core_set_policy(w.core, policy, lists.empty() || !memory ? nullptr : lists.data());
    return lists;
}

TEST(Policy, a_change_reaches_each_set_and_loses_nothing) {
    World w;
    fill_all(w);
    w.make_dirty(40, 'd');
    const std::vector<char> lists = change(w, FC_POLICY_LRU);
    EXPECT_EQ(w.gauge(FC_GAUGE_POLICY), static_cast<fc_u64>(FC_POLICY_LRU));
    for (u32 set = 0; set < w.core->geo.nr_sets(); set++)
        EXPECT_EQ(fc::set_at(*w.core, set).header().policy, FC_POLICY_LRU);
    EXPECT_EQ(w.read_letter(40), 'd');
    for (fc_u64 block = 0; block < 200; block++)
        w.read(block), w.finish();
    EXPECT_EQ(w.read_letter(40), 'd');
    EXPECT_EQ(fc_core_set_policy(w.core, FC_POLICY_FIFO, nullptr), lists.data())
        << "not in use any more";
    EXPECT_EQ(w.gauge(FC_GAUGE_LRU_HOT), 0u);
    w.clean_all();
    EXPECT_EQ(w.origin_letter(40), 'd');
}

TEST(Policy, to_the_one_in_force_or_to_none_changes_nothing) {
    World w;
    char memory[8];
    EXPECT_EQ(fc_core_set_policy(w.core, FC_POLICY_CLOCK2Q, memory), memory);
    EXPECT_EQ(fc_core_set_policy(w.core, FC_NR_POLICIES, memory), memory);
    EXPECT_EQ(fc_core_set_policy(w.core, -1, memory), memory);
    EXPECT_EQ(fc_core_set_policy(w.core, FC_POLICY_LRU, nullptr), nullptr) << "lru needs memory";
    EXPECT_EQ(w.gauge(FC_GAUGE_POLICY), static_cast<fc_u64>(FC_POLICY_CLOCK2Q));
}

} // namespace
