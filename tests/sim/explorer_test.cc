// SPDX-License-Identifier: GPL-2.0-only
// The explorer tries all there is.
#include <gtest/gtest.h>

#include <set>

#include "explorer.h"

namespace sim {
namespace {

const Scenario &scenario(const std::string &name) {
    for (const Scenario &s : scenarios())
        if (name == s.name)
            return s;
    throw Failure{"no scenario " + name, ~0ull};
}

ExploreCounts explore(const std::string &name, const ExploreLimits &limits) {
    Explorer explorer(scenario(name), limits);
    EXPECT_TRUE(explorer.run()) << explorer.failure() << "\nhistory: " << explorer.history();
    return explorer.counts();
}

CutUnit unit(int dev, uint64_t sector, size_t values) {
    CutUnit u{dev, {sector, {}}};
    for (size_t v = 0; v < values; v++)
        u.unit.values.push_back({Sector::user(sector, v + 2)});
    return u;
}

TEST(Explorer, stopping_at_states_that_were_visited_loses_no_outcome_of_a_power_cut) {
    for (const char *name : {"overwrite", "fill"}) {
        ExploreLimits all;
        all.merge = false;
        const ExploreCounts merged = explore(name, {}), every = explore(name, all);
        EXPECT_TRUE(merged.complete && every.complete);
        EXPECT_EQ(merged.recoveries, every.recoveries) << name;
        EXPECT_LT(merged.histories, every.histories) << name;
    }
}

// (The number of states depends a little on where in memory objects lay.)
TEST(Explorer, comes_to_the_same_outcomes_twice) {
    EXPECT_EQ(explore("discard", {}).recoveries, explore("discard", {}).recoveries);
}

TEST(Explorer, says_when_a_limit_ended_it) {
    ExploreLimits few;
    few.states = 50;
    EXPECT_FALSE(explore("discard", few).complete);
}

TEST(CutOutcomes, are_all_combinations_when_these_are_few) {
    bool sampled = true;
    const auto all = cut_outcomes({unit(0, 5, 1), unit(0, 6, 2), unit(1, 0, 1)}, sampled, 12);
    EXPECT_FALSE(sampled);
    EXPECT_EQ(all.size(), 2u * 3u * 2u);
    EXPECT_EQ(std::set(all.begin(), all.end()).size(), all.size());
    EXPECT_EQ(cut_outcomes({}, sampled, 12).size(), 1u);
}

TEST(CutOutcomes, hold_each_unit_alone_and_each_left_out_when_these_are_many) {
    bool sampled = false;
    const auto some = cut_outcomes({unit(0, 5, 1), unit(0, 6, 1), unit(1, 0, 1)}, sampled, 7);
    EXPECT_TRUE(sampled);
    const std::set<std::vector<size_t>> set(some.begin(), some.end());
    for (const std::vector<size_t> &wanted : {std::vector<size_t>{0, 0, 0},
                                              {1, 1, 1},
                                              {0, 1, 1},
                                              {1, 0, 1},
                                              {1, 1, 0},
                                              {1, 0, 0},
                                              {0, 1, 0},
                                              {0, 0, 1}})
        EXPECT_TRUE(set.count(wanted)) << wanted[0] << wanted[1] << wanted[2];
}

} // namespace
} // namespace sim
