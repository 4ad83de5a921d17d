// SPDX-License-Identifier: GPL-2.0-only
//
// What shall be done with a request.  Decided under the lock of the set, for the longest run of
// blocks from the start of the request that one treatment serves; carried out without the lock.
#include "cache.h"

namespace fc {
namespace {

enum class What { kRemapCache, kRemapOrigin, kStartJob, kWaiting, kNoMemory, kFail };

struct Decision {
	What what;
	u32 nr_blocks;		// the run
	Job *job;
};

// Everything a decision looks at.
struct Context {
	Core &core;
	CacheSet &set;
	Request &req;
	const Piece &piece;
	Pending *pending;
	bool in_map;
};

bool caching(const Core &core)
{
	return !core.degraded && core.tunables[FC_TUNE_CACHE_ALL];
}

// From here on the request is about its first n blocks only.
void shorten(const Context &c, u32 n)
{
	const u32 sectors = sectors_of(c.core, c.piece, n);
	if (c.in_map && sectors < c.req.nr_sectors) {
		fc_os_accept(c.core.os, &c.req, sectors);
		c.req.nr_sectors = sectors;
	}
	c.req.part_sectors = sectors;
}

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

bool readable(const Context &c, u32 way, u32 i) FC_REQUIRES(set_lock)
{
	if (!c.set.busy(way))
		return true;
	const Job *job = job_at(c, i);
	return job && job->kind == kJobWriteback;
}

// Does way hold block i of the piece, right behind the way that holds block i - 1?
bool follows(const Context &c, u32 way, u32 i)
{
	return way < c.core.geo.ways() && c.set.valid(way) && c.set.tag(way) == c.piece.tag + i &&
	       !c.set.busy(way);
}

u32 longest_run(const Context &c)
{
	return c.req.flags & kReqFlagSingly ? 1 : c.piece.nr_blocks;
}

Job *new_job(const Context &c, JobKind kind, u32 n) FC_REQUIRES(set_lock)
{
	Job *job = fc_os_job_alloc(c.core.os);
	if (!job)
		return nullptr;
	job->kind = kind;
	job->stage = kStageBuffer;
	job->nr_sectors = sectors_of(c.core, c.piece, n);
	job->req_offset = c.req.done_sectors;
	link_job(c.core, *job, c.piece, bit_range(c.piece.bit, n), &c.req);
	return job;
}

// ---- reads

Decision read_hit(const Context &c, u32 way) FC_REQUIRES(set_lock)
{
	const u32 limit = longest_run(c);
	u32 n = 0;
	do {
		if (!c.set.pin(way + n, false))
			break;
		if (!c.set.referenced(way + n))
			c.set.set_referenced(way + n, true);
		n++;
	} while (n < limit && follows(c, way + n, n));
	if (!n)
		return wait_in_set(c, c.set.header().stalled);
	shorten(c, n);
	c.req.kind = kReqReadHit;
	c.req.set = c.piece.set;
	c.req.way = static_cast<u16>(way);
	c.req.nr_blocks = static_cast<u8>(n);
	c.req.target_sector = c.core.geo.data_sector(c.piece.set, way) + c.piece.head;
	return {What::kRemapCache, n, nullptr};
}

Decision read_miss(const Context &c) FC_REQUIRES(set_lock)
{
	const bool jobs = c.set.header().jobs;
	u32 n = 1;
	while (n < longest_run(c) && c.set.find(c.piece.tag + n) == kNoWay && !(jobs && job_at(c, n)))
		n++;
	shorten(c, n);
	if (caching(c.core) && c.core.mode != FC_MODE_WRITE_ONLY)
		if (Job *job = new_job(c, kJobFill, n))
			return {What::kStartJob, n, job};
	c.req.kind = kReqUncached;
	return {What::kRemapOrigin, n, nullptr};
}

Decision decide_read(const Context &c) FC_REQUIRES(set_lock)
{
	const u32 way = c.set.find(c.piece.tag);
	if (way != kNoWay && readable(c, way, 0)) {
		if (!c.core.degraded || c.set.dirty(way) || c.set.busy(way))
			return read_hit(c, way);
		// The cache device has failed: do not even try it for what the origin has, too.
		c.set.remove(way);
		atomic_sub<u64>(c.core.nr_valid, 1);
		count(c.core, FC_STAT_read_invalidates);
	}
	if (c.set.header().jobs)
		if (Job *job = job_at(c, 0))
			return wait_on(c, *job);
	if (way != kNoWay && c.set.busy(way))
		return {What::kFail, 0, nullptr};	// in doubt
	return read_miss(c);
}

// ---- writes

// The job that a write to block i must wait for.  A fill that still reads the origin is no
// reason: it becomes stale (overtake_fills).
Job *write_conflict(const Context &c, u32 i) FC_REQUIRES(set_lock)
{
	const u64 bit = 1ull << (c.piece.bit + i);
	for (Job *job = c.set.header().jobs; job; job = job->next)
		if (job->first_block == c.piece.base && (job->mask & bit) &&
		    !(job->kind == kJobFill && job->stage != kStageFill))
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
	const u32 limit = copying ? 1 : longest_run(c);
	u32 n = 0;
	do {
		if (!c.set.pin(way + n, true))
			break;
		c.set.set_referenced(way + n, true);
		n++;
	} while (n < limit && follows(c, way + n, n) && c.set.dirty(way + n) &&
		 !c.set.unconfirmed(way + n));
	if (!n)
		return wait_in_set(c, c.set.header().stalled);
	if (copying)
		copying->stale |= 1ull << c.piece.bit;	// it stays dirty
	shorten(c, n);
	count(c.core, FC_STAT_dirty_write_hits);
	c.req.kind = kReqOverwrite;
	c.req.set = c.piece.set;
	c.req.way = static_cast<u16>(way);
	c.req.nr_blocks = static_cast<u8>(n);
	c.req.target_sector = c.core.geo.data_sector(c.piece.set, way) + c.piece.head;
	return {What::kRemapCache, n, nullptr};
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
Decision bypass(const Context &c, u32 limit) FC_REQUIRES(set_lock)
{
	Job *job = fc_os_job_alloc(c.core.os);
	if (!job)
		return {What::kNoMemory, 0, nullptr};
	u32 n = 0;
	do {
		const u32 way = c.set.find(c.piece.tag + n);
		if (n && ((way != kNoWay && (c.set.dirty(way) || c.set.busy(way))) || write_conflict(c, n)))
			break;
		if (way != kNoWay) {
			c.set.remove(way);	// rule 6
			atomic_sub<u64>(c.core.nr_valid, 1);
			count(c.core, FC_STAT_write_invalidates);
		}
		n++;
	} while (n < limit);
	shorten(c, n);
	overtake_fills(c, n);
	job->kind = kJobBypass;
	job->stage = kStageData;
	job->nr_sectors = c.req.part_sectors;
	link_job(c.core, *job, c.piece, bit_range(c.piece.bit, n), &c.req);
	c.req.kind = kReqBypass;
	c.req.job = job;
	count(c.core, FC_STAT_uncached_writes);
	return {What::kRemapOrigin, n, nullptr};
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
				  : c.set.find(c.piece.tag + n) != kNoWay)
			break;
		if (write_conflict(c, n))
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
			c.set.set_referenced(way + i, true);
		c.set.set_busy(way + i, true);
		if (kind == kJobWrite)
			c.set.set_unconfirmed(way + i, true);	// until its record is confirmed
		job->way[c.piece.bit + i] = static_cast<u16>(way + i);
	}
	if (!hit)
		atomic_add<u64>(c.core.nr_valid, n);
	else
		count(c.core, FC_STAT_write_hits);
	return {What::kStartJob, n, job};
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

Decision decide_write(const Context &c) FC_REQUIRES(set_lock)
{
	const u32 way = c.set.find(c.piece.tag);
	const bool is_dirty = way != kNoWay && c.set.dirty(way);
	Job *copying = nullptr;
	if (c.set.header().jobs)
		if (Job *job = write_conflict(c, 0)) {
			// A block that is being copied to the origin may be overwritten: it stays dirty.
			if (!is_dirty || job->kind != kJobWriteback || job->stage != kStageData)
				return wait_on(c, *job);
			copying = job;
		}
	if (way != kNoWay && c.set.busy(way) && !copying)
		return {What::kFail, 0, nullptr};	// in doubt
	if (is_dirty)
		return dirty_hit(c, way, copying);
	if (caching(c.core) && c.core.mode != FC_MODE_WRITE_AROUND)
		return write_into_cache(c, way);
	return bypass(c, longest_run(c));
}

Decision decide(const Context &c) FC_REQUIRES(set_lock)
{
	SetHeader &header = c.set.header();
	if (!c.pending && (header.drain_queued || header.frozen || !header.ready.empty()))
		return wait_in_set(c, header.ready);
	return c.piece.write ? decide_write(c) : decide_read(c);
}

void count_request(Core &core, Request &req)
{
	if (req.flags & kReqFlagCounted)
		return;
	req.flags |= kReqFlagCounted;
	if (!core.io_seen)
		core.io_seen = 1;
}

// A piece in the last, incomplete block of the origin: never cached.
Outcome send_to_origin(Core &core, Request &req, const Piece &piece, int &dev)
{
	req.kind = kReqUncached;
	req.part_sectors = piece.nr_sectors;
	req.target_sector = req.sector + req.done_sectors;
	dev = FC_DEV_ORIGIN;
	count(core, piece.write ? FC_STAT_uncached_writes : FC_STAT_uncached_reads);
	return Outcome::kRemap;
}

void count_piece(Core &core, const Decision &d, const Request &req, bool write)
{
	if (d.what == What::kRemapCache) {
		count(core, write ? FC_STAT_write_hits : FC_STAT_read_hits);
		count(core, write ? FC_STAT_ssd_writes : FC_STAT_ssd_reads);
	} else if (d.what == What::kRemapOrigin) {
		count(core, write ? FC_STAT_disk_writes : FC_STAT_disk_reads);
		if (req.kind == kReqUncached)
			count(core, FC_STAT_uncached_reads);
	}
	if (d.what != What::kWaiting && d.what != What::kNoMemory)
		count(core, write ? FC_STAT_writes : FC_STAT_reads);
}

Outcome carry_out(Core &core, Request &req, const Piece &piece, const Decision &d, int &dev)
{
	count_piece(core, d, req, piece.write);
	switch (d.what) {
	case What::kRemapCache:
		dev = FC_DEV_CACHE;
		return Outcome::kRemap;
	case What::kRemapOrigin:
		req.target_sector = req.sector + req.done_sectors;
		dev = FC_DEV_ORIGIN;
		return Outcome::kRemap;
	case What::kStartJob:
		if (d.job->kind == kJobFill)
			advance_fill(core, *d.job);
		else
			advance_write(core, *d.job);
		return Outcome::kTaken;
	case What::kNoMemory:
		count(core, FC_STAT_memory_alloc_errors);
		queue_for_memory(core, req);
		return Outcome::kTaken;
	case What::kFail:
		fc_os_complete(core.os, &req, FC_EIO);
		return Outcome::kTaken;
	case What::kWaiting:
		break;
	}
	return Outcome::kWait;
}

} // namespace

Piece piece_of(Core &core, const Request &req)
{
	const u64 sector = req.sector + req.done_sectors;
	const u32 shift = core.geo.block_shift();
	Piece p;
	p.block = sector >> shift;
	p.bit = static_cast<u32>(p.block & low_bits(core.geo.chunk_shift()));
	p.base = p.block - p.bit;
	p.head = static_cast<u32>(sector & low_bits(shift));
	p.nr_sectors = req.nr_sectors - req.done_sectors;
	p.nr_blocks = (p.head + p.nr_sectors + core.geo.block_sectors() - 1) >> shift;
	p.write = req.op == FC_OP_WRITE;
	const Placement place = core.geo.place(p.block);
	p.set = place.set;
	p.tag = place.tag;
	if (p.block + p.nr_blocks > core.whole_blocks && p.block < core.whole_blocks)
		p.nr_blocks = static_cast<u32>(core.whole_blocks - p.block);
	return p;
}

u32 sectors_of(const Core &core, const Piece &piece, u32 n)
{
	return min_of((n << core.geo.block_shift()) - piece.head, piece.nr_sectors);
}

bool covers(const Core &core, const Piece &piece, u32 i)
{
	return (i || !piece.head) && ((i + 1) << core.geo.block_shift()) <= piece.head + piece.nr_sectors;
}

Outcome start_piece(Core &core, Request &req, bool in_map, Pending *pending, int &dev)
{
	const Piece piece = piece_of(core, req);
	count_request(core, req);
	if (piece.block >= core.whole_blocks)
		return send_to_origin(core, req, piece, dev);
	Decision d;
	bool confirm;
	{
		SetGuard guard(core, piece.set);
		CacheSet set = set_at(core, piece.set);
		const Context c = {core, set, req, piece, pending, in_map};
		d = decide(c);
		confirm = d.what == What::kWaiting && !c.set.header().stalled.empty();
	}
	if (confirm) {
		{
			LogGuard guard(core);
			core.log.want_confirm();
		}
		kick_run(core);
	}
	return carry_out(core, req, piece, d, dev);
}

} // namespace fc

FC_ENTRY int fc_core_map(struct fc_core *core, struct fc_request *req)
{
	using namespace fc;
	req->done_sectors = 0;
	req->status = FC_OK;
	req->flags &= kReqFlagFua;
	req->job = nullptr;
	req->next = nullptr;
	if (req->op == FC_OP_FLUSH)
		return map_flush(*core, *req);
	if (req->op != FC_OP_READ && req->op != FC_OP_WRITE) {
		queue_range(*core, *req);
		return FC_ACT_TAKEN;
	}
	int dev = FC_DEV_ORIGIN;
	if (start_piece(*core, *req, true, nullptr, dev) != Outcome::kRemap)
		return FC_ACT_TAKEN;
	return dev == FC_DEV_CACHE ? FC_ACT_REMAP_CACHE : FC_ACT_REMAP_ORIGIN;
}
