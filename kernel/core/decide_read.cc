// SPDX-License-Identifier: GPL-2.0-only
#include "decide.h"

namespace fc {
namespace {

bool readable(const Context &c, u32 way, u32 i) FC_REQUIRES(set_lock)
{
	if (!c.set.busy(way))
		return true;
	const Job *job = job_at(c, i);
	return job && job->kind == kJobWriteback;
}

// A flush of the cache device has failed: it may have dropped this block, and its place may hold the
// block that was there before.  Recovery can tell, by the checksum in the log.
bool may_be_lost(const Context &c, u32 way) FC_REQUIRES(set_lock)
{
	return atomic_load(c.core.flush_lost) && c.set.unconfirmed(way);
}

Decision read_miss(const Context &c) FC_REQUIRES(set_lock)
{
	const bool wanted = caching(c) && c.core.mode != FC_MODE_WRITE_ONLY;
	const bool fill = wanted && admits(c, 0);
	u32 n = 1;
	while (n < longest_run(c) && c.set.find(c.piece.tag + n) == kNoWay && !c.is_owned(n) &&
	       (!wanted || admits(c, n) == fill))
		n++;
	shorten(c, n);
	if (!peek(c.core.origin_read_seen))
		post(c.core.origin_read_seen, 1u);
	if (fill)
		if (Job *job = new_job(c, kJobFill, n))
			return {What::kStartJob, n, job, How::kMiss};
	if (!fill && c.core.mode != FC_MODE_WRITE_ONLY)
		note_uncached(c, n);
	c.req.kind = kReqUncached;
	return {What::kRemapOrigin, n, nullptr, How::kUncached};
}

} // namespace

Decision decide_read(const Context &c) FC_REQUIRES(set_lock)
{
	const u32 way = c.set.find(c.piece.tag);
	if (way != kNoWay && readable(c, way, 0)) {
		if (!peek(c.core.degraded) && !atomic_load(c.core.flush_lost))
			return take_hit(c, way, longest_run(c));
		if (may_be_lost(c, way))
			return {What::kFail, 0, nullptr};
		if (c.set.dirty(way) || c.set.busy(way))
			return take_hit(c, way, 1);
		// The cache device has failed: do not even try it for what the origin has, too.
		c.set.remove(way);
		atomic_sub<u64>(c.core.nr_valid, 1);
		count(c.core, FC_STAT_read_invalidates);
	}
	if (c.is_owned(0))
		if (Job *job = job_at(c, 0))
			return wait_on(c, *job);
	if (way != kNoWay && c.set.busy(way))
		return {What::kFail, 0, nullptr};	// in doubt
	return read_miss(c);
}

} // namespace fc
