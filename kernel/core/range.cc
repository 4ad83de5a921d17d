// SPDX-License-Identifier: GPL-2.0-only
//
// Discards and write-zeroes, of any length.  One at a time:
//
//	drain	freeze the sets concerned and wait until no job works on them
//	origin	do it on the origin
//	flush	make that durable, if dirty blocks are about to be dropped (rule 4: otherwise an
//		older version of them could be seen after a power cut)
//	drop	clean blocks go; dirty blocks get INVALID records; the parts of dirty blocks at the
//		ends of a write-zeroes are overwritten with zeroes
//	end	when all that has completed: thaw the sets, end the request
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kRangeSetsAtOnce = 4096;	// then the worker looks at other things

u32 touched_set(const Core &core, u32 i)
{
	const RangeOp &r = core.range;
	return r.all_sets ? i : core.geo.place(r.first_touched + static_cast<u64>(i) * r.extent_blocks).set;
}

bool in_range(const RangeOp &r, u64 block)
{
	return block >= r.first && block < r.end;
}

// Whole blocks, and the blocks at the ends of which the request covers a part.
void set_bounds(Core &core, const Request &req)
{
	RangeOp &r = core.range;
	const u32 shift = core.geo.block_shift();
	const u64 end_sector = req.sector + req.nr_sectors;
	const u64 first_touched = req.sector >> shift;
	const u64 last_touched = (end_sector - 1) >> shift;
	r.first = (req.sector + core.geo.block_sectors() - 1) >> shift;
	r.end = max_of(end_sector >> shift, r.first);
	r.edges[0] = first_touched < r.first ? first_touched : kNoBlock;
	r.edges[1] = last_touched >= r.end && last_touched != first_touched ? last_touched : kNoBlock;
	if (r.edges[0] == kNoBlock && last_touched >= r.end)
		r.edges[1] = last_touched;
	r.extent_blocks = core.config.extent_blocks;
	r.first_touched = first_touched & ~static_cast<u64>(r.extent_blocks - 1);
	const u64 extents = (last_touched - r.first_touched) / r.extent_blocks + 1;
	r.all_sets = extents >= core.geo.nr_sets();
	r.nr_touched = r.all_sets ? core.geo.nr_sets() : static_cast<u32>(extents);
}

bool next_request(Core &core)
{
	RangeOp &r = core.range;
	Request *req;
	{
		QueueGuard guard(core);
		req = core.range_head;
		if (!req)
			return false;
		core.range_head = req->next;
	}
	r = {};
	r.req = req;
	set_bounds(core, *req);
	for (u32 i = 0; i < r.nr_touched; i++)
		freeze(core, touched_set(core, i));
	r.stage = kRangeDrain;
	return true;
}

// With a failed log no dirty block can be dropped for good: a recovery may bring it back, or the
// origin's version if its record is in doubt.  Then the origin must not be changed, either.
bool in_doubt(Core &core, const CacheSet &set, u32 set_nr) FC_REQUIRES(set_lock)
{
	const Request &req = *core.range.req;
	const u32 shift = core.geo.block_shift();
	for (u32 way = 0; way < core.geo.ways(); way++) {
		if (!set.busy(way) && !set.dirty(way))
			continue;
		const u64 sector = core.geo.origin_block(set_nr, set.tag(way)) << shift;
		if (req.sector < sector + core.geo.block_sectors() && sector < req.sector + req.nr_sectors)
			return true;
	}
	return false;
}

// What keeps a set from being still: jobs, and records of its dirty blocks
// that are not confirmed (their places in the log's ring must be given back first).
bool set_is_still(Core &core, u32 set_nr, bool &confirm)
{
	SetGuard guard(core, set_nr);
	const CacheSet set = set_at(core, set_nr);
	if (set.header().jobs)
		return false;
	if (core.log.failed()) {
		core.range.in_doubt = core.range.in_doubt || in_doubt(core, set, set_nr);
		return true;
	}
	if (!set.any_unconfirmed())
		return true;
	confirm = true;
	return false;
}

bool drained(Core &core)
{
	RangeOp &r = core.range;
	bool confirm = false;
	for (; r.cursor < r.nr_touched; r.cursor++)
		if (!set_is_still(core, touched_set(core, r.cursor), confirm))
			break;
	if (confirm) {
		LogGuard guard(core);
		core.log.want_confirm();
	}
	return r.cursor == r.nr_touched;
}

void start_origin(Core &core)
{
	RangeOp &r = core.range;
	Request &req = *r.req;
	r.stage = kRangeOrigin;
	r.flush_errors = atomic_load(core.wb.flush_errors);
	req.kind = kReqRange;
	req.part_sectors = req.nr_sectors;
	count(core, FC_STAT_disk_writes);
	fc_os_submit_part(core.os, &req, FC_DEV_ORIGIN, req.sector, 0, req.nr_sectors);
}

void start_flush(Core &core)
{
	RangeOp &r = core.range;
	note_write(core, FC_DEV_ORIGIN);
	r.stage = kRangeFlush;
	if (!peek(core.volatile_dev[FC_DEV_ORIGIN]) || !atomic_load(core.nr_dirty)) {
		r.flush_errors = atomic_load(core.wb.flush_errors);	// nothing depends on a flush
		atomic_store(r.flush_done, true);
		return;
	}
	count(core, FC_STAT_flush_disk);
	fc_os_async_io(core.os, FC_DEV_ORIGIN, FC_IO_FLUSH, 0, nullptr, 0, 0, kTokenRangeFlush);
}

void after_origin(Core &core)
{
	RangeOp &r = core.range;
	if (!r.status) {
		start_flush(core);
		return;
	}
	r.only_clean = true;
	r.cursor = 0;
	r.stage = r.status == FC_ENOTSUPP ? kRangeEnd : kRangeDrop;
}

// ---- dropping

void drop_clean_way(Core &core, CacheSet &set, u32 way) FC_REQUIRES(set_lock)
{
	set.remove(way);
	atomic_sub<u64>(core.nr_valid, 1);
	count(core, FC_STAT_write_invalidates);
}

// The set is still: nothing becomes dirty in it between two looks.
bool word_has_dirty(Core &core, u32 set_nr, u32 word)
{
	SetGuard guard(core, set_nr);
	return set_at(core, set_nr).any_dirty(word);
}

// Drop what is cached of the range in 64 ways.  False: no job could be had, try again later.
bool drop_word(Core &core, u32 set_nr, u32 word)
{
	RangeOp &r = core.range;
	Job *job = nullptr;
	if (word_has_dirty(core, set_nr, word)) {
		job = fc_os_job_alloc(core.os);
		if (!job)
			return false;
	}
	u32 n = 0;
	{
		SetGuard guard(core, set_nr);
		CacheSet set = set_at(core, set_nr);
		for (u32 way = word * 64; way < min_of(core.geo.ways(), word * 64 + 64); way++) {
			if (!set.valid(way) || set.busy(way))
				continue;
			const u64 block = core.geo.origin_block(set_nr, set.tag(way));
			const bool edge = block == r.edges[0] || block == r.edges[1];
			if (!in_range(r, block) && !(edge && !set.dirty(way)))
				continue;
			if (!set.dirty(way)) {
				drop_clean_way(core, set, way);
				continue;
			}
			if (r.only_clean || !job)
				continue;
			set.set_busy(way, true);
			job->way[n++] = static_cast<u16>(way);
		}
	}
	if (!n) {
		if (job)
			fc_os_job_free(core.os, job);
		return true;
	}
	job->kind = kJobInvalidate;
	job->set = set_nr;
	job->mask = low_bits(n);
	job->flags = kLogDurable;
	atomic_add<u64>(core.nr_jobs, 1);
	atomic_add(r.outstanding, 1u);
	append_records(core, *job);
	return true;
}

// Overwrite the request's part of a dirty block at one of its ends with zeroes, in place.
bool zero_edge(Core &core, u32 end)
{
	RangeOp &r = core.range;
	const Request &req = *r.req;
	const u64 block = r.edges[end];
	if (r.only_clean || block == kNoBlock || req.op != FC_OP_WRITE_ZEROES || block >= core.whole_blocks)
		return true;
	const u32 shift = core.geo.block_shift();
	const Placement place = core.geo.place(block);
	const u64 from = max_of(req.sector, block << shift);
	const u64 to = min_of(req.sector + req.nr_sectors, (block + 1) << shift);
	u32 way;
	{
		SetGuard guard(core, place.set);
		const CacheSet set = set_at(core, place.set);
		way = set.find(place.tag);
		if (way == kNoWay || !set.dirty(way))
			return true;
		if (set.unconfirmed(way)) {		// only if the log has failed
			atomic_store(r.status, static_cast<u8>(FC_EIO));
			return true;
		}
	}
	Job *job = fc_os_job_alloc(core.os);
	const u32 sectors = static_cast<u32>(to - from);
	if (!job || fc_os_job_buffer(core.os, job, sectors, 1)) {
		if (job)
			fc_os_job_free(core.os, job);
		return false;
	}
	job->kind = kJobZeroEdge;
	job->set = place.set;
	atomic_add<u64>(core.nr_jobs, 1);
	atomic_add(r.outstanding, 1u);
	fc_os_copy_in(core.os, job, 0, r.req, 0, sectors);
	count(core, FC_STAT_ssd_writes);
	fc_os_job_io(core.os, job, FC_DEV_CACHE, FC_IO_WRITE,
		     core.geo.data_sector(place.set, way) + (from - (block << shift)), 0, sectors,
		     req.flags & kReqFlagFua ? FC_IO_FUA : 0);
	return true;
}

void retry_later(Core &core)
{
	atomic_store(core.memory_short, true);
	fc_os_kick(core.os, FC_WORK_RUN, 2);
}

void drop(Core &core)
{
	RangeOp &r = core.range;
	for (u32 end = 0; end < 2; end++) {
		if (r.edge_started[end])
			continue;
		if (!zero_edge(core, end)) {
			retry_later(core);
			return;
		}
		r.edge_started[end] = true;
	}
	const u32 stop = r.cursor + kRangeSetsAtOnce;
	for (; r.cursor < r.nr_touched; r.cursor++, r.word = 0) {
		if (r.cursor == stop) {
			kick_run(core);
			return;
		}
		for (; r.word < core.layout.words; r.word++)
			if (!drop_word(core, touched_set(core, r.cursor), r.word)) {
				retry_later(core);
				return;
			}
	}
	r.stage = kRangeEnd;
}

void finish(Core &core)
{
	RangeOp &r = core.range;
	Request *req = r.req;
	const int status = atomic_load(r.status);
	for (u32 i = 0; i < r.nr_touched; i++)
		unfreeze(core, touched_set(core, i));
	r.stage = kRangeIdle;
	r.req = nullptr;
	fc_os_complete(core.os, req, status);
}

// One step; false if there is nothing to do for now.
bool step(Core &core)
{
	RangeOp &r = core.range;
	switch (r.stage) {
	case kRangeIdle:
		return next_request(core);
	case kRangeDrain:
		if (!drained(core))
			return false;
		if (r.in_doubt) {
			r.status = FC_EIO;
			r.stage = kRangeEnd;
			return true;
		}
		start_origin(core);
		return true;
	case kRangeOrigin:
		if (!atomic_load(r.origin_done))
			return false;
		after_origin(core);
		return true;
	case kRangeFlush:
		if (!atomic_load(r.flush_done))
			return false;
		r.cursor = 0;
		// Whoever sent the flush that failed: the origin may have lost what was done there.
		if (r.flush_errors != atomic_load(core.wb.flush_errors))
			atomic_store(r.status, static_cast<u8>(FC_EIO));
		r.only_clean = r.only_clean || r.status;
		r.stage = kRangeDrop;
		return true;
	case kRangeDrop:
		drop(core);
		return r.stage != kRangeDrop;
	case kRangeEnd:
		if (atomic_load(r.outstanding))
			return false;
		finish(core);
		kick_run(core);	// who waits in its sets comes before the next one
		return false;
	}
	return false;
}

} // namespace

void queue_range(Core &core, Request &req)
{
	count(core, FC_STAT_discards);
	req.kind = kReqRange;
	{
		QueueGuard guard(core);
		req.next = nullptr;
		if (core.range_head)
			core.range_tail->next = &req;
		else
			core.range_head = &req;
		core.range_tail = &req;
	}
	kick_run(core);
}

void run_range(Core &core)
{
	while (step(core))
		;
}

void range_origin_done(Core &core, int status)
{
	if (status && status != FC_ENOTSUPP) {
		count(core, FC_STAT_disk_write_errors);
		if (core.range.req->flags & kReqFlagFua)
			fua_failed(core, FC_DEV_ORIGIN);
	}
	atomic_store(core.range.status, static_cast<u8>(status));
	atomic_store(core.range.origin_done, true);
	kick_run(core);
}

void range_flush_done(Core &core, int status)
{
	if (status) {
		own_flush_failed(core, FC_DEV_ORIGIN);
		atomic_store(core.range.status, static_cast<u8>(FC_EIO));
	}
	atomic_store(core.range.flush_done, true);
	kick_run(core);
}

void range_job_done(Core &core, Job &job, bool failed)
{
	const u32 n = count_bits(job.mask);
	if (job.kind == kJobInvalidate) {
		SetGuard guard(core, job.set);
		CacheSet set = set_at(core, job.set);
		// A record that may be on the cache device or not leaves its block in doubt.
		const bool doubt = failed && (job.flags & kJobRecordAppended);
		if (!failed)
			note_clean(core, n);
		for (u32 i = 0; i < n; i++) {
			if (!failed)
				set.remove(job.way[i]);
			set.set_busy(job.way[i], doubt);
		}
	}
	if (job.kind == kJobInvalidate && !failed) {
		records_applied(core, job);
		atomic_sub<u64>(core.nr_valid, n);
		count(core, FC_STAT_write_invalidates, n);
		wake_if_clean(core);
	}
	if (failed)
		atomic_store(core.range.status, static_cast<u8>(FC_EIO));
	free_job(core, job);
	if (atomic_sub(core.range.outstanding, 1u) == 0)
		kick_run(core);
}

} // namespace fc
