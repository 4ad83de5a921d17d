// SPDX-License-Identifier: GPL-2.0-only
//
// Sequential streams: how much was read (or written) without a gap before a request.
//
// A table of where streams would go on, found by a hash of that sector; one word each: the sector and the length so
// far.  No lock: two CPUs that meet in an entry lose a stream at worst.  A new stream does not push out
// a longer one, but halves its length: what has ended fades away under random requests.
#pragma once

#include "atomic.h"
#include "types.h"

namespace fc {

class Streams {
public:
	// A request of n sectors at sector.  Returns the length of its stream in sectors, itself included.
	// The rest of a request that was cut short is not counted twice.  Any context.
	u32 note(u64 sector, u32 n)
	{
		u64 &here = entry(sector);
		const u64 known = peek(here);
		u64 &next = entry(sector + n);
		if (known && next_of(known) == sector) {
			post(here, u64{0});
			const u32 length = min_of(length_of(known) + n, kMaxLength);
			post(next, pack(sector + n, length));
			return length;
		}
		const u64 there = peek(next);
		if (there && next_of(there) == sector + n)
			return length_of(there);
		const u32 length = min_of(n, kMaxLength);
		const u32 other = length_of(there);
		post(next, other > length ? pack(next_of(there), other / 2) : pack(sector + n, length));
		return length;
	}

private:
	static constexpr u32 kBits = 9;
	static constexpr u32 kSectorBits = 40;
	static constexpr u32 kMaxLength = (1u << (64 - kSectorBits)) - 1;

	static u64 next_of(u64 word) { return word & low_bits(kSectorBits); }
	static u32 length_of(u64 word) { return static_cast<u32>(word >> kSectorBits); }
	static u64 pack(u64 sector, u32 length) { return (sector & low_bits(kSectorBits)) | u64{length} << kSectorBits; }

	// A multiplicative hash, Knuth, The Art of Computer Programming, vol. 3, 6.4.
	u64 &entry(u64 sector) { return table_[(sector * 0x9e3779b97f4a7c15ull) >> (64 - kBits)]; }

	u64 table_[1u << kBits];
};

} // namespace fc
