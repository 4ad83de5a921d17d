// SPDX-License-Identifier: GPL-2.0-only
//
// Words used everywhere in the core:
//
//   origin block   block_sectors of the origin, the unit of caching; numbered from 0
//   cache block    the same amount of the cache device; cache block = set * ways_per_set + way
//   set, way       an origin block may be cached in any way of one set
//   extent         neighbouring origin blocks that share a set
//   chunk          at most 64 neighbouring blocks of one extent; no request crosses chunks, so the
//                  blocks of a request or a job are one 64-bit mask
//   job            a state change in progress on blocks of a chunk (fill, write, writeback, ...)
//   unit           one logical block of the cache device, 512 or 4096 bytes, written atomically
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "abi.h"
#include "thread_annotations.h"

namespace fc {

static_assert(std::endian::native == std::endian::little, "the on-SSD format is little-endian");

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = fc_u64;

using Core = ::fc_core;
using Job = ::fc_job;
using Request = ::fc_request;
using Pending = ::fc_pending;
using Config = ::fc_config;

inline constexpr u32 kSectorBytes = 512;
inline constexpr u32 kNoWay = 0xffff;
inline constexpr u32 kMaxWays = 8192;

// A mask with the lowest n bits set, 0 <= n <= 64.
constexpr u64 low_bits(u32 n)
{
	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

// A mask of n bits from bit first on.
constexpr u64 bit_range(u32 first, u32 n)
{
	return low_bits(n) << first;
}

// std::popcount() would call libgcc, which a kernel module does not have.
constexpr u32 count_bits(u64 word)
{
	word -= word >> 1 & 0x5555555555555555ull;
	word = (word & 0x3333333333333333ull) + (word >> 2 & 0x3333333333333333ull);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0full;
	word += word >> 8;	// not by a multiplication: gcc would take that for a popcount, too
	word += word >> 16;
	word += word >> 32;
	return static_cast<u32>(word & 0x7f);
}

constexpr bool is_power_of_two(u64 value)
{
	return value && (value & (value - 1)) == 0;
}

template <typename T>
constexpr T min_of(T a, T b)
{
	return a < b ? a : b;
}

template <typename T>
constexpr T max_of(T a, T b)
{
	return a > b ? a : b;
}

constexpr u64 round_up(u64 value, u64 multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

} // namespace fc
