// SPDX-License-Identifier: GPL-2.0-only
//
// Writes that change the state of blocks.
//
// First-dirty (kJobWrite): the data goes to the cache device and a DIRTY record with its checksum
// to the log, both at once; the request ends when both have completed (rule 1).  Part of a clean
// block is made whole first by reading the block.  If the data fails, the record is revoked by an
// INVALID record and the request goes to the origin; if the record fails, nobody can know what a
// recovery would find, and the blocks answer with errors from then on.
//
// Write-through (kJobThrough): the data goes to both devices at once; the origin decides.
//
// Both write from a private copy: the checksum, or the two devices, must see the same bytes.
#include "cache.h"

namespace fc {
namespace {

u64 cache_sector(const Core &core, const Job &job)
{
	return core.geo.data_sector(job.set, job.way[first_bit(job)]);
}

u64 request_sector(const Job &job)
{
	return job.req->sector + job.req_offset;
}

// Sectors of the job's first block before the request's data.
u32 head_of(const Core &core, const Job &job)
{
	return static_cast<u32>(request_sector(job) & low_bits(core.geo.block_shift()));
}

bool is_partial(const Core &core, const Job &job)
{
	return job.nr_sectors != nr_blocks_of(job) << core.geo.block_shift();
}

u32 io_flags(const Job &job)
{
	return job.req->flags & kReqFlagFua ? FC_IO_FUA : 0;
}

// Release the job's ways: kept as they are, or forgotten.
void release_ways(Core &core, Job &job, bool keep)
{
	SetGuard guard(core, job.set);
	CacheSet set = set_at(core, job.set);
	for (u64 left = job.mask; left; left &= left - 1) {
		const u32 way = job.way[std::countr_zero(left)];
		if (!keep)
			set.remove(way);
		set.set_busy(way, false);
	}
	if (!keep)
		atomic_sub<u64>(core.nr_valid, nr_blocks_of(job));
}

void end_job(Core &core, Job &job, int status)
{
	Request &req = *job.req;
	const u32 sectors = job.nr_sectors;
	{
		SetGuard guard(core, job.set);
		unlink_job(core, job);
	}
	free_job(core, job);
	end_part(core, req, sectors, status);
}

// ---- first-dirty

void become_dirty(Core &core, Job &job)
{
	bool many;
	{
		SetGuard guard(core, job.set);
		CacheSet set = set_at(core, job.set);
		for (u64 left = job.mask; left; left &= left - 1) {
			const u32 way = job.way[std::countr_zero(left)];
			set.set_dirty(way, true);
			set.set_busy(way, false);
		}
		many = set.header().nr_dirty * 100u > core.geo.ways() * peek(core.tunables[FC_TUNE_DIRTY_THRESH_PCT]);
	}
	note_dirty(core, nr_blocks_of(job));
	// Memory agrees with the record now; only then may the log forget it.
	data_arrived(core, job.log_sequence);
	if (many)
		fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
	if (!(job.req->flags & kReqFlagFua))
		note_write(core, FC_DEV_CACHE);
	end_job(core, job, FC_OK);
}

// Nobody knows whether the cache device holds these blocks as dirty: their ways stay busy for
// good, without a job (in doubt).
void leave_in_doubt(Core &core, Job &job)
{
	const u64 first = job.first_block + first_bit(job);
	fc_os_log(core.os, FC_LOG_ERROR, "blocks %llu..%llu cannot be used any more: a write to the cache device and its log failed",
		  first, first + nr_blocks_of(job) - 1);
	end_job(core, job, FC_EIO);
}

void fall_back(Core &core, Job &job)
{
	release_ways(core, job, false);
	post(job.stage, kStageFallback);
	count(core, FC_STAT_uncached_io_requeue);
	queue_advance(core, job);
}

// Called once for the data and once for the record.
void data_or_record_done(Core &core, Job &job)
{
	if (atomic_sub(job.in_flight, 1u))
		return;
	if (job.flags & kJobRecordFailed) {
		leave_in_doubt(core, job);
	} else if (job.flags & kJobCacheFailed) {
		post(job.stage, kStageRevoke);
		queue_advance(core, job);
	} else {
		become_dirty(core, job);
	}
}

void start_data(Core &core, Job &job)
{
	const u32 shift = core.geo.block_shift();
	const u32 first = first_bit(job);
	const u32 n = nr_blocks_of(job);
	for (u32 i = 0; i < n; i++)
		job.crc[first + i] = fc_os_buffer_crc(core.os, &job, i << shift, 1u << shift);
	post(job.stage, kStageData);
	job.in_flight = 2;		// the data and the record
	if (job.req->flags & kReqFlagFua)
		job.flags |= kLogFua;
	append_records(core, job);	// goes on in write_record_appended()
}

void fill_buffer(Core &core, Job &job)
{
	const u32 at = job.kind == kJobWrite ? head_of(core, job) : 0;
	fc_os_copy_in(core.os, &job, at, job.req, job.req_offset, job.nr_sectors);
}

void start_write(Core &core, Job &job)
{
	const u32 sectors = nr_blocks_of(job) << core.geo.block_shift();
	if (fc_os_job_buffer(core.os, &job, sectors, 1)) {
		queue_for_memory(core, job);
		return;
	}
	if (is_partial(core, job)) {
		post(job.stage, kStageRead);
		count(core, FC_STAT_ssd_reads);
		fc_os_job_io(core.os, &job, FC_DEV_CACHE, FC_IO_READ, cache_sector(core, job), 0, sectors, 0);
		return;
	}
	fill_buffer(core, job);
	start_data(core, job);
}

void revoke(Core &core, Job &job)
{
	{
		LogGuard guard(core);
		core.log.forget_records(job, nr_blocks_of(job));
	}
	job.stale = job.log_sequence;	// the batch that still waits for the data
	job.flags = kLogDurable;
	append_records(core, job);
}

void revoked(Core &core, Job &job, bool failed)
{
	if (failed) {
		leave_in_doubt(core, job);
		return;
	}
	// Only now may the slots be used for other blocks, and the first record be confirmed.
	release_ways(core, job, false);
	records_applied(core, job);
	data_arrived(core, job.stale);
	post(job.stage, kStageFallback);
	count(core, FC_STAT_uncached_io_requeue);
	queue_advance(core, job);
}

void start_fallback(Core &core, Job &job)
{
	const u32 at = job.kind == kJobWrite ? head_of(core, job) : 0;
	fill_buffer(core, job);		// a partial write may not have come so far
	count(core, FC_STAT_disk_writes);
	fc_os_job_io(core.os, &job, FC_DEV_ORIGIN, FC_IO_WRITE, request_sector(job), at, job.nr_sectors,
		     io_flags(job));
}

void origin_write_done(Core &core, Job &job, int status)
{
	if (status)
		count(core, FC_STAT_disk_write_errors);
	else if (!(job.req->flags & kReqFlagFua))
		note_write(core, FC_DEV_ORIGIN);
	end_job(core, job, status);
}

// ---- write-through

void start_through(Core &core, Job &job)
{
	if (fc_os_job_buffer(core.os, &job, job.nr_sectors, 1)) {
		queue_for_memory(core, job);
		return;
	}
	fill_buffer(core, job);
	post(job.stage, kStageData);
	job.in_flight = 2;
	count(core, FC_STAT_ssd_writes);
	count(core, FC_STAT_disk_writes);
	const u64 origin_sector = request_sector(job);
	const u64 to = cache_sector(core, job) + head_of(core, job);
	const u32 sectors = job.nr_sectors;
	fc_os_job_io(core.os, &job, FC_DEV_ORIGIN, FC_IO_WRITE, origin_sector, 0, sectors, io_flags(job));
	fc_os_job_io(core.os, &job, FC_DEV_CACHE, FC_IO_WRITE, to, 0, sectors, 0);
}

void through_io_done(Core &core, Job &job, int dev, int status)
{
	if (status && dev == FC_DEV_CACHE) {
		__atomic_fetch_or(&job.flags, kJobCacheFailed, __ATOMIC_SEQ_CST);
		cache_device_error(core, FC_STAT_ssd_write_errors);
	} else if (status) {
		job.status = FC_EIO;
		count(core, FC_STAT_disk_write_errors);
	}
	if (atomic_sub(job.in_flight, 1u))
		return;
	// What is on the origin after an error is unknown: then the cache must not know better.
	release_ways(core, job, !job.status && !(job.flags & kJobCacheFailed));
	if (!(job.req->flags & kReqFlagFua))
		note_write(core, FC_DEV_ORIGIN);
	end_job(core, job, job.status);
}

} // namespace

void advance_write(Core &core, Job &job)
{
	if (job.stage == kStageFallback) {
		start_fallback(core, job);
	} else if (job.kind == kJobThrough) {
		start_through(core, job);
	} else if (job.stage == kStageBuffer) {
		start_write(core, job);
	} else if (job.stage == kStageRead) {
		fill_buffer(core, job);
		start_data(core, job);
	} else {
		revoke(core, job);
	}
}

void write_io_done(Core &core, Job &job, int dev, int status)
{
	if (job.stage == kStageFallback) {
		origin_write_done(core, job, status);
		return;
	}
	if (job.kind == kJobThrough) {
		through_io_done(core, job, dev, status);
		return;
	}
	if (status)
		cache_device_error(core, job.stage == kStageRead ? FC_STAT_ssd_read_errors : FC_STAT_ssd_write_errors);
	if (job.stage == kStageRead) {
		if (status)
			fall_back(core, job);	// the block is clean: the origin has the rest of it
		else
			queue_advance(core, job);
		return;
	}
	if (status)
		__atomic_fetch_or(&job.flags, kJobCacheFailed, __ATOMIC_SEQ_CST);
	data_or_record_done(core, job);
}

void write_record_appended(Core &core, Job &job)
{
	count(core, FC_STAT_ssd_writes);
	fc_os_job_io(core.os, &job, FC_DEV_CACHE, FC_IO_WRITE, cache_sector(core, job), 0,
		     nr_blocks_of(job) << core.geo.block_shift(), io_flags(job));
}

void write_record_refused(Core &core, Job &job)
{
	if (job.stage == kStageRevoke)
		leave_in_doubt(core, job);
	else
		fall_back(core, job);	// no trace of the write is on the cache device
}

void write_record_done(Core &core, Job &job, bool failed)
{
	if (job.stage == kStageRevoke) {
		revoked(core, job, failed);
		return;
	}
	if (failed)
		__atomic_fetch_or(&job.flags, kJobRecordFailed, __ATOMIC_SEQ_CST);
	data_or_record_done(core, job);
}

void bypass_done(Core &core, Request &req, int status)
{
	Job &job = *req.job;
	if (status)
		count(core, FC_STAT_disk_write_errors);
	else if (!(req.flags & kReqFlagFua))
		note_write(core, FC_DEV_ORIGIN);
	{
		SetGuard guard(core, job.set);
		unlink_job(core, job);
	}
	free_job(core, job);
}

} // namespace fc
