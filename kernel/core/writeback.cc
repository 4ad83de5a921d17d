// SPDX-License-Identifier: GPL-2.0-only
//
// The cleaner: copies dirty blocks to the origin; commit.cc then makes them clean.
//
// It lives while there are dirty blocks.  Each call of fc_core_writeback() starts copies in the
// order of the sets (which is the order of the origin, extent by extent), merged into runs.
//
// What is cleaned: everything, if a sync was asked for or no request came for idle_delay_ms; else
// sets above the dirty threshold, and everything once in fallow_delay.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kTickMs = 500;		// how often the cleaner looks when it has nothing to do
constexpr u32 kSetsPerCall = 4096;	// looked at in one call
constexpr u32 kPick = 64;		// dirty blocks of a set looked at in one call

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
	const bool singly = peek(core.wb.singly) != 0;
	if (singly)
		atomic_sub(core.wb.singly, 1u);
	u32 back = 0;
	while (!singly && back < piece.bit && back < way && can_copy(set, way - back - 1) &&
	       set.tag(way - back - 1) == tag - back - 1)
		back++;
	u32 n = back + 1;
	while (!singly && piece.bit - back + n < core.geo.chunk_blocks() && way - back + n < core.geo.ways() &&
	       can_copy(set, way - back + n) && set.tag(way - back + n) == tag - back + n)
		n++;
	const u32 first_bit = piece.bit - back;
	for (u32 i = 0; i < n; i++) {
		set.set_busy(way - back + i, true);
		job->way[first_bit + i] = static_cast<u16>(way - back + i);
	}
	job->kind = kJobWriteback;
	job->flush_errors = atomic_load(core.wb.flush_errors);
	post(job->stage, kStageData);
	link_job(core, *job, piece, bit_range(first_bit, n), nullptr);
	count(core, FC_STAT_front_merge, back);
	count(core, FC_STAT_back_merge, n - back - 1);
	return job;
}

// Start up to limit copies in a set.  unconfirmed: something could not be started only for now.
// more: there is more to look at in the set.
u32 start_set(Core &core, u32 set_nr, u32 limit, Reason reason, bool &unconfirmed, bool &more)
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
		more = n == limit || nr_picked == kPick;
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

void next_set(Core &core)
{
	core.wb.cursor = core.wb.cursor + 1 < core.geo.nr_sets() ? core.wb.cursor + 1 : 0;
	core.wb.set_visits = 0;
}

// The fallow walk stays at a set while there is more in it, but not for ever: it may be written to.
bool stays(Core &core, Reason reason, bool more)
{
	return reason == Reason::kFallow && more && core.wb.set_visits++ < core.geo.ways() / 2;
}

// Walk the sets from the cursor on and start copies.  Returns the number of sets that are done;
// nothing: a whole round of them, and nothing was to be done.
u32 start_copies(Core &core, Reason reason, bool &nothing)
{
	const u32 total = peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_TOTAL]);
	const u32 per_set = peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_SET]);
	const u32 threshold = core.geo.ways() * peek(core.tunables[FC_TUNE_DIRTY_THRESH_PCT]) / 100;
	const u32 nr_sets = core.geo.nr_sets();
	bool unconfirmed = false;
	bool found = false;
	u32 done = 0;
	core.wb.pick += kPick;
	u32 room = copies_in_flight(core);
	room = room < total ? total - room : 0;
	for (; done < min_of(nr_sets, kSetsPerCall) && room; done++, next_set(core)) {
		const u32 dirty = dirty_in(core, core.wb.cursor);
		if (!dirty || (reason == Reason::kThreshold && dirty <= threshold))
			continue;
		bool more = false;
		const u32 n = start_set(core, core.wb.cursor, min_of(room, per_set), reason, unconfirmed, more);
		found |= n != 0;
		room -= n;
		if (stays(core, reason, more))
			break;
	}
	if (unconfirmed && (reason != Reason::kThreshold || !found)) {
		{
			LogGuard guard(core);
			core.log.want_confirm();
		}
		kick_run(core);
	}
	nothing = !found && !unconfirmed && done == nr_sets;
	return done;
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
		core.wb.cursor = core.wb.set_visits = 0;
	}
	return Reason::kFallow;
}

// The fallow walk has done so many sets more.
void note_fallow(Core &core, u32 done, u64 now)
{
	core.wb.fallow_left -= min_of(core.wb.fallow_left, done);
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
	bool nothing = false;
	const u32 done = start_copies(core, reason, nothing);
	if (reason == Reason::kFallow)
		note_fallow(core, done, now);
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
	if (core->log.failed())
		post(core->wb.syncing, false);
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
