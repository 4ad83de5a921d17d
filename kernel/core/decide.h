// SPDX-License-Identifier: GPL-2.0-only
//
// What shall be done with a request: decided under the lock of its set, for the longest run of
// blocks from the start of the request that one treatment serves.  map.cc carries it out.
#pragma once

#include "cache.h"

namespace fc {

enum class What { kRemapCache, kRemapOrigin, kStartJob, kWaiting, kNoMemory, kFail };

// How the blocks are served, for the counters; kNone: not yet, or not at all.
enum class How { kNone, kHit, kMiss, kUncached };

struct Decision {
	What what;
	u32 nr_blocks;		// the run
	Job *job;
	How how = How::kNone;
};

// Everything a decision looks at.
struct Context {
	Core &core;
	CacheSet &set;
	Request &req;
	const Piece &piece;
	Pending *pending;	// the request's place in line, if it had one
	bool in_map;
	u64 owned;		// blocks of the chunk that a job owns, as far as this request minds

	bool is_owned(u32 i) const { return owned >> (piece.bit + i) & 1; }
};

Decision decide_read(const Context &c) FC_REQUIRES(set_lock);
Decision decide_write(const Context &c) FC_REQUIRES(set_lock);

// ---- for both, in decide.cc

// May the request bring new blocks into the cache?
bool caching(const Context &c);
// And this block?  Not at first sight, if so tuned.
bool admits(const Context &c, u32 i) FC_REQUIRES(set_lock);
// The first n blocks go past the cache: why, for the counters, and for admission the next time.
void note_uncached(const Context &c, u32 n) FC_REQUIRES(set_lock);
// The length in KiB from which on a stream goes past the cache; 0: none does.
u32 stream_limit_kb(const Core &core, bool write);
// Count n blocks, each once, so that the sums are exact: reads = hits + misses + uncached.
void count_blocks(Core &core, bool write, How how, u32 n);
// The request, which is being mapped, ends after so many sectors; the rest will come as one of its own.
void cut(Core &core, Request &req, u32 sectors);
inline void accept(Core &core, Request &req, u32 sectors)
{
	if (sectors < req.nr_sectors)	// few are
		cut(core, req, sectors);
	req.part_sectors = sectors;
}
// From here on the request is about its first n blocks only.
void shorten(const Context &c, u32 n);
// Wait in a line of the set, or behind a job.
Decision wait_in_set(const Context &c, PendingList &list) FC_REQUIRES(set_lock);
Decision wait_on(const Context &c, Job &job) FC_REQUIRES(set_lock);
// The job that owns block i of the piece, or null.
Job *job_at(const Context &c, u32 i) FC_REQUIRES(set_lock);
u32 longest_run(const Context &c);
// A job of the first n blocks, in its set; null if there is no memory.
Job *new_job(const Context &c, JobKind kind, u32 n) FC_REQUIRES(set_lock);

// ---- hit.cc

// Map a read or write that is a hit at its start, in as few instructions as may be; it then goes to
// req.target_sector of the cache device.  False: nothing has been done, start_piece() is to look at
// everything.  Any context, no lock held.
bool quick_hit(Core &core, Request &req);
// The same once start_piece() has looked at everything: way holds the piece's first block and may be used.  The
// hit takes at most limit blocks; or the request waits for room for a pin.
Decision take_hit(const Context &c, u32 way, u32 limit) FC_REQUIRES(set_lock);

} // namespace fc
