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
// From here on the request is about its first n blocks only.
void shorten(const Context &c, u32 n);
// Wait in a line of the set, or behind a job.
Decision wait_in_set(const Context &c, PendingList &list) FC_REQUIRES(set_lock);
Decision wait_on(const Context &c, Job &job) FC_REQUIRES(set_lock);
// The job that owns block i of the piece, or null.
Job *job_at(const Context &c, u32 i) FC_REQUIRES(set_lock);
// Does way hold block i of the piece, with no job on it?  (The way before holds block i - 1.)
bool follows(const Context &c, u32 way, u32 i);
u32 longest_run(const Context &c);
// A job of the first n blocks, in its set; null if there is no memory.
Job *new_job(const Context &c, JobKind kind, u32 n) FC_REQUIRES(set_lock);

} // namespace fc
