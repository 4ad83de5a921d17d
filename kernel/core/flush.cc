// SPDX-License-Identifier: GPL-2.0-only
//
// Flushes of requests.  Each comes twice, once for each device.  A device is flushed only if it
// holds acknowledged data that no flush covers: in write-back mode that is usually the cache
// device alone, and a flush costs what the cache device's flush costs.  What a flush covers is
// decided when it is issued.
#include "cache.h"

namespace fc {

void note_write(Core &core, int dev)
{
	if (core.volatile_dev[dev] && !atomic_load(core.unflushed[dev]))
		atomic_store(core.unflushed[dev], 1u);
}

int map_flush(Core &core, Request &req)
{
	const int dev = req.flush_dev;
	if (dev == FC_DEV_CACHE)
		count(core, FC_STAT_flushes);
	// A flush in flight was issued before this request and may not cover what it must.
	if (!core.volatile_dev[dev] ||
	    (!atomic_load(core.unflushed[dev]) && !atomic_load(core.flushes[dev])))
		return FC_ACT_COMPLETE;
	atomic_add(core.flushes[dev], 1u);
	atomic_store(core.unflushed[dev], 0u);
	req.kind = kReqFlush;
	req.target_sector = 0;
	if (dev == FC_DEV_ORIGIN) {
		count(core, FC_STAT_flush_disk);
		return FC_ACT_REMAP_ORIGIN;
	}
	count(core, FC_STAT_flush_ssd);
	LogGuard guard(core);
	const FlushTicket ticket = core.log.flush_ticket();
	req.sequence = ticket.complete;
	req.sector = ticket.ready;
	req.done_sectors = static_cast<u32>(ticket.carried);
	req.part_sectors = static_cast<u32>(ticket.carried >> 32);
	return FC_ACT_REMAP_CACHE;
}

void flush_done(Core &core, Request &req, int status)
{
	const int dev = req.flush_dev;
	if (status)
		atomic_store(core.unflushed[dev], 1u);
	Job *done = nullptr;
	if (dev == FC_DEV_ORIGIN) {
		if (status)
			count(core, FC_STAT_disk_write_errors);
	} else if (status) {
		cache_device_error(core, FC_STAT_ssd_write_errors);
	} else {
		const u64 carried = req.done_sectors | static_cast<u64>(req.part_sectors) << 32;
		LogGuard guard(core);
		done = core.log.flushed({req.sequence, req.sector, carried});
	}
	atomic_sub(core.flushes[dev], 1u);
	tell_jobs(core, done, false);
}

} // namespace fc
