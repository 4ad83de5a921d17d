// SPDX-License-Identifier: GPL-2.0-only
//
// How many dirty blocks does a cache that is not in use hold?  Read from its home table and, on
// top of that, its log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/abi.h"
#include "device_file.h"

namespace tools {

struct MetadataScan {
    std::uint64_t dirty_blocks = 0;   // found; more may be hidden by damage
    std::vector<std::string> damages; // what could not be read or makes no sense, for messages

    std::string first_damage() const { return damages.empty() ? std::string() : damages.front(); }
};

// config: from probe_cache().  Counts a DIRTY record whose data never arrived as dirty: only the
// kernel, which reads the data, can tell.
MetadataScan scan_metadata(const DeviceFile &cache_device, const fc_config &config);

} // namespace tools
