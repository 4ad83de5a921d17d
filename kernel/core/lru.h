// SPDX-License-Identifier: GPL-2.0-only
//
// The lists of the policy lru: every cached block of a set is in the warm or in the hot list, the one
// that was not used for longest first.  Circular, with a sentinel each; which list a way is in, the set knows.
#pragma once

#include "types.h"

namespace fc {

class LruLists {
public:
	LruLists(char *memory, u32 ways)
		: next_(reinterpret_cast<u16 *>(memory)), prev_(next_ + ways + 2),
		  uses_(reinterpret_cast<u8 *>(prev_ + ways + 2)), ways_(ways) {}

	// Per set; a multiple of 8.
	static constexpr u64 bytes(u32 ways) { return round_up((ways + 2) * 4 + ways, 8); }

	void init()
	{
		for (u32 hot = 0; hot < 2; hot++) {
			const u32 end = ways_ + hot;
			next_[end] = prev_[end] = static_cast<u16>(end);
		}
	}

	u32 sentinel(bool hot) const { return ways_ + hot; }
	u32 oldest(bool hot) const { return next_[sentinel(hot)]; }	// a way, or the sentinel
	u32 younger(u32 way) const { return next_[way]; }		// likewise

	void push_youngest(u32 way, bool hot)
	{
		const u32 end = sentinel(hot);
		next_[way] = static_cast<u16>(end);
		prev_[way] = prev_[end];
		next_[prev_[end]] = static_cast<u16>(way);
		prev_[end] = static_cast<u16>(way);
	}

	void unlink(u32 way)
	{
		next_[prev_[way]] = next_[way];
		prev_[next_[way]] = prev_[way];
	}

	u8 &uses(u32 way) { return uses_[way]; }

private:
	u16 *next_;
	u16 *prev_;
	u8 *uses_;
	u32 ways_;
};

} // namespace fc
