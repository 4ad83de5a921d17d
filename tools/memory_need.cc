// SPDX-License-Identifier: GPL-2.0-only
#include "memory_need.h"

namespace tools {

std::uint64_t memory_need_bytes(const fc_config &config) {
    // What the design allows for each block, and the log's buffers.
    constexpr std::uint64_t kBytesPerBlock = 12;
    constexpr std::uint64_t kFixedBytes = 1024 * 1024;
    return config.nr_blocks * kBytesPerBlock + kFixedBytes;
}

} // namespace tools
