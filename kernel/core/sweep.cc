// SPDX-License-Identifier: GPL-2.0-only
//
// Walks over all sets that tell the cleaner what is due.  A sync marks everything that is dirty; what
// is written later does not prolong it.  The fallow clock comes by once in fallow_delay, with two hands: the first marks what
// is dirty as old, a write takes that off, and what the second finds still old is due.  One walk at a
// time; each call goes on for so many sets, and no request waits for it.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kSetsPerSweep = 4096;	// in one call

// A copy that is under way may have read the block before it was written last: it does not do for this mark.
void outdate_copies(CacheSet &set) FC_REQUIRES(set_lock)
{
	for (Job *job = set.header().jobs; job; job = job->next)
		if (job->kind == kJobWriteback)
			job->due = 0;
}

void sweep_set(Core &core, u32 set_nr)
{
	SetGuard guard(core, set_nr);
	CacheSet set = set_at(core, set_nr);
	switch (core.wb.sweep) {
	case kSweepSync:
		set.mark_due();
		outdate_copies(set);
		break;
	case kSweepFallow:
		set.age();
		break;
	case kSweepForget:
		set.forget_due();
		break;
	default:
		break;
	}
}

Sweep next_sweep(Core &core, u64 now)
{
	if (atomic_load(core.wb.sync_wanted)) {
		post(core.wb.syncing, true);
		atomic_store(core.wb.sync_wanted, false);
		core.wb.forget_wanted = false;		// of one that was stopped: it would forget these
		return kSweepSync;
	}
	if (core.wb.forget_wanted) {
		core.wb.forget_wanted = false;
		return kSweepForget;
	}
	const u32 fallow_s = peek(core.tunables[FC_TUNE_FALLOW_DELAY_S]);
	if (peek(core.wb.syncing) || !fallow_s || now - core.wb.fallow_since_ms < fallow_s * 1000ull)
		return kSweepNone;
	core.wb.fallow_since_ms = now;
	return kSweepFallow;
}

} // namespace

bool sweep(Core &core, u64 now)
{
	Writeback &wb = core.wb;
	if (!wb.sweep_left) {
		wb.sweep = next_sweep(core, now);
		if (wb.sweep == kSweepNone)
			return true;
		wb.sweep_left = core.geo.nr_sets();
	}
	for (u32 i = 0; i < kSetsPerSweep && wb.sweep_left; i++)
		if (const u32 set_nr = --wb.sweep_left; peek(set_at(core, set_nr).header().nr_dirty))
			sweep_set(core, set_nr);
	return !wb.sweep_left && !atomic_load(wb.sync_wanted) && !wb.forget_wanted;
}

} // namespace fc
