// SPDX-License-Identifier: GPL-2.0-only
//
// How many allocation groups an XFS on a cached volume should have.  A group's metadata stands at its
// start; where the place in the cache is the place on the disk modulo the size of the cache, starts
// that fall together share a set.
#pragma once

#include <cstdint>
#include <vector>

namespace tools {

struct Agsize {
    std::uint64_t count = 0;   // of groups
    std::uint64_t size_gb = 0; // of each but the last
    std::uint64_t gap_gb = 0;  // the least distance of two starts in the cache
};

// 1 to 29 groups of 16 GB to 1 TB; empty if the volume is too small or too large for that.
std::vector<Agsize> possible_agsizes(std::uint64_t cache_gb, std::uint64_t volume_gb);

// The one whose starts are farthest from each other; of several, with the fewest groups.
const Agsize &best_agsize(const std::vector<Agsize> &sizes);

} // namespace tools
