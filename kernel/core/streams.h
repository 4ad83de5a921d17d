// SPDX-License-Identifier: GPL-2.0-only
//
// Sequential streams: how much was read (or written) without a gap before a request.
//
// A table of where streams would go on, in buckets found by a hash of that sector; a word each: the sector, and the
// length so far.  A bucket is one cache line, of which the shortest stream goes; but a new one
// does not push out a longer one, it halves its length: what has ended fades away under random requests.  No lock: two
// CPUs that meet in a word lose a stream at worst.
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
		Bucket &next = bucket(sector + n);
		u32 length = min_of(n, kMaxLength);
		if (u64 *known = find(bucket(sector), sector)) {
			length = min_of(length_of(peek(*known)) + n, kMaxLength);
			post(*known, u64{0});
		} else if (const u64 *rest = find(next, sector + n)) {
			return length_of(peek(*rest));
		}
		put(next, sector + n, length);
		return length;
	}

private:
	static constexpr u32 kPlaces = 8;
	static constexpr u32 kBucketBits = 7;
	static constexpr u32 kSectorBits = 40;
	static constexpr u32 kMaxLength = (1u << (64 - kSectorBits)) - 1;

	struct Bucket {
		u64 place[kPlaces];		// 0: empty
	};

	static u64 next_of(u64 word) { return word & low_bits(kSectorBits); }
	static u32 length_of(u64 word) { return static_cast<u32>(word >> kSectorBits); }
	static u64 pack(u64 sector, u32 length) { return (sector & low_bits(kSectorBits)) | u64{length} << kSectorBits; }

	// A multiplicative hash, Knuth, The Art of Computer Programming, vol. 3, 6.4.
	Bucket &bucket(u64 sector) { return table_[(sector * 0x9e3779b97f4a7c15ull) >> (64 - kBucketBits)]; }

	static u64 *find(Bucket &in, u64 sector)
	{
		for (u64 &place : in.place)
			if (const u64 word = peek(place); word && next_of(word) == sector)
				return &place;
		return nullptr;
	}

	static void put(Bucket &in, u64 sector, u32 length)
	{
		u64 *shortest = in.place;
		for (u64 &place : in.place)
			if (length_of(peek(place)) < length_of(peek(*shortest)))
				shortest = &place;
		const u64 other = peek(*shortest);
		if (length_of(other) > length)
			post(*shortest, pack(next_of(other), length_of(other) / 2));
		else
			post(*shortest, pack(sector, length));
	}

	Bucket table_[1u << kBucketBits];
};

} // namespace fc
