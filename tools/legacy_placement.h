// SPDX-License-Identifier: GPL-2.0-only
//
// In which set flashcache 1 to 3 kept a block of the disk.
#pragma once

#include <array>
#include <cstdint>

#include "legacy_cache.h"

namespace tools {

// Regions of the disk were hashed with the kernel's jhash_1word(), which was changed twice.
enum class LegacyHash {
    kLookup2,       // until 2.6.36
    kLookup3,       // 2.6.37 to 4.4
    kLookup3Seeded, // since 4.5
};
inline constexpr std::array kLegacyHashes = {LegacyHash::kLookup2, LegacyHash::kLookup3,
                                             LegacyHash::kLookup3Seeded};

std::uint32_t jhash_1word(std::uint32_t word, std::uint32_t seed, LegacyHash hash);

// The set of the block at this sector of the disk.  The hash matters only to caches with a disk
// associativity.
std::uint64_t legacy_set(const LegacyCache &cache, std::uint64_t disk_sector, LegacyHash hash);

} // namespace tools
