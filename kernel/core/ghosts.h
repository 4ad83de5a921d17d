// SPDX-License-Identifier: GPL-2.0-only
//
// The ghosts of a set: fingerprints of blocks that went lately, or that were not let in, so that who
// comes back is known.  16 bits each, in buckets of four of which the oldest goes first; half as many as the set
// has ways.  A wrong match (1 in 16,000) costs a misplaced block, nothing else.
#pragma once

#include "types.h"

namespace fc {

class Ghosts {
public:
	// memory: bytes(ways), zero when empty
	Ghosts(char *memory, u32 ways) : at_(reinterpret_cast<u64 *>(memory)), mask_(buckets(ways) - 1) {}

	static constexpr u32 bytes(u32 ways) { return buckets(ways) * static_cast<u32>(sizeof(u64)); }

	bool has(u32 tag) const
	{
		const u32 h = hash(tag);
		return find(at_[h & mask_], h >> 16) != kNone;
	}

	void add(u32 tag)
	{
		const u32 h = hash(tag);
		u64 &bucket = at_[h & mask_];
		drop(bucket, find(bucket, h >> 16));
		bucket = bucket << 16 | print(h >> 16);
	}

	// True if it was there; it is gone then.
	bool take(u32 tag)
	{
		const u32 h = hash(tag);
		u64 &bucket = at_[h & mask_];
		const u32 place = find(bucket, h >> 16);
		drop(bucket, place);
		return place != kNone;
	}

private:
	static constexpr u32 kPlaces = 4;
	static constexpr u32 kNone = kPlaces;

	static constexpr u32 buckets(u32 ways) { return ways < 16 ? 1 : ways / 8; }

	// The finalizer of MurmurHash3.
	static u32 hash(u32 tag)
	{
		tag = (tag ^ (tag >> 16)) * 0x85ebca6bu;
		tag = (tag ^ (tag >> 13)) * 0xc2b2ae35u;
		return tag ^ (tag >> 16);
	}

	static u64 print(u32 bits) { return bits ? bits : 1; }		// 0: the place is empty

	static u32 find(u64 bucket, u32 bits)
	{
		u32 place = 0;
		while (place < kPlaces && (bucket >> (16 * place) & 0xffff) != print(bits))
			place++;
		return place;
	}

	static void drop(u64 &bucket, u32 place)
	{
		if (place == kNone)
			return;
		const u64 younger = bucket & low_bits(16 * place);
		const u64 older = place + 1 < kPlaces ? bucket >> (16 * (place + 1)) : 0;
		bucket = younger | older << (16 * place);
	}

	u64 *at_;
	u32 mask_;
};

} // namespace fc
