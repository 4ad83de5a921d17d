// SPDX-License-Identifier: GPL-2.0-only
//
// Between jobs and the log: records in, completions out, settling, flushes, room.
#include "cache.h"

namespace fc {
namespace {

// A checkpoint starts when it would give back so many eighths of the log: the more, the fewer home units
// are written again and again; the rest is for what comes while it runs.
constexpr u64 kCheckpointEighths = 3;

u32 record_state(const Job &job)
{
	if (job.kind == kJobWriteback)
		return FC_DISK_CLEAN;
	if (job.kind == kJobWrite && job.stage != kStageRevoke)
		return FC_DISK_DIRTY;
	return FC_DISK_INVALID;
}

void touch(Core &core, u32 slot) FC_REQUIRES(log_lock)
{
	const u64 unit = core.home.unit_of(slot);
	core.touched[unit / 64] |= 1ull << (unit % 64);
}

void add_records(Core &core, Job &job, u32 state) FC_REQUIRES(log_lock)
{
	u32 n = 0;
	for (u64 left = job.mask; left; left &= left - 1, n++) {
		const u32 bit = static_cast<u32>(std::countr_zero(left));
		const u32 slot = slot_number(core, job.set, job.way[bit]);
		core.log.add({
			.slot = slot,
			.state = state,
			.data_crc = state == FC_DISK_DIRTY ? job.crc[bit] : 0,
			.origin_block = state == FC_DISK_INVALID ? 0 : job.first_block + bit,
		});
		touch(core, slot);
	}
	core.log.attach(job, state == FC_DISK_DIRTY ? n : 0);
	job.flags |= kJobRecordAppended;
	count(core, state == FC_DISK_DIRTY ? FC_STAT_metadata_dirties : FC_STAT_metadata_cleans, n);
}

enum class Append { kDone, kWaits, kRefused };

bool has_room(Core &core, const Job &job) FC_REQUIRES(log_lock)
{
	return core.log.failed() || core.log.has_room(nr_blocks_of(job), job.stage == kStageRevoke);
}

Append try_append(Core &core, Job &job)
{
	LogGuard guard(core);
	if (core.log.failed())
		return Append::kRefused;
	if (has_room(core, job)) {
		add_records(core, job, record_state(job));
		return Append::kDone;
	}
	if (core.log.fits_buffer(nr_blocks_of(job)))
		core.log.want_confirm();
	count(core, FC_STAT_log_waits);
	// What others wait for goes to the front.
	const bool first = job.stage == kStageRevoke || !core.room_head;
	job.queue_next = first ? core.room_head : nullptr;
	if (!job.queue_next && core.room_head)
		core.room_tail->queue_next = &job;
	if (first)
		post(core.room_head, &job);
	if (!job.queue_next)
		core.room_tail = &job;
	return Append::kWaits;
}

bool room_is_wanted(Core &core)
{
	return peek(core.room_head) != nullptr;
}

// Somebody waits for the log, and not just for its next batch.
bool log_is_short(Core &core) FC_REQUIRES(log_lock)
{
	const Job *job = core.room_head;
	return job && core.log.fits_buffer(nr_blocks_of(*job)) && !has_room(core, *job);
}

// And is it short of what a checkpoint gives back?  Unconfirmed batches only take a confirmation.
bool units_are_short(Core &core) FC_REQUIRES(log_lock)
{
	const Job *job = core.room_head;
	return log_is_short(core) && !core.log.has_units(nr_blocks_of(*job), job->stage == kStageRevoke);
}

Job *next_with_room(Core &core)
{
	LogGuard guard(core);
	Job *job = core.room_head;
	if (log_is_short(core))
		core.log.want_confirm();
	if (!job || !has_room(core, *job))
		return nullptr;
	post(core.room_head, job->queue_next);
	return job;
}

// Jobs that waited for room try again, in order, as far as there is some.
void retry_room(Core &core)
{
	while (Job *job = next_with_room(core))
		append_records(core, *job);
}

void confirm_slot(Core &core, u32 slot)
{
	if (slot == kNoSlot)
		return;
	const u32 set_nr = slot / core.geo.ways();
	SetGuard guard(core, set_nr);
	CacheSet set = set_at(core, set_nr);
	set.set_unconfirmed(slot % core.geo.ways(), false);
	make_ready(core, set_nr, set.header().stalled);
}

void settle(Core &core)
{
	for (;;) {
		u32 first = 0;
		u32 n = 0;
		{
			LogGuard guard(core);
			if (!core.log.next_to_settle(first, n))
				return;
		}
		for (u32 i = 0; i < n; i++)
			confirm_slot(core, core.log.slot_at(first + i));
		LogGuard guard(core);
		core.log.settled();
	}
}

bool prepare_flush(Core &core) FC_REQUIRES(log_lock)
{
	if (!core.log.flush_wanted() || core.log_flush_in_flight || core.log.failed())
		return false;
	core.log_flush_in_flight = true;
	core.log_flush_ticket = core.log.flush_ticket();
	return true;
}

void start_checkpoint_if_due(Core &core)
{
	u64 gain;
	bool is_short;
	{
		LogGuard guard(core);
		if (core.checkpoint_running)	// looks again when it ends
			return;
		is_short = units_are_short(core) || core.log.too_full_to_confirm();
		gain = core.log.settled_sequence() + 1 - core.log.tail();
	}
	if (gain && (is_short || gain > core.log.capacity() / 8 * kCheckpointEighths))
		fc_os_kick(core.os, FC_WORK_CHECKPOINT, 0);
}

void refuse(Core &core, Job &job)
{
	if (job.kind == kJobWrite)
		write_record_refused(core, job);
	else if (job.kind == kJobWriteback)
		writeback_committed(core, job, true);
	else
		range_job_done(core, job, true);
}

} // namespace

bool log_needs_worker(Core &core)
{
	constexpr u64 kSettleLater = 64;	// batches; a wake-up for each would cost more
	return core.log.unsettled() > kSettleLater || core.log.settle_wanted() ||
	       core.log.has_records() || core.log.write_pending() || core.log.flush_wanted() ||
	       room_is_wanted(core);
}

void mark_doubtful(CacheSet &set, const Job &job)
{
	for (u64 left = job.mask; left; left &= left - 1)
		set.set_unconfirmed(job.way[std::countr_zero(left)], true);
}

void append_records(Core &core, Job &job)
{
	// A write is still ours afterwards, since it lacks its data; others may be gone by then.
	const bool sends_data = job.kind == kJobWrite && job.stage == kStageData;
	switch (try_append(core, job)) {
	case Append::kDone:
		if (sends_data)
			write_record_appended(core, job);
		start_log(core);
		break;
	case Append::kWaits:
		kick_run(core);
		break;
	case Append::kRefused:
		refuse(core, job);
		break;
	}
}

void start_log(Core &core)
{
	bool write;
	bool flush;
	{
		LogGuard guard(core);
		// flush_lost is set at once, the log fails a moment later.
		if (core.at_rest || atomic_load(core.flush_lost))
			return;
		write = core.log.prepare_write();
		flush = prepare_flush(core);
	}
	if (write)
		core.log.write();
	if (!flush)
		return;
	count(core, FC_STAT_flush_ssd);
	fc_os_async_io(core.os, FC_DEV_CACHE, FC_IO_FLUSH, 0, nullptr, 0, 0, kTokenLogFlush);
}

void tell_jobs(Core &core, Job *list, bool failed)
{
	for (Job *next; list; list = next) {
		next = list->log_next;
		if (list->kind == kJobWrite)
			write_record_done(core, *list, failed);
		else if (list->kind == kJobWriteback)
			writeback_committed(core, *list, failed);
		else
			range_job_done(core, *list, failed);
	}
}

void log_io_done(Core &core, int status)
{
	Job *done = nullptr;
	bool failed = false;
	bool kick;
	if (status && core.log.write_is_fua())
		fua_failed(core, FC_DEV_CACHE);
	{
		LogGuard guard(core);
		core.log.write_done(status, done, failed);
		kick = log_needs_worker(core);
	}
	if (status)
		cache_device_error(core, FC_STAT_ssd_write_errors);
	if (failed)
		log_failed(core, "the metadata log cannot be written");
	tell_jobs(core, done, failed);
	if (kick || failed)
		kick_run(core);
}

void log_flush_done(Core &core, int status)
{
	Job *done = nullptr;
	// The log must not go on when the flush counts as ended.
	if (status)
		flush_failed(core, FC_DEV_CACHE);
	{
		LogGuard guard(core);
		core.log_flush_in_flight = false;
		if (!status && !atomic_load(core.flush_lost))
			done = core.log.flushed(core.log_flush_ticket);
	}
	tell_jobs(core, done, false);
	kick_run(core);
}

void records_applied(Core &core, const Job &job)
{
	bool kick;
	{
		LogGuard guard(core);
		core.log.applied(job);
		kick = log_needs_worker(core);
	}
	if (kick)
		kick_run(core);
}

void data_arrived(Core &core, u64 batch)
{
	bool kick;
	{
		LogGuard guard(core);
		core.log.data_arrived(batch);
		kick = core.log.settle_wanted() || room_is_wanted(core);
	}
	if (kick)
		kick_run(core);
}

namespace {

// A batch that cannot become ready without a record for which there is no room any more: data
// writes fail one after the other while log writes work.  The log is lost then.
void give_up_if_stuck(Core &core)
{
	Job *told = nullptr;
	{
		LogGuard guard(core);
		u32 first;
		u32 n;
		const Job *job = core.room_head;
		const bool stuck = job && job->stage == kStageRevoke && !has_room(core, *job) &&
				   core.log.idle() && !core.log.next_to_settle(first, n) &&
				   core.log.settled_sequence() < core.log.tail() &&
				   !core.checkpoint_running && !core.log_flush_in_flight &&
				   !core.log.flush_wanted() && !core.log.confirmation_due();
		if (!stuck)
			return;
		told = core.log.fail();
	}
	log_failed(core, "no room in the log for records of failed writes");
	tell_jobs(core, told, true);
	kick_run(core);
}

// Who waits for a confirmation that will never come is to be told.
void release_stalled(Core &core)
{
	if (!core.log.failed() || core.stalled_released)
		return;
	core.stalled_released = true;
	for (u32 set = 0; set < core.geo.nr_sets(); set++) {
		SetGuard guard(core, set);
		make_ready(core, set, set_at(core, set).header().stalled);
	}
}

} // namespace

void run_log(Core &core)
{
	settle(core);
	release_stalled(core);
	retry_room(core);
	start_log(core);
	retry_room(core);	// the batch that fills may be a new one
	start_checkpoint_if_due(core);
	give_up_if_stuck(core);
}

} // namespace fc
