// SPDX-License-Identifier: GPL-2.0-only
//
// Caches on an SSD that flashcache 1 to 3 made in write-back mode (its superblock versions 1 to 4):
// recognised so that they are not overwritten, read so that they can be checked and written back,
// and destroyed when asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "device_file.h"

namespace tools {

// How the old kernel left it.
enum class LegacyStop {
    kUnclean, // it was running; only dirty blocks count
    kClean,   // nothing is dirty
    kFast,    // in good order, with dirty blocks
    kFailed,  // some of the metadata could not be written; the old kernel loads it no more
};

struct LegacyCache {
    std::uint32_t version = 0;
    LegacyStop stop = LegacyStop::kUnclean;
    std::uint64_t nr_blocks = 0;
    std::uint32_t block_sectors = 0;
    std::uint32_t associativity = 0; // blocks
    std::uint32_t metadata_block_sectors = 0;
    std::uint32_t disk_associativity_sectors = 0; // 0: regions are not hashed
    bool write_only = false;
    std::uint64_t disk_sectors = 0;
    std::string name;      // as recorded; anything may stand in these two
    std::string disk_path;
};

// What the metadata says of a cache block.
struct LegacySlot {
    std::uint64_t number = 0;
    std::uint64_t disk_sector = 0;
    std::uint32_t state = 0;

    bool valid() const { return (state & 0x2) != 0; }
    bool dirty() const { return (state & 0x40) != 0; }
    // Other bits are never on an SSD.
    bool sensible() const { return state == 0x1 || state == 0x2 || state == 0x42; }
};

// The cache, if the device's first sector carries one of the four state words of a superblock.
// Throws Error if the device cannot be read.
std::optional<LegacyCache> find_legacy_cache(const DeviceFile &device);

// What is wrong with the numbers of the superblock, as a sentence; "" if they fit each other and
// the device.
std::string legacy_contradiction(const DeviceFile &device, const LegacyCache &cache);

// For a cache without contradictions: shows each slot.  Returns errno, or 0.
[[nodiscard]] int for_each_legacy_slot(const DeviceFile &device, const LegacyCache &cache,
                                       const std::function<void(const LegacySlot &)> &visit);

// Where a cache block's data, and the byte of the device where its slot is.
std::uint64_t legacy_data_sector(const LegacyCache &cache, std::uint64_t slot);
std::uint64_t legacy_slot_byte(const LegacyCache &cache, std::uint64_t slot);

// The number of dirty blocks; nothing if the superblock contradicts itself or the metadata cannot
// be read, so that dirty blocks cannot be excluded.
std::optional<std::uint64_t> count_legacy_dirty(const DeviceFile &device, const LegacyCache &cache);

// Clears the state word, as the old flashcache_destroy did.  Throws Error.
void wipe_legacy_cache(const DeviceFile &device);

} // namespace tools
