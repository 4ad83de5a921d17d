// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

#include "core/abi.h"

namespace tools {

// Bytes of main memory that the kernel will use for a cache.
std::uint64_t memory_need_bytes(const fc_config &config);

} // namespace tools
