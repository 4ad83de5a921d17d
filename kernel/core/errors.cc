// SPDX-License-Identifier: GPL-2.0-only
//
// When the cache device fails.  Single errors concern single blocks.  Many in a row, or an error
// of the log, degrade the cache: nothing new is cached, clean blocks are read from the origin,
// dirty blocks stay where they are and are written back as far as they can be read.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kErrorsInARow = 16;

} // namespace

void cache_device_error(Core &core, fc_stat stat)
{
	count(core, stat);
	atomic_add(core.error_streak, 1u);
	if (atomic_load(core.error_streak) >= kErrorsInARow)
		degrade(core, "too many I/O errors in a row");
}

void cache_device_worked(Core &core)
{
	if (core.error_streak)
		atomic_store(core.error_streak, 0u);
}

void degrade(Core &core, const char *why)
{
	if (__atomic_exchange_n(&core.degraded, 1u, __ATOMIC_SEQ_CST))
		return;
	fc_os_log(core.os, FC_LOG_ERROR, "cache device failed: %s; nothing new is cached, %llu blocks are dirty",
		  why, atomic_load(core.nr_dirty));
}

} // namespace fc

FC_ENTRY int fc_core_clear_errors(struct fc_core *core)
{
	using namespace fc;
	if (core->log.failed())
		return -1;
	if (!core->degraded)
		return 0;
	// Clean blocks may be older than the origin only if a write went past them, and that
	// invalidates them; so what is still there is right.
	atomic_store(core->error_streak, 0u);
	atomic_store(core->degraded, 0u);
	fc_os_log(core->os, FC_LOG_INFO, "errors cleared: caching again");
	return 0;
}
