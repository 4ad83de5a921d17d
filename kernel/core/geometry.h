// SPDX-License-Identifier: GPL-2.0-only
//
// Where things are: the layout of the cache device and the placement of origin blocks in sets.
#pragma once

#include "types.h"

namespace fc {

inline constexpr u32 kMinLogBytes = 128 * 1024;
inline constexpr u32 kMaxLogBytes = 256 * 1024 * 1024;
inline constexpr u32 kDataAlignSectors = 2048;		// 1 MiB, an erase block's usual multiple

constexpr u32 home_slots_per_unit(u32 unit_bytes)
{
	return (unit_bytes - sizeof(fc_disk_home_header)) / sizeof(fc_disk_home_slot);
}

constexpr u32 log_records_per_unit(u32 unit_bytes)
{
	return (unit_bytes - sizeof(fc_disk_log_header)) / sizeof(fc_disk_log_record);
}

// FC_OK if the numbers of config agree with each other and with the device sizes; else FC_E_*.
[[nodiscard]] fc_status check_geometry(const Config &config);

// Derive the chunk, the longest piece that one job handles, from extent and block size.
void set_chunk(Config &config);

// Where an origin block may live.  A tag and a set determine the origin block.
struct Placement {
	u32 set;
	u32 tag;
};

// Placement and addresses.  Extents go to neighbouring sets in order, a row of nr_sets extents at
// a time; each row is rotated by a hash of its number.  So neighbouring regions of a row never share a set,
// a region as large as the cache fills every set evenly, and a stride of any length (allocation
// groups, stripes) is spread by the rotation.  The mapping is a bijection: (set, tag) <-> block.
class Geometry {
public:
	void init(const Config &config);

	Placement place(u64 origin_block) const
	{
		const u64 extent = origin_block >> extent_shift_;
		const u64 row = extent / nr_sets_;
		u32 set = static_cast<u32>(extent - row * nr_sets_) + rotation(row);
		if (set >= nr_sets_)
			set -= nr_sets_;
		return {set, static_cast<u32>(row << extent_shift_) |
				     (static_cast<u32>(origin_block) & ((1u << extent_shift_) - 1))};
	}

	u64 origin_block(u32 set, u32 tag) const
	{
		const u64 row = tag >> extent_shift_;
		const u32 turn = rotation(row);
		const u32 column = set >= turn ? set - turn : set + nr_sets_ - turn;
		return (row * nr_sets_ + column) << extent_shift_ | (tag & low_bits(extent_shift_));
	}

	u64 data_sector(u32 set, u32 way) const
	{
		return data_offset_ + ((static_cast<u64>(set) * ways_ + way) << block_shift_);
	}

	u32 nr_sets() const { return nr_sets_; }
	u32 ways() const { return ways_; }
	u32 block_shift() const { return block_shift_; }
	u32 block_sectors() const { return 1u << block_shift_; }
	u32 chunk_shift() const { return chunk_shift_; }
	u32 chunk_blocks() const { return 1u << chunk_shift_; }
	u64 nr_blocks() const { return static_cast<u64>(nr_sets_) * ways_; }
	u64 origin_blocks() const { return origin_blocks_; }

private:
	u32 rotation(u64 row) const
	{
		// The finalizer of MurmurHash3, then a multiply in place of a modulo.
		u32 h = static_cast<u32>(row ^ (row >> 32));
		h = (h ^ (h >> 16)) * 0x85ebca6bu;
		h = (h ^ (h >> 13)) * 0xc2b2ae35u;
		h ^= h >> 16;
		return static_cast<u32>((static_cast<u64>(h) * nr_sets_) >> 32);
	}

	u32 nr_sets_;
	u32 ways_;
	u32 extent_shift_;
	u32 block_shift_;
	u32 chunk_shift_;
	u64 data_offset_;
	u64 origin_blocks_;
};

} // namespace fc
