// SPDX-License-Identifier: GPL-2.0-only
//
// What flashcache_create checks and decides before it writes anything.
#pragma once

#include <cstdint>

#include "block_device.h"
#include "core/abi.h"
#include "device_file.h"
#include "options.h"

namespace tools {

// Throws Error if the two cannot be a cache and its disk: read-only, empty, zoned, one part of the other,
// two ways to one device.
void check_pair(const BlockDevice &ssd, const BlockDevice &disk);

// Throws Error if the SSD holds a cache (of any release of flashcache), or, unless force, if it
// holds anything else that is known.
void check_ssd_contents(const DeviceFile &ssd, bool force);

// Throws Error if a partition of the SSD holds a cache, which nobody may know of while it is stopped.
void check_partitions(const BlockDevice &ssd);

// The geometry for the options and devices, without names and identity.  Throws Error.
fc_config plan_cache(const CreateOptions &options, const BlockDevice &ssd, const BlockDevice &disk);

// Adds what the cache knows itself and its disk by: a random UUID, its name, the disk's identity
// and path, the time.
void add_identity(fc_config &config, const CreateOptions &options, const BlockDevice &disk);

// Bytes on the SSD that are not cache blocks.
std::uint64_t metadata_bytes(const fc_config &config);

} // namespace tools
