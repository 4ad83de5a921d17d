// SPDX-License-Identifier: GPL-2.0-only
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kHead = 256;		// sectors
constexpr u32 kTail = 128;
constexpr u32 kSample = 8;
constexpr u32 kSamples = 32;

// Not a CRC: file systems end their blocks with one, and the CRC of such a block is the same
// whatever the block says.  The mixing step is that of Fibonacci hashing, on 64 bits.
u64 mix(u64 hash, const char *bytes, u32 size)
{
	for (u32 i = 0; i < size; i += sizeof(u64)) {
		u64 word;
		__builtin_memcpy(&word, bytes + i, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return hash;
}

struct Sample {
	u64 sector;
	u32 nr_sectors;
};

// The head in two pieces, the tail, then samples spread over what is between.
Sample sample(u64 size, u32 i)
{
	if (i < kHead / kTail)
		return {i * kTail, kTail};
	if (i == kHead / kTail)
		return {size - min_of<u64>(size, kTail), kTail};
	return {(i - kHead / kTail) * (size / (kSamples + 2)) & ~u64{kSample - 1}, kSample};
}

} // namespace

fc_status origin_fingerprint(Core &core, u32 &fingerprint)
{
	const u64 size = core.config.origin_sectors;
	u64 hash = size;	// not zero: zeroes must count, too
	for (u32 i = 0; i < kHead / kTail + 1 + kSamples; i++) {
		const Sample s = sample(size, i);
		if (s.sector >= size)
			continue;
		const u32 n = static_cast<u32>(min_of<u64>(s.nr_sectors, size - s.sector));
		if (fc_os_sync_io(core.os, FC_DEV_ORIGIN, FC_IO_READ, s.sector, core.scratch, n, 0))
			return FC_EIO;
		hash = mix(hash, core.scratch, n * kSectorBytes);
	}
	fingerprint = static_cast<u32>(hash ^ hash >> 32);
	return FC_OK;
}

} // namespace fc
