// SPDX-License-Identifier: GPL-2.0-only
//
// A trace of block numbers through the core's own placement and replacement: what a cache of some
// size and policy would have kept.  No devices and no time: each reference is served at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache.h"

namespace tools {

struct ReplayShape {
    std::uint64_t cache_blocks = 0; // rounded up to whole sets
    std::uint32_t ways_per_set = 512;
    std::uint32_t extent_blocks = 64; // neighbours that share a set
    int policy = FC_POLICY_CLOCK2Q;
    bool second_sight = false; // admission
    std::uint32_t lru_hot_pct = 75;
    std::uint32_t lru_promote_thresh = 2;
};

struct ReplayCounts {
    std::uint64_t references = 0;
    std::uint64_t hits = 0;
    std::uint64_t fills = 0; // blocks written to the cache device after a miss
    std::uint64_t runs = 0;  // in so many I/Os
    double hit_pct() const { return share(hits); }
    double fill_pct() const { return share(fills); }

private:
    double share(std::uint64_t n) const {
        return references ? 100.0 * static_cast<double>(n) / static_cast<double>(references) : 0;
    }
};

// Throws Error if a cache of this shape cannot tell so many blocks apart by its tags.
void require_fits(const ReplayShape &shape, std::uint64_t blocks);

class Replay {
public:
    // blocks: the highest number that will come, and one more; what require_fits() takes.
    Replay(const ReplayShape &shape, std::uint64_t blocks);

    // One request of neighbouring blocks, which does not cross an extent.
    void access(std::uint64_t block, std::uint32_t nr_blocks = 1);
    const ReplayCounts &counts() const { return counts_; }
    std::uint64_t cache_blocks() const { return geometry_.nr_blocks(); }

private:
    void fill(fc::CacheSet &set, std::uint32_t tag, std::uint32_t n);
    void fill_missing(fc::CacheSet &set, std::uint32_t tag, std::uint64_t missing);

    ReplayShape shape_;
    fc::Geometry geometry_;
    fc::SetLayout layout_ = {};
    fc::SetsShared shared_ = {};
    std::vector<std::uint64_t> memory_;
    std::vector<std::uint64_t> lists_;
    ReplayCounts counts_;
};

} // namespace tools
