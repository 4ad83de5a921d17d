// SPDX-License-Identifier: GPL-2.0-only
//
// Caches on an SSD that flashcache 1 to 3 made in write-back mode (its superblock versions 1 to 4):
// recognised so that they are not overwritten, and destroyed when asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "device_file.h"

namespace tools {

struct LegacyCache {
    std::uint32_t version = 0;
    std::uint64_t nr_blocks = 0;
    std::uint32_t block_sectors = 0;
    std::uint32_t metadata_block_sectors = 0;
    std::string disk_path; // as recorded; anything may stand here
};

// The cache, if the device's first sector carries one of the four state words of a superblock.
// Throws Error if the device cannot be read.
std::optional<LegacyCache> find_legacy_cache(const DeviceFile &device);

// The number of dirty blocks; nothing if the superblock contradicts itself or the metadata cannot
// be read, so that dirty blocks cannot be excluded.
std::optional<std::uint64_t> count_legacy_dirty(const DeviceFile &device, const LegacyCache &cache);

// Clears the state word, as the old flashcache_destroy did.  Throws Error.
void wipe_legacy_cache(const DeviceFile &device);

} // namespace tools
