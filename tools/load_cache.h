// SPDX-License-Identifier: GPL-2.0-only
//
// Starting a cache that exists on an SSD.
//
// Nothing that stands on the SSD is believed: names and paths are checked before they are used,
// and the disk must be the one that the cache was made for.
#pragma once

#include "options.h"

namespace tools {

// Throws Error; no device is left then.
void load_cache(const LoadOptions &options);

} // namespace tools
