// SPDX-License-Identifier: GPL-2.0-only
#include "decide.h"

namespace fc {
namespace {

// The job that a write to block i must wait for.  A fill that still reads the origin is no
// reason: it becomes stale (overtake_fills).
Job *write_conflict(const Context &c, u32 i) FC_REQUIRES(set_lock)
{
	const u64 bit = 1ull << (c.piece.bit + i);
	for (Job *job = c.set.header().jobs; job; job = job->next)
		if (job->first_block == c.piece.base && (job->mask & bit) &&
		    !(job->kind == kJobFill && peek(job->stage) != kStageFill))
			return job;
	return nullptr;
}

void overtake_fills(const Context &c, u32 n) FC_REQUIRES(set_lock)
{
	const u64 mask = bit_range(c.piece.bit, n);
	for (Job *job = c.set.header().jobs; job; job = job->next)
		if (job->kind == kJobFill && job->first_block == c.piece.base)
			job->stale |= mask;
}

Decision overwrite(const Context &c, u32 way, Job *copying) FC_REQUIRES(set_lock)
{
	const Decision d = take_hit(c, way, copying ? 1 : longest_run(c));
	if (copying && d.what == What::kRemapCache)
		copying->stale |= 1ull << c.piece.bit;	// it stays dirty
	return d;
}

Decision dirty_hit(const Context &c, u32 way, Job *copying) FC_REQUIRES(set_lock)
{
	if (!c.set.unconfirmed(way))
		return overwrite(c, way, copying);
	// Rule 3: recovery could take the new bytes for a torn old write and drop both.
	if (c.core.log.failed())
		return {What::kFail, 0, nullptr};
	count(c.core, FC_STAT_confirm_waits);
	return wait_in_set(c, c.set.header().stalled);
}

// A run of blocks that are not dirty and that no job owns goes to the origin.
// refused: by admission.
Decision bypass(const Context &c, u32 limit, bool refused = false) FC_REQUIRES(set_lock)
{
	Job *job = fc_os_job_alloc(c.core.os);
	if (!job)
		return {What::kNoMemory, 0, nullptr};
	u32 n = 0;
	do {
		const u32 way = c.set.find(c.piece.tag + n);
		if (n && ((way != kNoWay && (c.set.dirty(way) || c.set.busy(way))) || c.is_owned(n)))
			break;
		if (n && refused && (way != kNoWay || admits(c, n)))
			break;
		if (way != kNoWay) {
			c.set.remove(way);	// rule 6
			atomic_sub<u64>(c.core.nr_valid, 1);
			count(c.core, FC_STAT_write_invalidates);
		}
		n++;
	} while (n < limit);
	shorten(c, n);
	if (refused || ((c.req.flags & kReqFlagSequential) && c.core.mode != FC_MODE_WRITE_AROUND))
		note_uncached(c, n);
	overtake_fills(c, n);
	job->kind = kJobBypass;
	post(job->stage, kStageData);
	job->nr_sectors = c.req.part_sectors;
	link_job(c.core, *job, c.piece, bit_range(c.piece.bit, n), &c.req);
	c.req.kind = kReqBypass;
	c.req.job = job;
	return {What::kRemapOrigin, n, nullptr, How::kUncached};
}

// Does way hold block i of the piece, with no job on it?  (The way before holds block i - 1.)
bool follows(const Context &c, u32 way, u32 i) FC_REQUIRES(set_lock)
{
	return way < c.core.geo.ways() && c.set.open_to(way, false) && c.set.tag(way) == c.piece.tag + i;
}

// Blocks that follow block 0 into one write of the cache: covered, free of jobs, and (hit) in the
// next way and clean or (miss) not cached.
u32 write_run(const Context &c, u32 way, bool partial_end) FC_REQUIRES(set_lock)
{
	u32 n = 1;
	for (; n < longest_run(c); n++) {
		if (!covers(c.core, c.piece, n) && !partial_end)
			break;
		if (way != kNoWay ? !follows(c, way + n, n) || c.set.dirty(way + n)
				  : c.set.find(c.piece.tag + n) != kNoWay || !admits(c, n))
			break;
		if (c.is_owned(n))
			break;
	}
	return n;
}

Decision claim_ways(const Context &c, JobKind kind, u32 way, u32 n, bool hit) FC_REQUIRES(set_lock)
{
	shorten(c, n);
	Job *job = new_job(c, kind, n);
	if (!job)
		return {What::kNoMemory, 0, nullptr};
	overtake_fills(c, n);
	for (u32 i = 0; i < n; i++) {
		if (!hit)
			c.set.insert(way + i, c.piece.tag + i);
		else
			c.set.touch(way + i);
		c.set.set_busy(way + i, true);
		if (kind == kJobWrite)
			c.set.set_unconfirmed(way + i, true);	// until its record is confirmed
		job->way[c.piece.bit + i] = static_cast<u16>(way + i);
	}
	if (!hit)
		atomic_add<u64>(c.core.nr_valid, n);
	return {What::kStartJob, n, job, hit ? How::kHit : How::kMiss};
}

Decision write_into_cache(const Context &c, u32 way) FC_REQUIRES(set_lock)
{
	const bool through = c.core.mode == FC_MODE_WRITE_THROUGH;
	const JobKind kind = through ? kJobThrough : kJobWrite;
	const bool whole = covers(c.core, c.piece, 0);
	if (way != kNoWay)
		return claim_ways(c, kind, way, !whole && !through ? 1 : write_run(c, way, through), true);
	if (!whole)
		return bypass(c, 1);
	if (!admits(c, 0))
		return bypass(c, longest_run(c), true);
	const u32 want = write_run(c, kNoWay, false);
	const u32 before = c.piece.bit ? c.set.find(c.piece.tag - 1) : kNoWay;
	u32 first = 0;
	u32 evicted = 0;
	const u32 n = c.set.allocate(want, before == kNoWay ? kNoWay : before + 1, first, evicted);
	if (evicted) {
		atomic_sub<u64>(c.core.nr_valid, evicted);
		count(c.core, FC_STAT_write_replacement, evicted);
	}
	if (!n) {
		count(c.core, FC_STAT_no_room);
		return bypass(c, want);
	}
	return claim_ways(c, kind, first, n, false);
}

} // namespace

Decision decide_write(const Context &c) FC_REQUIRES(set_lock)
{
	const u32 way = c.set.find(c.piece.tag);
	const bool is_dirty = way != kNoWay && c.set.dirty(way);
	Job *copying = nullptr;
	if (c.is_owned(0))
		if (Job *job = write_conflict(c, 0)) {
			// A block that is being copied to the origin may be overwritten: it stays dirty.
			// Where write-back has been left it is to become clean, and so the write waits.
			if (!is_dirty || !makes_dirty(c.core) || job->kind != kJobWriteback ||
			    peek(job->stage) != kStageData)
				return wait_on(c, *job);
			copying = job;
		}
	if (way != kNoWay && c.set.busy(way) && !copying)
		return {What::kFail, 0, nullptr};	// in doubt
	if (is_dirty)
		return dirty_hit(c, way, copying);
	if (caching(c) && c.core.mode != FC_MODE_WRITE_AROUND)
		return write_into_cache(c, way);
	return bypass(c, longest_run(c));
}

} // namespace fc
