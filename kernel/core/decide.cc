// SPDX-License-Identifier: GPL-2.0-only
#include "decide.h"

namespace fc {
namespace {

// A place in line.  Null if there is no memory for one.
Pending *place_in_line(const Context &c)
{
	Pending *pending = c.pending ? c.pending : fc_os_pending_alloc(c.core.os);
	if (!pending)
		return nullptr;
	pending->req = &c.req;
	c.req.kind = kReqWaiting;
	if (!c.pending) {
		count(c.core, FC_STAT_pending_enqueues);
		atomic_add<u64>(c.core.nr_waiting, 1);
	}
	return pending;
}

} // namespace

bool caching(const Context &c)
{
	if (peek(c.core.degraded) || (c.req.flags & FC_REQ_AVOID))
		return false;
	if (c.req.flags & FC_REQ_WANT)
		return true;
	return !(c.req.flags & kReqFlagSequential) && peek(c.core.tunables[FC_TUNE_CACHE_ALL]);
}

bool admits(const Context &c, u32 i)
{
	const u32 strict = peek(c.core.tunables[FC_TUNE_ADMISSION]);
	return strict <= c.piece.write || (c.req.flags & FC_REQ_WANT) || c.set.seen_before(c.piece.tag + i);
}

void note_uncached(const Context &c, u32 n)
{
	if (c.req.again || (c.req.flags & (FC_REQ_AVOID | FC_REQ_WANT)) || peek(c.core.degraded) ||
	    !peek(c.core.tunables[FC_TUNE_CACHE_ALL]))
		return;
	if (c.req.flags & kReqFlagSequential) {
		count(c.core, c.piece.write ? FC_STAT_uncached_sequential_writes : FC_STAT_uncached_sequential_reads, n);
		return;
	}
	count(c.core, FC_STAT_admission_refusals, n);
	for (u32 i = 0; i < n; i++)
		if (!c.piece.write || covers(c.core, c.piece, i))	// a part of a block would not get in
			c.set.remember(c.piece.tag + i);
}

u32 stream_limit_kb(const Core &core, bool write)
{
	return peek(core.tunables[write ? FC_TUNE_SKIP_SEQ_WRITE_KB : FC_TUNE_SKIP_SEQ_READ_KB]);
}

void cut(Core &core, Request &req, u32 sectors)
{
	const bool write = req.op == FC_OP_WRITE;
	fc_os_accept(core.os, &req, sectors);
	if (stream_limit_kb(core, write))
		core.streams[write].shorten(req.sector + req.nr_sectors, req.nr_sectors - sectors);
	req.nr_sectors = sectors;
}

void shorten(const Context &c, u32 n)
{
	const u32 sectors = sectors_of(c.core, c.piece, n);
	if (c.in_map)
		accept(c.core, c.req, sectors);
	else
		c.req.part_sectors = sectors;
}

Decision wait_in_set(const Context &c, PendingList &list) FC_REQUIRES(set_lock)
{
	Pending *pending = place_in_line(c);
	if (!pending)
		return {What::kNoMemory, 0, nullptr};
	list.push(pending);
	return {What::kWaiting, 0, nullptr};
}

Decision wait_on(const Context &c, Job &job) FC_REQUIRES(set_lock)
{
	Pending *pending = place_in_line(c);
	if (!pending)
		return {What::kNoMemory, 0, nullptr};
	if (c.in_map) {
		const u64 from_here = job.mask >> c.piece.bit;
		shorten(c, min_of(static_cast<u32>(std::countr_one(from_here)), c.piece.nr_blocks));
	}
	wait_for_job(c.core, job, pending);
	return {What::kWaiting, 0, nullptr};
}

Job *job_at(const Context &c, u32 i) FC_REQUIRES(set_lock)
{
	return find_job(c.core, c.piece.set, c.piece.base, 1ull << (c.piece.bit + i));
}

u32 longest_run(const Context &c)
{
	// After a failed hit block by block: what is clean is read from the origin, what is dirty tried once more.
	return c.req.again ? 1 : c.piece.nr_blocks;
}

Job *new_job(const Context &c, JobKind kind, u32 n) FC_REQUIRES(set_lock)
{
	Job *job = fc_os_job_alloc(c.core.os);
	if (!job)
		return nullptr;
	job->kind = kind;
	post(job->stage, kStageBuffer);
	job->nr_sectors = sectors_of(c.core, c.piece, n);
	job->req_offset = c.req.done_sectors;
	link_job(c.core, *job, c.piece, bit_range(c.piece.bit, n), &c.req);
	return job;
}

} // namespace fc
