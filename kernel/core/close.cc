// SPDX-License-Identifier: GPL-2.0-only
//
// Stopping: suspend and orderly stop.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kFailuresBeforeGivingUp = 4;	// rounds in a row in which copies failed and none succeeded

bool come_to_rest(Core &core)
{
	if (atomic_load(core.nr_jobs) || !writeback_idle(core))
		return false;
	LogGuard guard(core);
	if (core.checkpoint_running || core.log_flush_in_flight || core.log.write_pending())
		return false;
	if (!core.log.failed() && !core.log.idle())
		return false;
	core.at_rest = true;	// not sooner: a record may have waited for the room that one makes
	return true;
}

// Let everything that is in flight end.  No request is.
void quiesce(Core &core)
{
	constexpr u32 kLookAgainMs = 20;
	atomic_store(core.suspended, true);
	stop_writeback(core, true);
	while (!come_to_rest(core)) {
		fc_os_kick(core.os, FC_WORK_RUN, 0);
		fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
		fc_os_wait(core.os, kLookAgainMs);
	}
}

fc_status flush_devices(Core &core)
{
	fc_status result = FC_OK;
	for (int dev = FC_DEV_CACHE; dev <= FC_DEV_ORIGIN; dev++) {
		// Always: a device may have got a write cache unnoticed; without one this costs nothing.
		if (fc_os_sync_io(core.os, dev, FC_IO_FLUSH, 0, nullptr, 0, 0)) {
			own_flush_failed(core, dev);
			result = FC_EIO;
		} else {
			atomic_store(core.unflushed[dev], 0u);
		}
	}
	return data_was_lost(core, FC_DEV_CACHE) ? FC_EIO : result;
}

fc_status clean_all(Core &core)
{
	fc_os_log(core.os, FC_LOG_INFO, "Cleaning %llu blocks please WAIT", atomic_load(core.nr_dirty));
	post(core.wb.failures, 0);
	clean_everything(core);
	fc_os_kick(core.os, FC_WORK_WRITEBACK, 0);
	while (atomic_load(core.nr_dirty) && !fc_os_interrupted(core.os) &&
	       peek(core.wb.failures) < kFailuresBeforeGivingUp && !core.log.failed())
		fc_os_wait(core.os, 1000);
	post(core.wb.all, false);
	const u64 left = atomic_load(core.nr_dirty);
	if (!left)
		return FC_OK;
	fc_os_log(core.os, FC_LOG_WARNING, "Could not sync %llu blocks to disk, cache still dirty", left);
	return peek(core.wb.failures) || core.log.failed() ? FC_EIO : FC_EINTR;
}

// The whole table, clean blocks too, then a superblock that says so.
fc_status store(Core &core)
{
	// The table says "dirty" without a checksum: the data must be durable before it.
	if (const fc_status bad = flush_devices(core))
		return bad;
	if (peek(core.degraded))
		forget_clean(core);
	const u64 most = FC_SCRATCH_BYTES / core.home.unit_bytes();
	for (u64 unit = 0; unit < core.home.nr_units(); unit += most)
		if (const fc_status bad = write_home_units(core, unit, min_of(most, core.home.nr_units() - unit), true))
			return bad;
	if (const fc_status bad = make_home_durable(core))
		return bad;
	u32 flags = FC_DISK_FLAG_CLEAN;
	core.superblock.origin_fingerprint = 0;
	if (origin_fingerprint(core, core.superblock.origin_fingerprint) == FC_OK)
		flags |= FC_DISK_FLAG_FINGERPRINT;
	return next_superblock(core, flags, core.log.next_sequence());
}

} // namespace
} // namespace fc

FC_ENTRY int fc_core_close(struct fc_core *core, int keep_dirty)
{
	using namespace fc;
	if (!core->started)
		return FC_OK;
	fc_core_resume(core);
	fc_status status = FC_OK;
	if (atomic_load(core->nr_dirty) && !keep_dirty)
		status = clean_all(*core);
	else if (keep_dirty)
		fc_os_log(core->os, FC_LOG_INFO, "Fast flashcache remove Skipping cleaning of %llu blocks",
			  atomic_load(core->nr_dirty));
	quiesce(*core);
	core->started = false;
	if (core->log.failed() || store(*core)) {
		fc_os_log(core->os, FC_LOG_ERROR,
			  "CRITICAL : cache metadata could not be saved; the next load recovers from the log, %llu blocks are dirty",
			  atomic_load(core->nr_dirty));
		return FC_EIO;
	}
	fc_os_log(core->os, FC_LOG_INFO, "Cache metadata saved to disk: valid blocks = %llu dirty blocks = %llu",
		  atomic_load(core->nr_valid), atomic_load(core->nr_dirty));
	return status;
}

FC_ENTRY int fc_core_suspend(struct fc_core *core)
{
	using namespace fc;
	if (!core->started)
		return FC_OK;
	quiesce(*core);
	return flush_devices(*core);
}

FC_ENTRY void fc_core_resume(struct fc_core *core)
{
	using namespace fc;
	{
		LogGuard guard(*core);
		core->at_rest = false;
	}
	atomic_store(core->suspended, false);
	stop_writeback(*core, false);
	// Also if nothing is dirty any more: a sync may want to be told.
	fc_os_kick(core->os, FC_WORK_WRITEBACK, 0);
}

FC_ENTRY int fc_core_set_mode(struct fc_core *core, int mode)
{
	using namespace fc;
	const bool changed = core->started && core->mode != static_cast<u32>(mode);
	core->mode = static_cast<u32>(mode);
	// Who leaves write-back expects the origin to be whole soon.
	if (makes_dirty(*core))
		post(core->wb.all, false);
	else if (atomic_load(core->nr_dirty))
		clean_everything(*core);
	// The next load is to be in this mode, after a crash, too.
	if (!changed)
		return FC_OK;
	return core->log.failed() ? FC_EIO : next_superblock(*core, 0, core->log.tail());
}
