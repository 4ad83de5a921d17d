// SPDX-License-Identifier: GPL-2.0-only
//
// A cache that runs, from what a user calls it.
#pragma once

#include <string>

#include "block_device.h"

namespace tools {

// The device-mapper name for a name or the path of a device node (/dev/mapper/x, /dev/dm-3, a
// link).  Throws Error if it can be neither.
std::string cache_name_of(const std::string &argument, const SystemRoots &roots = {});

// The cache's directory in /proc/flashcache and in /proc/sys/dev/flashcache.  Throws Error unless a
// device of this name is a cache.
std::string proc_label(const std::string &cache_name);

} // namespace tools
