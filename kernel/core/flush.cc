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
	if (peek(core.volatile_dev[dev]) && !atomic_load(core.unflushed[dev]))
		atomic_store(core.unflushed[dev], 1u);
}

namespace {

// A flush in flight was issued before this request and may not cover what it must.  Without dirty
// blocks the cache device holds nothing that the origin has not, durably or for its own flush.
bool begin_flush(Core &core, int dev, FlushTicket &ticket)
{
	LogGuard guard(core);
	if (dev == FC_DEV_CACHE && !atomic_load(core.nr_dirty))
		return false;
	if (!peek(core.volatile_dev[dev]) || (!atomic_load(core.unflushed[dev]) && !core.flushes[dev]))
		return false;
	core.flushes[dev]++;
	atomic_store(core.unflushed[dev], 0u);
	ticket = core.log.flush_ticket();
	return true;
}

} // namespace

bool data_was_lost(Core &core, int dev)
{
	if (dev == FC_DEV_CACHE)
		return atomic_load(core.flush_lost) && atomic_load(core.nr_dirty);
	return atomic_load(core.origin_lost);
}

int map_flush(Core &core, Request &req)
{
	const int dev = req.flush_dev;
	if (dev == FC_DEV_CACHE)
		count(core, FC_STAT_flushes);
	if (data_was_lost(core, dev)) {
		// Of the origin once, as the kernel tells of lost pages once; what the cache device has
		// lost stays lost until a load.
		if (dev == FC_DEV_ORIGIN)
			atomic_store(core.origin_lost, 0u);
		req.status = FC_EIO;
		return FC_ACT_COMPLETE;
	}
	FlushTicket ticket;
	if (!begin_flush(core, dev, ticket))
		return FC_ACT_COMPLETE;
	req.kind = kReqFlush;
	req.target_sector = 0;
	if (dev == FC_DEV_ORIGIN) {
		count(core, FC_STAT_flush_disk);
		return FC_ACT_REMAP_ORIGIN;
	}
	count(core, FC_STAT_flush_ssd);
	req.sequence = ticket.complete;
	req.sector = ticket.ready;
	req.done_sectors = static_cast<u32>(ticket.carried);
	req.part_sectors = static_cast<u32>(ticket.carried >> 32);
	return FC_ACT_REMAP_CACHE;
}

void flush_done(Core &core, Request &req, int &status)
{
	const int dev = req.flush_dev;
	Job *done = nullptr;
	bool kick = false;
	// The log must not go on when the flush counts as ended.  One that ends well may have come after
	// one that failed, and covers nothing that was lost.
	if (status)
		flush_failed(core, dev);
	else if (data_was_lost(core, dev))
		status = FC_EIO;
	{
		LogGuard guard(core);
		if (status)
			atomic_store(core.unflushed[dev], 1u);
		core.flushes[dev]--;
		if (!status && dev == FC_DEV_CACHE && !atomic_load(core.flush_lost)) {
			const u64 carried = req.done_sectors | static_cast<u64>(req.part_sectors) << 32;
			done = core.log.flushed({req.sequence, req.sector, carried});
			kick = log_needs_worker(core);
		}
	}
	tell_jobs(core, done, false);
	if (kick)
		kick_run(core);
}

} // namespace fc

FC_ENTRY void fc_core_set_volatile(struct fc_core *core, int dev)
{
	using namespace fc;
	if (peek(core->volatile_dev[dev]))
		return;
	LogGuard guard(*core);
	post(core->volatile_dev[dev], true);
	if (dev == FC_DEV_CACHE)
		core->log.set_volatile();
	atomic_store(core->unflushed[dev], 1u);
}
