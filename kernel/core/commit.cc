// SPDX-License-Identifier: GPL-2.0-only
//
// The cleaner's second half: what has been copied to the origin becomes clean.
//
// Finished copies are committed together: flush the origin once, then CLEAN records; when they are
// durable the blocks are clean (rule 4).  Writes to a block that is being copied go on in place;
// the block then stays dirty.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kBackoffMs = 1000;	// after a round of failed copies, doubled each time
constexpr u32 kBackoffMaxMs = 60000;
constexpr u32 kSinglyBlocks = 2 * FC_JOB_MAX_BLOCKS;	// copied one by one after a run has failed
constexpr u32 kCommitBlocks = 256;	// commit when so many are copied, or no copy is going on

// ---- ending jobs

void end_copying(CacheSet &set, u32 n) FC_REQUIRES(set_lock)
{
	post(set.header().nr_copying, static_cast<u16>(set.header().nr_copying - n));
}

void release(Core &core, Job &job, bool now_clean)
{
	const u32 n = nr_blocks_of(job);
	{
		SetGuard guard(core, job.set);
		CacheSet set = set_at(core, job.set);
		if (now_clean)
			note_clean(core, n);
		for (u64 left = job.mask; left; left &= left - 1) {
			const u32 way = job.way[std::countr_zero(left)];
			set.set_busy(way, false);
			if (now_clean)
				set.set_dirty(way, false);
		}
		end_copying(set, n);
		unlink_job(core, job);
	}
	if (now_clean) {
		count(core, FC_STAT_cleanings, n);
		if (job.flags & kJobFallow)
			count(core, FC_STAT_fallow_cleanings, n);
		wake_if_clean(core);
	}
}

void copy_failed(Core &core, Job &job)
{
	const bool run = nr_blocks_of(job) > 1;
	release(core, job, false);
	free_job(core, job);
	WritebackGuard guard(core);
	// One bad block must not hold its neighbours.
	if (run)
		atomic_store(core.wb.singly, kSinglyBlocks);
	const u64 now = fc_os_now_ms(core.os);
	if (now < peek(core.wb.not_before_ms))
		return;		// this round has been counted
	const u32 failures = peek(core.wb.failures);
	const u32 shift = min_of(failures, 6u);
	post(core.wb.failures, failures + 1);
	post(core.wb.not_before_ms, now + min_of(kBackoffMs << shift, kBackoffMaxMs));
}

// ---- committing

bool take_copied(Core &core, bool nothing_to_copy, Job *&list)
{
	WritebackGuard guard(core);
	const u32 blocks = core.wb.copied_blocks;
	if (!blocks || (blocks < kCommitBlocks && (core.wb.in_flight || !nothing_to_copy)))
		return false;
	list = core.wb.copied;
	core.wb.copied = nullptr;
	core.wb.commit_jobs += core.wb.copied_jobs;
	core.wb.copied_jobs = core.wb.copied_blocks = 0;
	return true;
}

void leave_commit(Core &core)
{
	WritebackGuard guard(core);
	core.wb.commit_jobs--;
}

// Keep what a write has touched since the copy began out of the commit; from here on writes to
// the rest wait.  What was written before a sync began has reached the origin all the same.  False if nothing is left; then the job is out of its set.
bool close_copy(Core &core, Job &job)
{
	SetGuard guard(core, job.set);
	CacheSet set = set_at(core, job.set);
	u64 keep = 0;
	for (u64 left = job.mask; left; left &= left - 1) {
		const u32 bit = static_cast<u32>(std::countr_zero(left));
		if ((job.stale >> bit & 1) || set.writers(job.way[bit])) {
			set.set_busy(job.way[bit], false);
			if (job.due >> bit & 1)
				set.set_due(job.way[bit], false);
		} else {
			keep |= 1ull << bit;
		}
	}
	end_copying(set, nr_blocks_of(job) - count_bits(keep));
	job.mask = keep;
	post(job.stage, kStageCommit);
	if (!keep)
		unlink_job(core, job);
	return keep != 0;
}

} // namespace

// One commit at a time.  Its first step: the origin's flush, if it needs one.
void start_commit(Core &core, bool nothing_to_copy)
{
	if (core.wb.flushing || !take_copied(core, nothing_to_copy, core.wb.flushing))
		return;
	core.wb.flush_status = FC_OK;
	if (!peek(core.volatile_dev[FC_DEV_ORIGIN])) {
		atomic_store(core.wb.flush_done, true);
		return;
	}
	count(core, FC_STAT_flush_disk);
	fc_os_async_io(core.os, FC_DEV_ORIGIN, FC_IO_FLUSH, 0, nullptr, 0, 0, kTokenWritebackFlush);
}

// Its second step: CLEAN records.
void finish_commit(Core &core)
{
	if (!core.wb.flushing || !atomic_load(core.wb.flush_done))
		return;
	Job *list = core.wb.flushing;
	core.wb.flushing = nullptr;
	atomic_store(core.wb.flush_done, false);
	const bool failed = core.wb.flush_status;
	const u32 flush_errors = atomic_load(core.wb.flush_errors);
	for (Job *next; list; list = next) {
		next = list->queue_next;
		// Whoever sent the flush that failed: the origin may have lost the copy by then.
		if (failed || list->flush_errors != flush_errors) {
			leave_commit(core);
			copy_failed(core, *list);
		} else if (!close_copy(core, *list)) {
			leave_commit(core);
			free_job(core, *list);
		} else {
			list->flags |= kLogDurable;
			append_records(core, *list);
		}
	}
}

void writeback_copied(Core &core, Job &job, int dev, int status)
{
	if (status) {
		if (dev == FC_DEV_CACHE)
			cache_device_error(core, FC_STAT_ssd_read_errors);
		else
			count(core, FC_STAT_disk_write_errors);
		copy_failed(core, job);
	}
	{
		WritebackGuard guard(core);
		core.wb.in_flight--;
		if (!status) {
			post(job.stage, kStageData);		// still: writes may go on until the commit
			job.queue_next = core.wb.copied;
			core.wb.copied = &job;
			core.wb.copied_jobs++;
			core.wb.copied_blocks += nr_blocks_of(job);
		}
	}
	fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
}

void writeback_flush_done(Core &core, int status)
{
	if (status)
		own_flush_failed(core, FC_DEV_ORIGIN);
	core.wb.flush_status = static_cast<u8>(status);
	atomic_store(core.wb.flush_done, true);
	fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
}

// The job's CLEAN records are durable, or will never be.
void writeback_committed(Core &core, Job &job, bool failed)
{
	if (failed && (job.flags & kJobRecordAppended)) {
		SetGuard guard(core, job.set);
		CacheSet set = set_at(core, job.set);
		mark_doubtful(set, job);
	}
	release(core, job, !failed);
	if (!failed) {
		records_applied(core, job);
		WritebackGuard guard(core);
		post(core.wb.failures, 0);
	}
	leave_commit(core);
	free_job(core, job);
	if (atomic_load(core.nr_dirty))
		fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
}

} // namespace fc
