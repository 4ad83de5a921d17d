// SPDX-License-Identifier: GPL-2.0-only
//
// The dirty blocks of a cache that is not in use are written to its disk.
#pragma once

#include <cstdint>
#include <functional>

#include "core/abi.h"
#include "device_file.h"
#include "legacy_cache.h"
#include "legacy_scan.h"

namespace tools {

// Asked some times a second, with the number of blocks that are still dirty; false: stop.
using GoOn = std::function<bool(std::uint64_t left)>;

struct Writeback {
    std::uint64_t dirty = 0; // blocks, when it began
    std::uint64_t left = 0;  // that are dirty still
    int error = 0;           // errno of the first I/O that failed
};

// What would be written.  Changes neither device.  Throws Error if the cache cannot be loaded.
std::uint64_t count_dirty(const DeviceFile &ssd, const DeviceFile &disk, const fc_config &config);

// config: from probe_cache().  Ends with an orderly stop, also when told to stop: so it can be run
// again, or the cache be loaded.  Throws Error if the cache cannot be loaded.
Writeback write_back(const DeviceFile &ssd, const DeviceFile &disk, const fc_config &config,
                     const GoOn &go_on);

// scan: of this cache, for this disk.  What has been written is marked clean on the SSD once the
// disk has been flushed, so it can be run again.
Writeback write_back_legacy(const DeviceFile &ssd, const DeviceFile &disk, const LegacyCache &cache,
                            const LegacyScan &scan, const GoOn &go_on);

} // namespace tools
