// SPDX-License-Identifier: GPL-2.0-only
//
// The two devices of a cache that exists: found, and refused where they are not what they should be.
#pragma once

#include <string>

#include "block_device.h"
#include "core/abi.h"
#include "device_file.h"

namespace tools {

// What the superblocks say.  Throws Error if there is no cache that can be loaded.
fc_config require_loadable(const DeviceFile &ssd);

// The disk of the cache: at disk_path, which must be the one that is recorded, or ("") found.
BlockDevice disk_of_cache(const fc_config &config, const std::string &disk_path);

// Throws Error unless these are two devices, and the disk can be written to.
void require_pair(const BlockDevice &ssd, const BlockDevice &disk);

} // namespace tools
