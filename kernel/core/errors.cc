// SPDX-License-Identifier: GPL-2.0-only
//
// When the cache device fails.  Single errors concern single blocks.  Many in a row, or an error
// of the log, degrade the cache: nothing new is cached, clean blocks are read from the origin,
// dirty blocks stay where they are and are written back as far as they can be read.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kErrorsInARow = 16;

// What was in a device's volatile cache may be gone, and no later flush brings it back.
void writes_lost(Core &core, int dev)
{
	if (dev == FC_DEV_ORIGIN) {
		atomic_add(core.wb.flush_errors, 1u);
		return;
	}
	Job *told = nullptr;
	bool first;
	atomic_store(core.flush_lost, 1u);
	{
		LogGuard guard(core);
		first = !core.log.failed();
		if (first)
			told = core.log.fail();
	}
	if (first)
		log_failed(core, "it cannot be flushed");
	tell_jobs(core, told, true);
	kick_run(core);
}

} // namespace

void flush_failed(Core &core, int dev)
{
	writes_lost(core, dev);		// at once: other flushes are not to be believed from now on
	if (dev == FC_DEV_ORIGIN)
		count(core, FC_STAT_disk_write_errors);
	else
		cache_device_error(core, FC_STAT_ssd_write_errors);
}

void own_flush_failed(Core &core, int dev)
{
	if (dev == FC_DEV_ORIGIN)
		atomic_store(core.origin_lost, 1u);
	flush_failed(core, dev);
}

void fua_failed(Core &core, int dev)
{
	if (peek(core.volatile_dev[dev]))
		writes_lost(core, dev);
}

void cache_device_error(Core &core, fc_stat stat)
{
	count(core, stat);
	atomic_add(core.error_streak, 1u);
	if (atomic_load(core.error_streak) >= kErrorsInARow)
		degrade(core, "too many I/O errors in a row");
}

void cache_device_worked(Core &core)
{
	if (peek(core.error_streak))
		atomic_store(core.error_streak, 0u);
}

void degrade(Core &core, const char *why)
{
	if (atomic_exchange(core.degraded, 1u))
		return;
	fc_os_log(core.os, FC_LOG_ERROR, "cache device failed: %s; nothing new is cached, %llu blocks are dirty",
		  why, atomic_load(core.nr_dirty));
}

void log_failed(Core &core, const char *why)
{
	// The administrator must know that clear_errors will not do.
	if (peek(core.degraded))
		fc_os_log(core.os, FC_LOG_ERROR, "the cache device's metadata log has failed, too: %s; load the cache again when the device is mended",
			  why);
	degrade(core, why);
}

void forget_clean(Core &core)
{
	for (u32 set_nr = 0; set_nr < core.geo.nr_sets(); set_nr++) {
		resched_in_walk(core, set_nr);
		for (u32 word = 0; word < core.layout.words; word++) {
			SetGuard guard(core, set_nr);
			CacheSet set = set_at(core, set_nr);
			for (u32 way = word * 64; way < min_of(core.geo.ways(), word * 64 + 64); way++) {
				if (!set.valid(way) || set.dirty(way) || set.busy(way))
					continue;
				set.remove(way);
				atomic_sub<u64>(core.nr_valid, 1);
			}
		}
	}
}

} // namespace fc

FC_ENTRY int fc_core_clear_errors(struct fc_core *core)
{
	using namespace fc;
	if (core->log.failed())
		return -1;
	if (!peek(core->degraded))
		return 0;
	forget_clean(*core);
	atomic_store(core->error_streak, 0u);
	atomic_store(core->degraded, 0u);
	// The log may have failed meanwhile, and its failure found the cache degraded already.
	if (core->log.failed()) {
		atomic_store(core->degraded, 1u);
		return -1;
	}
	fc_os_log(core->os, FC_LOG_INFO, "errors cleared: caching again");
	return 0;
}

FC_ENTRY void fc_core_sync_failed(struct fc_core *core, int dev, int flush)
{
	using namespace fc;
	bool in_use;
	{
		LogGuard guard(*core);
		in_use = core->started && !core->at_rest;
	}
	// Else nobody's data is at stake but the sleeper's, who knows.
	if (in_use && (flush || peek(core->volatile_dev[dev])))
		own_flush_failed(*core, dev);
}
