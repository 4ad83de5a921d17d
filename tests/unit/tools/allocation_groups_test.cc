// SPDX-License-Identifier: GPL-2.0-only
#include "allocation_groups.h"

#include <gtest/gtest.h>

namespace tools {
namespace {

TEST(AllocationGroups, are_1_to_29_of_16_gb_to_1_tb) {
    for (const std::uint64_t volume : {16u, 100u, 1000u, 5000u, 29000u})
        for (const Agsize &size : possible_agsizes(300, volume)) {
            EXPECT_GE(size.count, 1u);
            EXPECT_LE(size.count, 29u);
            EXPECT_GE(size.size_gb, 16u);
            EXPECT_LT(size.size_gb, 1024u);
            EXPECT_LE(size.count * size.size_gb, volume);
        }
    EXPECT_EQ(possible_agsizes(300, 15).size(), 0u);
    EXPECT_EQ(possible_agsizes(300, 29 * 1024).size(), 0u);
    EXPECT_EQ(possible_agsizes(300, 29 * 1024 - 1).size(), 1u);
}

TEST(AllocationGroups, starts_that_fall_together_have_no_gap) {
    // 10 groups of 300 GB, and a cache of 300 GB: all start in the same place.
    for (const Agsize &size : possible_agsizes(300, 3000))
        if (size.count == 10) {
            EXPECT_EQ(size.gap_gb, 0u);
        }
}

TEST(AllocationGroups, the_best_has_the_largest_gap_and_then_the_fewest_groups) {
    const auto sizes = possible_agsizes(300, 3000);
    const Agsize &best = best_agsize(sizes);
    for (const Agsize &size : sizes) {
        EXPECT_LE(size.gap_gb, best.gap_gb);
        if (size.gap_gb == best.gap_gb) {
            EXPECT_GE(size.count, best.count);
        }
    }
    // By hand: 4 groups of 750 GB start at 0, 150, 0, 150; 3 of 1000 at 0, 100, 200.
    EXPECT_EQ(best.count, 3u);
    EXPECT_EQ(best.gap_gb, 100u);
}

} // namespace
} // namespace tools
