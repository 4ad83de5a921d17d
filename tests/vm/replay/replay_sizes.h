// SPDX-License-Identifier: GPL-2.0-only
//
// The devices whose writes are logged and replayed.  Small: each replay reads all of them.
#pragma once

#include <cstdint>

namespace vm {

inline constexpr std::uint64_t kReplaySsdSectors = 10 * 2048; // a cache of 4 MiB and its metadata
inline constexpr std::uint64_t kReplayDiskSectors = 8 * 2048;
// Cells that begin and end within blocks; together larger than the cache.
inline constexpr std::uint32_t kReplayCellBytes = 1536;
inline constexpr std::uint32_t kReplayCells = 5000;

} // namespace vm
