// SPDX-License-Identifier: GPL-2.0-only
//
// All that the metadata of an old cache says, and what is wrong with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "legacy_cache.h"

namespace tools {

struct LegacyScan {
    std::uint64_t valid_blocks = 0;   // dirty ones too
    std::vector<LegacySlot> dirty;    // that make sense, by place on the disk
    std::vector<std::string> damages; // sentences
};

// For a cache without contradictions in its superblock.  disk_sectors: of the disk that the blocks
// are to fit, or 0 if only the superblock's size is known.
LegacyScan scan_legacy(const DeviceFile &device, const LegacyCache &cache,
                       std::uint64_t disk_sectors);

} // namespace tools
