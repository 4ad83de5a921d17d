// SPDX-License-Identifier: GPL-2.0-only
//
// Starting a cache whose metadata is on the SSD: what flashcache_create and _load have in common.
#pragma once

#include <string>

#include "core/abi.h"
#include "settings.h"
#include "table_line.h"

namespace tools {

// The UUID of the cache's device-mapper device: "FLASHCACHE-" and 32 hexadecimal digits.
std::string device_uuid(const fc_config &config);

// Throws Error if a device-mapper device has the name already.
void require_unused_name(const std::string &name);

// Creates the device.  verbose: prints the table line first.  Throws Error; no device is left then.
void start_cache(const Table &table, const fc_config &config, bool verbose);

// Settings that the table line does not take, to a cache that has been started.  It runs without those
// that fail, and a warning says so.
void apply_sysctls(const std::string &cache_name, const Settings &settings) noexcept;

} // namespace tools
