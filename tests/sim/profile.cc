// SPDX-License-Identifier: GPL-2.0-only
#include "profile.h"

#include <algorithm>

namespace sim {

namespace {

void shape_devices(const std::string &kind, Rng &rng, Profile &p) {
    const uint32_t small_ways[] = {2, 2, 4, 8, 16};
    const uint32_t small_sets[] = {1, 1, 2, 3, 8};
    p.unit_bytes = rng.pick({512u, 512u, 4096u});
    p.block_sectors = p.unit_bytes == 4096 ? rng.pick({8u, 8u, 16u}) : rng.pick({1u, 1u, 2u, 8u});
    p.ways = rng.pick(small_ways);
    p.sets = static_cast<uint32_t>(rng.pick(small_sets));
    if (kind == "tiny") {
        p.ways = 2;
        p.sets = static_cast<uint32_t>(rng.between(1, 2));
    } else if (kind == "large") {
        p.block_sectors = std::max(p.block_sectors, rng.pick({1u, 8u, 8u, 128u}));
        p.ways = rng.pick({32u, 64u, 128u, 512u});
        p.sets = static_cast<uint32_t>(rng.between(1, 1024 / p.ways));
        if (p.block_sectors == 1 && rng.one_in(4)) // more than 64 home units
            p.sets = 4096 / p.ways;
    }
    p.extent_blocks = 1u << rng.below(kind == "large" ? 8 : 4);
    p.extent_blocks = std::min(p.extent_blocks, p.ways);
    const uint64_t cache_blocks = p.ways * p.sets;
    const uint64_t least = std::max<uint64_t>(cache_blocks / 2, 2);
    const uint64_t most = std::min<uint64_t>(cache_blocks * 4, 40000 / p.block_sectors);
    const uint64_t blocks = rng.between(least, std::max(most, least + 8));
    // Sometimes the last block is short; in units of the logical block size.
    const uint32_t grain = p.unit_bytes / 512;
    p.origin_sectors = blocks * p.block_sectors - rng.below(p.block_sectors / grain) * grain;
    p.cache_volatile = rng.coin();
    p.origin_volatile = rng.coin();
    p.discard_zeroes = rng.coin();
    p.discards = !rng.one_in(4);
}

void shape_workload(Rng &rng, Profile &p) {
    p.max_ops = static_cast<uint32_t>(rng.between(1, rng.pick({2, 8, 8, 40, 40, 40, 400})));
    p.reads = static_cast<uint32_t>(rng.between(1, 8));
    p.writes = static_cast<uint32_t>(rng.between(1, 8));
    p.flushes = static_cast<uint32_t>(rng.below(3));
    p.discards_weight = p.discards && rng.one_in(3) ? 1 : 0;
    p.zeroes_weight = p.discards && rng.one_in(3) ? 1 : 0;
    p.fua_per_mille = rng.pick({0u, 30u, 300u});
    p.scribble_per_mille = rng.pick({0u, 0u, 100u});
    p.max_sectors = p.block_sectors * rng.pick({1u, 2u, 4u, 16u, 100u});
    p.hot_sectors = rng.coin() ? p.origin_sectors : rng.between(1, p.origin_sectors);
    p.streams = rng.one_in(3);
}

void shape_scheduling(Rng &rng, Profile &p) {
    const uint32_t speeds[] = {1, 4, 4, 20};
    p.cache_speed = rng.pick(speeds);
    p.origin_speed = rng.pick(speeds);
    p.client_speed = rng.pick(speeds);
    p.task_speed = rng.pick(speeds);
    p.tick_us = rng.pick({1u, 50u, 2000u});
    p.preempt_per_mille = rng.pick({0u, 20u, 200u});
    p.lazy_per_mille = rng.pick({0u, 0u, 20u, 200u});
    p.no_memory_per_mille = rng.pick({0u, 0u, 20u, 300u});
    p.max_jobs = rng.pick({1000u, 1000u, 16u, 4u});
}

// Many state changes, so that the log goes round and fills up.
void press_the_log(Rng &rng, Profile &p) {
    p.mode = FC_MODE_WRITE_BACK;
    p.change_modes = false;
    p.reads = 1;
    p.writes = 10;
    p.zeroes_weight = p.discards && rng.coin() ? 2 : 0;
    p.max_sectors = p.block_sectors * rng.pick({1u, 1u, 8u});
    p.hot_sectors = p.origin_sectors;
    p.max_ops = static_cast<uint32_t>(rng.between(8, 60));
    p.steps_per_operator = 20000;
    if (p.steps_per_cut)
        p.steps_per_cut = rng.pick({1500u, 6000u, 15000u});
}

} // namespace

bool make_profile(const std::string &kind, Rng &rng, Profile &p) {
    const char *const kinds[] = {"calm", "cuts", "errors", "damage", "tiny", "large", "any"};
    if (std::none_of(std::begin(kinds), std::end(kinds), [&](auto k) { return kind == k; }))
        return false;
    std::string shape = kind;
    if (kind == "any")
        shape = rng.pick({"tiny", "cuts", "cuts", "cuts", "cuts", "large", "calm"});
    shape_devices(shape, rng, p);
    shape_workload(rng, p);
    shape_scheduling(rng, p);
    p.mode = rng.pick({FC_MODE_WRITE_BACK, FC_MODE_WRITE_BACK, FC_MODE_WRITE_BACK,
                       FC_MODE_WRITE_THROUGH, FC_MODE_WRITE_AROUND, FC_MODE_WRITE_ONLY});
    p.change_modes = rng.one_in(3);
    p.steps_per_operator = rng.pick({300u, 1000u, 5000u});
    if (shape != "calm")
        p.steps_per_cut = rng.pick({60u, 300u, 1500u, 6000u});
    if (rng.one_in(5))
        press_the_log(rng, p);
    if (kind == "errors") {
        p.cache_errors_per_100k = rng.pick({0u, 30u, 300u, 3000u});
        p.origin_errors_per_100k = rng.pick({0u, 30u, 300u, 3000u});
        p.steps_per_outage = rng.pick({0u, 2000u});
    }
    if (kind == "damage") {
        p.damage_per_mille = rng.pick({300u, 700u});
        p.steps_per_damage = rng.pick({0u, 0u, 300u, 3000u});
    }
    return true;
}

} // namespace sim
