// SPDX-License-Identifier: GPL-2.0-only
#include "trace_replay.h"

#include <bit>

#include "error.h"

namespace tools {
namespace {

// There is one thread; the thread-safety analysis wants to hear of a lock.
class FC_SCOPED_CAPABILITY Alone {
public:
    Alone() FC_ACQUIRE(fc::set_lock) {}
    ~Alone() FC_RELEASE() {}
    Alone(const Alone &) = delete;
    Alone &operator=(const Alone &) = delete;
};

fc_config config_of(const ReplayShape &shape, std::uint64_t blocks) {
    fc_config config = {};
    config.block_sectors = 8;
    config.ways_per_set = shape.ways_per_set;
    config.extent_blocks = shape.extent_blocks;
    config.chunk_blocks = std::min(shape.extent_blocks, FC_JOB_MAX_BLOCKS);
    config.origin_sectors = blocks * config.block_sectors;
    config.nr_sets = (shape.cache_blocks + shape.ways_per_set - 1) / shape.ways_per_set;
    config.nr_blocks = config.nr_sets * shape.ways_per_set;
    return config;
}

} // namespace

// As the core has it for caches: a tag is a row of extents, and a block in the extent.
void require_fits(const ReplayShape &shape, std::uint64_t blocks) {
    constexpr std::uint64_t kTags = 0xffffffff;
    const fc_config config = config_of(shape, blocks);
    const std::uint64_t row = shape.extent_blocks * config.nr_sets;
    if ((blocks / row + 1) * shape.extent_blocks >= kTags)
        refuse("block {} of the trace is too high for a cache of {} blocks, which takes numbers "
               "below {}; choose a larger cache or number the blocks anew",
               blocks - 1, config.nr_blocks, (kTags - 1) / shape.extent_blocks * row - 1);
}

Replay::Replay(const ReplayShape &shape, std::uint64_t blocks) : shape_(shape) {
    require_fits(shape, blocks);
    geometry_.init(config_of(shape, blocks));
    layout_.init(shape.ways_per_set);
    layout_.shared = &shared_;
    shared_.policy = static_cast<fc::u32>(shape.policy);
    shared_.hot_pct = shape.lru_hot_pct;
    shared_.promote_uses = shape.lru_promote_thresh;
    const std::uint64_t sets = geometry_.nr_sets();
    const std::uint64_t each = fc::LruLists::bytes(shape.ways_per_set);
    memory_.resize(sets * layout_.bytes / 8);
    if (shape.policy == FC_POLICY_LRU)
        lists_.resize(sets * each / 8);
    const Alone alone;
    for (std::uint64_t i = 0; i < sets; i++) {
        fc::CacheSet set(layout_, reinterpret_cast<char *>(memory_.data()) + i * layout_.bytes);
        set.init();
        if (shape.policy == FC_POLICY_LRU)
            set.adopt_policy(reinterpret_cast<char *>(lists_.data()) + i * each);
    }
}

void Replay::fill(fc::CacheSet &set, std::uint32_t tag, std::uint32_t n) {
    const Alone alone;
    while (n) {
        const fc::u32 before = tag ? set.find(tag - 1) : fc::kNoWay;
        fc::u32 first = 0, evicted = 0;
        const fc::u32 got =
            set.allocate(n, before == fc::kNoWay ? fc::kNoWay : before + 1, first, evicted);
        if (!got)
            return;
        for (fc::u32 i = 0; i < got; i++)
            set.insert(first + i, tag + i);
        counts_.fills += got;
        counts_.runs++;
        tag += got;
        n -= got;
    }
}

void Replay::fill_missing(fc::CacheSet &set, std::uint32_t tag, std::uint64_t missing) {
    while (missing) {
        const auto bit = static_cast<std::uint32_t>(std::countr_zero(missing));
        const auto run = static_cast<std::uint32_t>(std::countr_one(missing >> bit));
        fill(set, tag + bit, run);
        missing &= ~fc::bit_range(bit, run);
    }
}

void Replay::access(std::uint64_t block, std::uint32_t nr_blocks) {
    const fc::Placement place = geometry_.place(block);
    fc::CacheSet set(layout_, reinterpret_cast<char *>(memory_.data()) +
                                  std::uint64_t{place.set} * layout_.bytes);
    std::uint64_t missing = 0;
    {
        const Alone alone;
        for (std::uint32_t i = 0; i < nr_blocks; i++) {
            counts_.references++;
            const fc::u32 way = set.find(place.tag + i);
            if (way != fc::kNoWay) {
                counts_.hits++;
                set.touch(way);
            } else if (!shape_.second_sight || set.seen_before(place.tag + i)) {
                missing |= 1ull << i;
            } else {
                set.remember(place.tag + i);
            }
        }
    }
    fill_missing(set, place.tag, missing);
}

} // namespace tools
