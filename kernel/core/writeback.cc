// SPDX-License-Identifier: GPL-2.0-only
//
// The cleaner: copies dirty blocks to the origin and makes them clean.
//
// It lives while there are dirty blocks.  Each call of fc_core_writeback() starts copies in the
// order of the sets (which is the order of the origin, extent by extent), merged into runs, and
// commits those that have finished: flush the origin once, then CLEAN records; when they are
// durable the blocks are clean (rule 4).  Writes to a block that is being copied go on in place;
// the block then stays dirty.
//
// What is cleaned: everything, if a sync was asked for or no request came for idle_delay_ms; else
// sets above the dirty threshold, and everything once in fallow_delay.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kTickMs = 500;		// how often the cleaner looks when it has nothing to do
constexpr u32 kBackoffMs = 1000;	// after a failed copy, doubled each time
constexpr u32 kBackoffMaxMs = 60000;
constexpr u32 kSetsPerCall = 4096;	// looked at in one call
constexpr u32 kPick = 64;		// dirty blocks of a set looked at in one call
constexpr u32 kCommitBlocks = 256;	// commit when so many are copied, or nothing is in flight

enum class Reason { kNone, kThreshold, kAll, kFallow };

// ---- starting copies

// Sort ways by the tags of their blocks: within a set that is the order of the origin.
void sort_by_tag(const CacheSet &set, u16 *ways, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		const u16 way = ways[i];
		u32 j = i;
		for (; j && set.tag(ways[j - 1]) > set.tag(way); j--)
			ways[j] = ways[j - 1];
		ways[j] = way;
	}
}

bool can_copy(const CacheSet &set, u32 way)
{
	return set.dirty(way) && !set.busy(way) && !set.unconfirmed(way) && !set.writers(way);
}

// Claim the longest run around way: neighbours on the origin that are neighbours in the set.
Job *claim_run(Core &core, CacheSet &set, u32 set_nr, u32 way) FC_REQUIRES(set_lock)
{
	Job *job = fc_os_job_alloc(core.os);
	if (!job)
		return nullptr;
	const u64 block = core.geo.origin_block(set_nr, set.tag(way));
	Piece piece = {};
	piece.set = set_nr;
	piece.bit = static_cast<u32>(block & low_bits(core.geo.chunk_shift()));
	piece.base = block - piece.bit;
	const u32 tag = set.tag(way);
	u32 back = 0;
	while (back < piece.bit && back < way && can_copy(set, way - back - 1) &&
	       set.tag(way - back - 1) == tag - back - 1)
		back++;
	u32 n = back + 1;
	while (piece.bit - back + n < core.geo.chunk_blocks() && way - back + n < core.geo.ways() &&
	       can_copy(set, way - back + n) && set.tag(way - back + n) == tag - back + n)
		n++;
	const u32 first_bit = piece.bit - back;
	for (u32 i = 0; i < n; i++) {
		set.set_busy(way - back + i, true);
		job->way[first_bit + i] = static_cast<u16>(way - back + i);
	}
	job->kind = kJobWriteback;
	post(job->stage, kStageData);
	link_job(core, *job, piece, bit_range(first_bit, n), nullptr);
	count(core, FC_STAT_front_merge, back);
	count(core, FC_STAT_back_merge, n - back - 1);
	return job;
}

// Start up to limit copies in a set.  blocked: something could not be started only for now.
u32 start_set(Core &core, u32 set_nr, u32 limit, Reason reason, bool &unconfirmed)
{
	u16 ways[kPick];
	u32 nr_picked = 0;
	Job *started = nullptr;
	u32 n = 0;
	{
		SetGuard guard(core, set_nr);
		CacheSet set = set_at(core, set_nr);
		if (set.header().frozen)
			return 0;
		nr_picked = set.collect_dirty(core.wb.pick % core.geo.ways(), ways, kPick);
		sort_by_tag(set, ways, nr_picked);
		for (u32 i = 0; i < nr_picked && n < limit; i++) {
			unconfirmed |= set.unconfirmed(ways[i]);
			if (!can_copy(set, ways[i]))
				continue;
			Job *job = claim_run(core, set, set_nr, ways[i]);
			if (!job)
				break;
			if (reason != Reason::kThreshold)
				job->flags |= kJobFallow;
			job->queue_next = started;
			started = job;
			n++;
		}
	}
	if (!n)
		return 0;
	{
		WritebackGuard guard(core);
		core.wb.in_flight += n;
	}
	for (Job *job = started, *next; job; job = next) {
		next = job->queue_next;
		const u32 bit = static_cast<u32>(std::countr_zero(job->mask));
		const u32 shift = core.geo.block_shift();
		count(core, FC_STAT_ssd_reads);
		count(core, FC_STAT_disk_writes);
		fc_os_copy(core.os, job, core.geo.data_sector(job->set, job->way[bit]),
			   (job->first_block + bit) << shift, nr_blocks_of(*job) << shift);
	}
	return n;
}

// A look without the lock: it is about the order of work only.
u32 dirty_in(Core &core, u32 set_nr)
{
	return peek(set_at(core, set_nr).header().nr_dirty);
}

u32 copies_in_flight(Core &core)
{
	WritebackGuard guard(core);
	return core.wb.in_flight;
}

// Walk the sets from the cursor on and start copies.  True if a whole round found nothing to do.
bool start_copies(Core &core, Reason reason)
{
	const u32 total = peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_TOTAL]);
	const u32 per_set = peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_SET]);
	const u32 threshold = core.geo.ways() * peek(core.tunables[FC_TUNE_DIRTY_THRESH_PCT]) / 100;
	const u32 nr_sets = core.geo.nr_sets();
	bool unconfirmed = false;
	bool found = false;
	core.wb.pick += kPick;
	u32 room = copies_in_flight(core);
	room = room < total ? total - room : 0;
	for (u32 i = 0; i < min_of(nr_sets, kSetsPerCall) && room; i++) {
		const u32 set_nr = core.wb.cursor;
		core.wb.cursor = set_nr + 1 < nr_sets ? set_nr + 1 : 0;
		const u32 dirty = dirty_in(core, set_nr);
		if (!dirty || (reason == Reason::kThreshold && dirty <= threshold))
			continue;
		const u32 n = start_set(core, set_nr, min_of(room, per_set), reason, unconfirmed);
		found |= n != 0;
		room -= n;
	}
	if (unconfirmed && (reason != Reason::kThreshold || !found)) {
		{
			LogGuard guard(core);
			core.log.want_confirm();
		}
		kick_run(core);
	}
	return !found && !unconfirmed && nr_sets <= kSetsPerCall;
}

// ---- ending jobs

void release(Core &core, Job &job, bool now_clean)
{
	const u32 n = nr_blocks_of(job);
	{
		SetGuard guard(core, job.set);
		CacheSet set = set_at(core, job.set);
		for (u64 left = job.mask; left; left &= left - 1) {
			const u32 way = job.way[std::countr_zero(left)];
			set.set_busy(way, false);
			if (now_clean)
				set.set_dirty(way, false);
		}
		unlink_job(core, job);
	}
	if (now_clean) {
		count(core, FC_STAT_cleanings, n);
		if (job.flags & kJobFallow)
			count(core, FC_STAT_fallow_cleanings, n);
		note_clean(core, n);
	}
}

void copy_failed(Core &core, Job &job)
{
	release(core, job, false);
	free_job(core, job);
	WritebackGuard guard(core);
	const u32 shift = min_of(core.wb.failures, 6u);
	post(core.wb.failures, core.wb.failures + 1);
	post(core.wb.not_before_ms, fc_os_now_ms(core.os) + min_of(kBackoffMs << shift, kBackoffMaxMs));
}

// ---- committing

bool take_copied(Core &core, Job *&list)
{
	WritebackGuard guard(core);
	u32 blocks = 0;
	for (const Job *job = core.wb.copied; job; job = job->queue_next)
		blocks += nr_blocks_of(*job);
	if (!blocks || (core.wb.in_flight && blocks < kCommitBlocks))
		return false;
	list = core.wb.copied;
	core.wb.copied = nullptr;
	for (const Job *job = list; job; job = job->queue_next)
		core.wb.commit_jobs++;
	return true;
}

// One commit at a time.  Its first step: the origin's flush, if it needs one.
void start_commit(Core &core)
{
	if (core.wb.flushing || !take_copied(core, core.wb.flushing))
		return;
	core.wb.flush_status = FC_OK;
	if (!core.volatile_dev[FC_DEV_ORIGIN]) {
		atomic_store(core.wb.flush_done, true);
		return;
	}
	count(core, FC_STAT_flush_disk);
	fc_os_async_io(core.os, FC_DEV_ORIGIN, FC_IO_FLUSH, 0, nullptr, 0, 0, kTokenWritebackFlush);
}

void leave_commit(Core &core)
{
	WritebackGuard guard(core);
	core.wb.commit_jobs--;
}

// Keep what a write has touched since the copy began out of the commit; from here on writes to
// the rest wait.  False if nothing is left; then the job is out of its set.
bool close_copy(Core &core, Job &job)
{
	SetGuard guard(core, job.set);
	CacheSet set = set_at(core, job.set);
	u64 keep = 0;
	for (u64 left = job.mask; left; left &= left - 1) {
		const u32 bit = static_cast<u32>(std::countr_zero(left));
		if ((job.stale >> bit & 1) || set.writers(job.way[bit]))
			set.set_busy(job.way[bit], false);
		else
			keep |= 1ull << bit;
	}
	job.mask = keep;
	post(job.stage, kStageCommit);
	if (!keep)
		unlink_job(core, job);
	return keep != 0;
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
	for (Job *next; list; list = next) {
		next = list->queue_next;
		if (failed) {
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

// ---- what to do now

Reason reason_now(Core &core, u64 now)
{
	if (peek(core.wb.syncing))
		return Reason::kAll;
	const u32 idle_ms = peek(core.tunables[FC_TUNE_IDLE_DELAY_MS]);
	if (peek(core.io_seen)) {
		post(core.io_seen, 0u);
		core.wb.last_io_ms = now;
	} else if (idle_ms && now - core.wb.last_io_ms >= idle_ms) {
		return Reason::kAll;
	}
	const u32 fallow_s = peek(core.tunables[FC_TUNE_FALLOW_DELAY_S]);
	if (!fallow_s || now - core.wb.fallow_since_ms < fallow_s * 1000ull)
		return Reason::kThreshold;
	if (!core.wb.fallow_left) {
		core.wb.fallow_left = core.geo.nr_sets();
		core.wb.cursor = 0;
	}
	return Reason::kFallow;
}

void end_fallow_round(Core &core, u32 cursor_before, bool nothing, u64 now)
{
	const u32 walked = core.wb.cursor >= cursor_before
				   ? core.wb.cursor - cursor_before
				   : core.wb.cursor + core.geo.nr_sets() - cursor_before;
	core.wb.fallow_left -= min_of(core.wb.fallow_left, max_of(walked, nothing ? core.geo.nr_sets() : 1u));
	if (!core.wb.fallow_left)
		core.wb.fallow_since_ms = now;
}

void log_sync(Core &core, u64 now)
{
	constexpr u64 kEveryMs = 5000;
	if (!peek(core.wb.syncing) || now - core.wb.sync_logged_ms < kEveryMs)
		return;
	core.wb.sync_logged_ms = now;
	const u64 dirty = atomic_load(core.nr_dirty);
	fc_os_log(core.os, FC_LOG_INFO, "Cleaning %llu Dirty blocks, Dirty Blocks pct %llu%%", dirty,
		  dirty * 100 / core.geo.nr_blocks());
}

} // namespace

void note_dirty(Core &core, u32 blocks)
{
	if (__atomic_fetch_add(&core.nr_dirty, blocks, __ATOMIC_SEQ_CST) == 0)
		fc_os_kick(core.os, FC_WORK_WRITEBACK, kTickMs);
}

void note_clean(Core &core, u32 blocks)
{
	if (atomic_sub<u64>(core.nr_dirty, blocks) == 0)
		fc_os_wake(core.os);
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
			post(core.wb.failures, 0);
		}
	}
	fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
}

void writeback_flush_done(Core &core, int status)
{
	if (status)
		count(core, FC_STAT_disk_write_errors);
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
	if (!failed)
		records_applied(core, job);
	leave_commit(core);
	free_job(core, job);
	if (atomic_load(core.nr_dirty))
		fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
}

bool writeback_idle(Core &core)
{
	WritebackGuard guard(core);
	return !core.wb.in_flight && !core.wb.commit_jobs && !core.wb.copied && !core.wb.running;
}

void stop_writeback(Core &core, bool stop)
{
	WritebackGuard guard(core);
	core.wb.stopped = stop;
}

} // namespace fc

namespace fc {
namespace {

// False if no copies may be started.
bool begin_copies(Core &core)
{
	WritebackGuard guard(core);
	core.wb.running = !core.wb.stopped;
	return core.wb.running;
}

void end_copies(Core &core)
{
	WritebackGuard guard(core);
	core.wb.running = false;
}

u32 clean(Core &core, u64 now)
{
	if (peek(core.wb.syncing) && peek(core.tunables[FC_TUNE_STOP_SYNC]))
		post(core.wb.syncing, false);
	if (now < peek(core.wb.not_before_ms))
		return kTickMs;
	const Reason reason = reason_now(core, now);
	log_sync(core, now);
	const u32 cursor = core.wb.cursor;
	const bool nothing = start_copies(core, reason);
	if (reason == Reason::kFallow)
		end_fallow_round(core, cursor, nothing, now);
	// Finished copies kick; this is for what changes by itself.
	return reason == Reason::kThreshold || nothing ? kTickMs : kTickMs / 10;
}

} // namespace
} // namespace fc

FC_ENTRY unsigned int fc_core_writeback(struct fc_core *core)
{
	using namespace fc;
	const u64 now = fc_os_now_ms(core->os);
	finish_commit(*core);
	start_commit(*core);
	finish_commit(*core);
	if (atomic_load(core->nr_dirty) == 0) {
		post(core->wb.syncing, false);
		core->wb.fallow_since_ms = now;
		return 0;
	}
	// Without a log nothing can become clean.
	if (core->log.failed() || !begin_copies(*core))
		return 0;
	const u32 delay_ms = clean(*core, now);
	end_copies(*core);
	return delay_ms;
}

FC_ENTRY void fc_core_start_sync(struct fc_core *core)
{
	using namespace fc;
	post(core->tunables[FC_TUNE_STOP_SYNC], 0);
	post(core->wb.syncing, true);
	post(core->wb.not_before_ms, u64{0});
	fc_os_kick(core->os, FC_WORK_WRITEBACK, 0);
}
