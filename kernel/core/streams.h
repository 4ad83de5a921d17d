// SPDX-License-Identifier: GPL-2.0-only
//
// Sequential streams: how much was read (or written) without a gap before a request.
//
// A table of where streams would go on, in buckets found by a hash of that sector; a word each: the sector, and the
// length so far.  A bucket is one cache line, of which the shortest stream goes; but a new one
// does not push out a longer one, it halves its length.  And now and then a request that belongs to no stream halves
// any one of its bucket: what has ended fades away, what goes on grows faster.  No lock: two CPUs that meet in
// a word lose a stream at worst.
#pragma once

#include "atomic.h"
#include "types.h"

namespace fc {

class Streams {
public:
	// A request of n sectors at sector.  Returns the length of its stream in sectors, itself included.
	// Any context.
	u32 note(u64 sector, u32 n)
	{
		u32 length = min_of(n, kMaxLength);
		if (u64 *known = find(bucket(sector), sector)) {
			length = min_of(length_of(peek(*known)) + n, kMaxLength);
			post(*known, u64{0});
		} else {
			fade(sector);
		}
		put(bucket(sector + n), sector + n, length);
		return length;
	}

	// The last n sectors before end will come again, as a request of their own.  Any context.
	void shorten(u64 end, u32 n)
	{
		u64 *known = find(bucket(end), end);
		if (!known)
			return;
		const u32 length = length_of(peek(*known));
		post(*known, u64{0});
		if (length > n)
			put(bucket(end - n), end - n, length - n);
	}

private:
	static constexpr u32 kPlaces = 8;
	static constexpr u32 kBucketBits = 7;
	static constexpr u32 kChances = 128;	// one request in kChances / kPlaces halves a place
	static constexpr u32 kSectorBits = 40;
	static constexpr u32 kMaxLength = (1u << (64 - kSectorBits)) - 1;

	struct alignas(64) Bucket {
		u64 place[kPlaces];		// 0: empty
	};

	static u64 next_of(u64 word) { return word & low_bits(kSectorBits); }
	static u32 length_of(u64 word) { return static_cast<u32>(word >> kSectorBits); }
	static u64 pack(u64 sector, u32 length) { return (sector & low_bits(kSectorBits)) | u64{length} << kSectorBits; }

	// A multiplicative hash, Knuth, The Art of Computer Programming, vol. 3, 6.4.
	static u64 hash(u64 sector) { return sector * 0x9e3779b97f4a7c15ull; }
	Bucket &bucket(u64 sector) { return table_[hash(sector) >> (64 - kBucketBits)]; }

	static u64 *find(Bucket &in, u64 sector)
	{
		for (u64 &place : in.place)
			if (const u64 word = peek(place); word && next_of(word) == sector)
				return &place;
		return nullptr;
	}

	// A number below kChances; of bits far from the bucket's, since streams at equal distances share those next to them.
	static u32 chance(u64 sector) { return static_cast<u32>(hash(sector) >> 38) % kChances; }

	void fade(u64 sector)
	{
		const u32 at = chance(sector);
		if (at >= kPlaces)
			return;
		u64 &place = bucket(sector).place[at];
		const u64 word = peek(place);
		if (length_of(word))
			post(place, pack(next_of(word), length_of(word) / 2));
	}

	static void put(Bucket &in, u64 sector, u32 length)
	{
		// Of several any one, or one place would serve all that is new.
		const u32 start = chance(sector) % kPlaces;
		u64 *shortest = &in.place[start];
		for (u32 i = 1; i < kPlaces; i++)
			if (u64 &place = in.place[(start + i) % kPlaces]; length_of(peek(place)) < length_of(peek(*shortest)))
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
