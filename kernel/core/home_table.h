// SPDX-License-Identifier: GPL-2.0-only
//
// The home table on the cache device: one slot for each cache block, in self-checking units.
// These functions know the format; what the slots should say comes from the caller.
#pragma once

#include "geometry.h"
#include "types.h"

namespace fc {

struct HomeSlot {
	u64 origin_block;
	u32 state;		// FC_DISK_*
	bool referenced;
};

class HomeTable {
public:
	void init(const Config &config);

	u32 slots_per_unit() const { return slots_per_unit_; }
	u64 nr_units() const { return nr_units_; }
	u32 unit_bytes() const { return unit_bytes_; }
	u64 unit_of(u32 slot) const { return slot / slots_per_unit_; }
	u64 sector_of(u64 unit) const { return offset_ + unit * (unit_bytes_ / kSectorBytes); }

	// An empty unit with its header; set_slot() fills it, seal() adds the checksum.
	void start_unit(void *unit, u64 index) const;
	static void set_slot(void *unit, u32 place, const HomeSlot &slot);
	void seal_unit(void *unit) const;

	// True if unit is number index of this cache and whole.
	[[nodiscard]] bool check_unit(const void *unit, u64 index) const;
	static HomeSlot get_slot(const void *unit, u32 place);

private:
	u32 unit_crc(const void *unit) const;

	u64 offset_;
	u64 nr_units_;
	u32 slots_per_unit_;
	u32 unit_bytes_;
	u32 seed_;
};

} // namespace fc
