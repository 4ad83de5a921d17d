// SPDX-License-Identifier: GPL-2.0-only
// What kind of world a seed makes: sizes, workload, dangers.
#ifndef FLASHCACHE_TESTS_SIM_PROFILE_H
#define FLASHCACHE_TESTS_SIM_PROFILE_H

#include <cstdint>
#include <string>

#include "abi.h"
#include "rng.h"

namespace sim {

struct Profile {
    // Devices and geometry.
    uint32_t unit_bytes = 512;
    uint32_t block_sectors = 1;
    uint32_t ways = 2;
    uint32_t sets = 1;
    uint32_t extent_blocks = 2;
    uint64_t origin_sectors = 0;
    bool cache_volatile = false, origin_volatile = false;
    bool discard_zeroes = true;
    bool discards = true; // the origin knows discard and write-zeroes

    // Life.
    uint32_t mode = FC_MODE_WRITE_BACK;
    bool change_modes = false;
    uint32_t steps_per_cut = 0;      // mean; 0: never
    uint32_t steps_per_operator = 0; // mean pause of the operator between two actions

    // Workload: weights of the kinds of operations, and their shape.
    uint32_t max_ops = 8;
    uint32_t reads = 4, writes = 4, flushes = 1, discards_weight = 0, zeroes_weight = 0;
    uint32_t fua_per_mille = 50;
    uint32_t scribble_per_mille = 0; // writes whose memory changes under way
    uint32_t max_sectors = 8;
    uint64_t hot_sectors = 0; // most operations stay within so many
    bool streams = false;     // long runs of neighbouring operations

    // Scheduling weights.
    uint32_t cache_speed = 4, origin_speed = 4, client_speed = 4, task_speed = 8;
    uint32_t tick_us = 50;
    uint32_t preempt_per_mille = 0;
    bool early_effects = true; // I/Os take effect before they complete, by chance
    uint32_t lazy_per_mille = 0; // I/Os that take much longer than others

    // Memory.
    uint32_t no_memory_per_mille = 0;
    uint32_t max_jobs = 1000;

    // Faults.
    uint32_t cache_errors_per_100k = 0, origin_errors_per_100k = 0;
    uint32_t steps_per_outage = 0; // mean; 0: never

    uint32_t damage_per_mille = 0; // at a load: metadata has gone bad
    uint32_t steps_per_damage = 0; // mean, while the cache is in use; 0: never

    bool faulty() const {
        return cache_errors_per_100k || origin_errors_per_100k || steps_per_outage;
    }
};

// @kind: "calm" (no power cuts), "cuts", "errors" (I/O errors too),
// "damage" (metadata goes bad), "tiny", "large" or "any".
// False if there is no such kind.
bool make_profile(const std::string &kind, Rng &rng, Profile &profile);

} // namespace sim

#endif
