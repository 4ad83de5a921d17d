// SPDX-License-Identifier: GPL-2.0-only
#include "allocation_groups.h"

#include <algorithm>

namespace tools {
namespace {

constexpr std::uint64_t kMostGroups = 29;
constexpr std::uint64_t kLeastGb = 16;
constexpr std::uint64_t kLimitGb = 1024; // XFS: below 1 TB

std::uint64_t least_gap(std::uint64_t count, std::uint64_t size, std::uint64_t cache) {
    std::vector<std::uint64_t> starts;
    for (std::uint64_t i = 0; i < count; i++)
        starts.push_back(i * size % cache);
    std::sort(starts.begin(), starts.end());
    std::uint64_t gap = starts.front() + cache - starts.back(); // around the end
    for (std::size_t i = 1; i < starts.size(); i++)
        gap = std::min(gap, starts[i] - starts[i - 1]);
    return gap;
}

} // namespace

std::vector<Agsize> possible_agsizes(std::uint64_t cache_gb, std::uint64_t volume_gb) {
    std::vector<Agsize> sizes;
    for (std::uint64_t count = 1; count <= kMostGroups; count++) {
        const std::uint64_t size = volume_gb / count;
        if (size >= kLeastGb && size < kLimitGb)
            sizes.push_back({count, size, least_gap(count, size, cache_gb)});
    }
    return sizes;
}

const Agsize &best_agsize(const std::vector<Agsize> &sizes) {
    return *std::max_element(sizes.begin(), sizes.end(), [](const Agsize &a, const Agsize &b) {
        return a.gap_gb < b.gap_gb;
    });
}

} // namespace tools
