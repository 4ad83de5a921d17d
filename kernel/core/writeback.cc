// SPDX-License-Identifier: GPL-2.0-only
//
// The cleaner: when what is copied to the origin.
//
//	all		when the cache stops or leaves write-back, and while no request comes (idle_delay_ms)
//	due		a sync, blocks that were not written for long, and clean_on_*_miss (sweep.cc)
//	threshold	sets above dirty_thresh_pct, and if the whole cache is above cache_dirty_thresh_pct all sets,
//			until they are an eighth below: so it does not begin again at each write
//
// Each call of fc_core_writeback() goes round the sets, from where the last one stopped, in the order of
// the origin, extent by extent.  While users read the origin only max_clean_ios_busy copies are in flight.
// copies.cc starts the copies, commit.cc makes what was copied clean.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kSetsPerCall = 4096;	// looked at in one call
constexpr u32 kPickStep = 64;		// each round begins to look elsewhere in the sets, to be fair
constexpr u32 kHysteresisDivisor = 8;
constexpr u32 kBusyMs = 100;		// users have read the origin so lately
constexpr u32 kCopiedMost = 4096;	// blocks that wait for a flush of the origin; each is busy
constexpr u32 kAtOnceMs = 1;
constexpr u32 kWaitingMs = 50;		// for what changes by itself
constexpr u32 kLogEveryMs = 5000;

// What one call wants.
struct Wants {
	bool all;
	bool fallow;		// what is due is so only because it is old
	bool pressure;		// the whole cache is above its threshold
	bool closing;
	u32 high;		// dirty blocks of a set above which it is cleaned
	u32 low;		// down to so many
	u32 cache_low;		// or so many, under pressure
	u32 per_set;		// copies
	u32 due;		// of these, of blocks that are due
	u32 room;		// copies that may be started
};

u64 below(u64 threshold)
{
	return threshold - threshold / kHysteresisDivisor;
}

u64 cache_threshold(Core &core)
{
	return core.geo.nr_blocks() * peek(core.tunables[FC_TUNE_CACHE_DIRTY_THRESH_PCT]) / 100;
}

u32 period_ms(Core &core)
{
	return peek(core.tunables[FC_TUNE_WRITEBACK_CENTISECS]) * 10;
}

// ---- what is wanted now

bool is_idle(Core &core, u64 now)
{
	const u32 idle_ms = peek(core.tunables[FC_TUNE_IDLE_DELAY_MS]);
	if (peek(core.io_seen)) {
		post(core.io_seen, 0u);
		core.wb.last_io_ms = now;
		return false;
	}
	return idle_ms && now - core.wb.last_io_ms >= idle_ms;
}

bool users_read_the_origin(Core &core, u64 now)
{
	if (peek(core.origin_read_seen)) {
		post(core.origin_read_seen, 0u);
		core.wb.origin_read_ms = now;
		core.wb.origin_read = true;
	}
	return core.wb.origin_read && now - core.wb.origin_read_ms < kBusyMs;
}

bool under_pressure(Core &core)
{
	const u64 dirty = atomic_load(core.nr_dirty);
	if (dirty > cache_threshold(core))
		core.wb.pressure = true;
	else if (dirty <= below(cache_threshold(core)))
		core.wb.pressure = false;
	return core.wb.pressure;
}

// Fallow blocks are in no hurry: fallow_clean_speed copies per set and second.  Returns how many in this
// round, as many as max_clean_ios_set allows; then there is none for as long as these are to take.
u32 fallow_copies(Core &core, u64 now)
{
	const u32 speed = peek(core.tunables[FC_TUNE_FALLOW_CLEAN_SPEED]);
	const u32 copies = min_of(speed, peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_SET]));
	if (now - core.wb.fallow_round_ms < 1000 * copies / speed)
		return 0;
	core.wb.fallow_round_ms = now;
	return copies;
}

void begin_round(Core &core, u64 now)
{
	core.wb.round_left = core.geo.nr_sets();
	core.wb.pick += kPickStep;
	core.wb.round_waits = false;
	core.wb.round_hurry = atomic_exchange(core.wb.hurry, false);
	core.wb.round_fallow = fallow_copies(core, now);
}

u32 room_for_copies(Core &core, bool closing, u64 now)
{
	u32 most = peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_TOTAL]);
	if (users_read_the_origin(core, now) && !closing)
		most = min_of(most, peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_BUSY]));
	WritebackGuard guard(core);
	if (core.wb.copied_blocks >= kCopiedMost)
		return 0;
	return core.wb.in_flight < most ? most - core.wb.in_flight : 0;
}

Wants wants_now(Core &core, u64 now)
{
	Wants w = {};
	const u32 ways = core.geo.ways();
	w.closing = peek(core.wb.all);
	w.all = is_idle(core, now) || w.closing;
	w.per_set = peek(core.tunables[FC_TUNE_MAX_CLEAN_IOS_SET]);
	w.fallow = !peek(core.wb.syncing) && !core.wb.round_hurry;
	w.due = atomic_load(core.shared.nr_due) ? (w.fallow ? core.wb.round_fallow : w.per_set) : 0;
	w.pressure = under_pressure(core);
	w.high = ways * peek(core.tunables[FC_TUNE_DIRTY_THRESH_PCT]) / 100;
	w.low = static_cast<u32>(below(w.high));
	w.cache_low = static_cast<u32>(below(cache_threshold(core)) / core.geo.nr_sets());
	w.room = room_for_copies(core, w.closing, now);
	return w;
}

// ---- one set

// Is the set above its threshold, or on the way down from there?
bool is_above(Core &core, const Wants &w, u32 set_nr, u32 dirty)
{
	SetHeader &header = set_at(core, set_nr).header();
	const bool was = peek(header.cleaning);
	const bool is = dirty > w.high || (was && dirty > w.low);
	if (is != was) {
		SetGuard guard(core, set_nr);	// for the bytes beside it
		post(header.cleaning, is && header.nr_dirty);
	}
	return is;
}

// How many blocks of the set are to be cleaned, whether one is due or not.  A look without the lock: it is about the
// order of work only.
u32 blocks_wanted(Core &core, const Wants &w, u32 set_nr)
{
	const SetHeader &header = set_at(core, set_nr).header();
	const u32 dirty = peek(header.nr_dirty);
	if (w.all)
		return dirty;
	const bool above = is_above(core, w, set_nr, dirty);
	const u32 low = min_of(above ? w.low : dirty, w.pressure ? w.cache_low : dirty);
	const u32 left = dirty - min_of(dirty, low);
	return left - min_of(left, u32{peek(header.nr_copying)});
}

struct Round {
	bool found;		// copies were started
	bool unconfirmed;	// because its record is not confirmed
};

void visit(Core &core, Wants &w, u32 set_nr, Round &round)
{
	SetHeader &header = set_at(core, set_nr).header();
	if (!peek(header.nr_dirty))
		return;
	CopyLimits limits = {};
	limits.jobs = min_of(w.room, w.per_set);
	limits.blocks = blocks_wanted(core, w, set_nr);
	limits.due = peek(header.nr_due) ? min_of(limits.jobs, w.due) : 0;
	limits.written_too = peek(core.wb.syncing);
	limits.fallow = w.fallow;
	limits.idle = w.all && !w.closing;
	if (!limits.blocks && !limits.due)
		return;
	const Claimed claimed = claim_copies(core, set_nr, limits);
	start_copies(core, claimed);
	w.room -= claimed.jobs;
	round.found |= claimed.jobs != 0;
	core.wb.round_waits |= !claimed.jobs;
	round.unconfirmed |= claimed.unconfirmed;
}

// ---- all sets

// Returns the milliseconds after which to go on.
u32 go_round(Core &core, Wants &w)
{
	const u32 nr_sets = core.geo.nr_sets();
	Round round = {};
	u32 done = 0;
	for (; done < kSetsPerCall && core.wb.round_left && w.room; done++, core.wb.round_left--) {
		visit(core, w, core.wb.cursor, round);
		core.wb.cursor = core.wb.cursor + 1 < nr_sets ? core.wb.cursor + 1 : 0;
	}
	if (round.unconfirmed) {
		{
			LogGuard guard(core);
			core.log.want_confirm();
		}
		kick_run(core);
	}
	if (!w.room)
		return period_ms(core);		// copies and commits kick when they end
	if (core.wb.round_left || round.found)
		return kAtOnceMs;
	return core.wb.round_waits ? min_of(period_ms(core), kWaitingMs) : period_ms(core);
}

void log_sync(Core &core, u64 now)
{
	if (!sync_gauge(core) || now - core.wb.sync_logged_ms < kLogEveryMs)
		return;
	core.wb.sync_logged_ms = now;
	const u64 dirty = atomic_load(core.nr_dirty);
	fc_os_log(core.os, FC_LOG_INFO, "Cleaning %llu Dirty blocks, Dirty Blocks pct %llu%%", dirty,
		  dirty * 100 / core.geo.nr_blocks());
}

void stop_sync(Core &core)
{
	core.wb.forget_wanted |= peek(core.wb.syncing);
	atomic_store(core.wb.sync_wanted, false);
	post(core.wb.syncing, false);
	post(core.wb.all, false);
}

// The marks are all there, and what had one is on the origin.
void end_sync(Core &core)
{
	if (peek(core.wb.syncing) && !atomic_load(core.wb.sync_wanted) && !atomic_load(core.shared.nr_due))
		post(core.wb.syncing, false);
}

// Nothing was dirty.  Who asks for a sync after a write, just now, must not see it end before that is clean.
void end_all(Core &core, u64 now)
{
	core.wb.fallow_since_ms = now;
	post(core.wb.all, false);
	core.wb.sweep_left = 0;
	atomic_store(core.wb.sync_wanted, false);
	if (!atomic_load(core.nr_dirty))
		post(core.wb.syncing, false);
	else if (peek(core.wb.syncing))
		atomic_store(core.wb.sync_wanted, true);
}

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
	if (sync_gauge(core) && peek(core.tunables[FC_TUNE_STOP_SYNC])) {
		stop_sync(core);
		// Unless another was asked for just now, which takes the order to stop back first.
		if (!peek(core.tunables[FC_TUNE_STOP_SYNC])) {
			post(core.wb.syncing, true);
			atomic_store(core.wb.sync_wanted, true);
		}
	}
	if (!sweep(core, now))
		return kAtOnceMs;
	end_sync(core);
	const u64 not_before = peek(core.wb.not_before_ms);
	if (now < not_before)
		return static_cast<u32>(min_of(not_before - now, u64{period_ms(core)}));
	log_sync(core, now);
	if (!core.wb.round_left)
		begin_round(core, now);
	Wants w = wants_now(core, now);
	return go_round(core, w);
}

} // namespace

bool sync_gauge(const Core &core)
{
	// In this order: a walk that begins sets the second before it clears the first.
	return atomic_load(core.wb.sync_wanted) || atomic_load(core.wb.syncing) || peek(core.wb.all);
}

void clean_everything(Core &core)
{
	post(core.tunables[FC_TUNE_STOP_SYNC], 0);
	post(core.wb.all, true);
	post(core.wb.not_before_ms, u64{0});
}

void note_dirty(Core &core, u32 blocks)
{
	if (__atomic_fetch_add(&core.nr_dirty, blocks, __ATOMIC_SEQ_CST) == 0)
		fc_os_kick(core.os, FC_WORK_WRITEBACK, period_ms(core));
}

void note_clean(Core &core, u32 blocks)
{
	atomic_sub<u64>(core.nr_dirty, blocks);
}

void wake_if_clean(Core &core)
{
	if (atomic_load(core.nr_dirty) == 0)
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

FC_ENTRY unsigned int fc_core_writeback(struct fc_core *core)
{
	using namespace fc;
	const u64 now = fc_os_now_ms(core->os);
	finish_commit(*core);
	start_commit(*core, false);
	finish_commit(*core);
	if (atomic_load(core->nr_dirty) == 0) {
		end_all(*core, now);
		return atomic_load(core->nr_dirty) ? kAtOnceMs : 0;
	}
	// Without a log nothing can become clean.
	if (core->log.failed())
		stop_sync(*core);
	u32 delay_ms = 0;
	if (!core->log.failed() && begin_copies(*core)) {
		delay_ms = clean(*core, now);
		end_copies(*core);
	}
	start_commit(*core, true);
	finish_commit(*core);
	return delay_ms;
}

FC_ENTRY void fc_core_start_sync(struct fc_core *core)
{
	using namespace fc;
	post(core->tunables[FC_TUNE_STOP_SYNC], 0);
	post(core->wb.syncing, true);
	atomic_store(core->wb.sync_wanted, true);
	post(core->wb.not_before_ms, u64{0});
	fc_os_kick(core->os, FC_WORK_WRITEBACK, 0);
}
