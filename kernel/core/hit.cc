// SPDX-License-Identifier: GPL-2.0-only
//
// Hits: requests that go straight to the cache device, reads of any block there and overwrites of dirty
// ones.  All there is to do is to pin the blocks until the request ends.
#include "decide.h"

namespace fc {
namespace {

// After a failed read: forget the clean blocks, the origin has them.  True if all were clean.
bool drop_clean(Core &core, Request &req, CacheSet &set) FC_REQUIRES(set_lock)
{
	const u64 block = (req.sector + req.done_sectors) >> core.geo.block_shift();
	const u32 tag = core.geo.place(block).tag;
	bool all = true;
	for (u32 i = 0; i < req.nr_blocks; i++) {
		const u32 way = req.way + i;
		if (!set.valid(way) || set.tag(way) != tag + i)
			continue;
		if (set.dirty(way)) {
			all = false;
			continue;
		}
		if (set.busy(way))
			continue;	// the retry waits for its job
		set.remove(way);
		atomic_sub<u64>(core.nr_valid, 1);
		count(core, FC_STAT_read_invalidates);
	}
	return all;
}

void unpin(Core &core, const Request &req, CacheSet &set, bool write) FC_REQUIRES(set_lock)
{
	if (set.unpin(req.way, req.nr_blocks, write))
		make_ready(core, req.set, set.header().stalled);
}

} // namespace

u32 pin_hit(CacheSet &set, u32 way, u32 tag, u32 limit, bool write) FC_REQUIRES(set_lock)
{
	const u32 most = limit == 1 ? 1 : set.run_length(way, tag, limit, write);
	if (most == 1)
		return set.pin_and_touch(way, write);
	const u32 n = set.pin(way, most, write);
	set.touch_run(way, n, write);
	return n;
}

void become_hit(const Core &core, Request &req, u32 set, u32 way, u32 n, u32 head)
{
	req.kind = req.op == FC_OP_WRITE ? kReqOverwrite : kReqReadHit;
	req.set = set;
	req.way = static_cast<u16>(way);
	req.nr_blocks = static_cast<u8>(n);
	req.target_sector = core.geo.data_sector(set, way) + head;
}

bool quick_hit(Core &core, Request &req)
{
	const u32 shift = core.geo.block_shift();
	const u64 block = req.sector >> shift;
	const u32 head = static_cast<u32>(req.sector) & (core.geo.block_sectors() - 1);
	const u32 blocks = (head + req.nr_sectors + core.geo.block_sectors() - 1) >> shift;
	const bool write = req.op == FC_OP_WRITE;
	const Placement place = core.geo.place(block);
	if (peek(core.degraded) || atomic_load(core.flush_lost))
		return false;
	u32 way, n;
	{
		SetGuard guard(core, place.set);
		CacheSet set = set_at(core, place.set);
		way = set.find(place.tag);
		if (way == kNoWay || !set.open_to(way, write) || !set.header().undisturbed())
			return false;
		n = pin_hit(set, way, place.tag, blocks, write);
	}
	if (!n)
		return false;
	const u32 sectors = (n << shift) - head;
	if (sectors < req.nr_sectors)
		accept(core, req, sectors);
	else
		req.part_sectors = req.nr_sectors;
	become_hit(core, req, place.set, way, n, head);
	count_blocks(core, write, How::kHit, n);
	count(core, write ? FC_STAT_ssd_writes : FC_STAT_ssd_reads);
	if (write)
		count(core, FC_STAT_dirty_write_hits, n);
	return true;
}

bool read_hit_done(Core &core, Request &req, int &status)
{
	bool again = false;
	{
		SetGuard guard(core, req.set);
		CacheSet set = set_at(core, req.set);
		if (status) {
			const bool clean = drop_clean(core, req, set);
			again = clean || req.nr_blocks > 1;
		}
		unpin(core, req, set, false);
	}
	if (!status) {
		cache_device_worked(core);
		return false;
	}
	cache_device_error(core, FC_STAT_ssd_read_errors);
	if (!again)
		return false;
	count(core, FC_STAT_uncached_io_requeue);
	req.again = static_cast<u8>(req.again + req.nr_blocks);
	queue_again(core, req);
	return true;
}

void overwrite_done(Core &core, Request &req, int status)
{
	{
		SetGuard guard(core, req.set);
		CacheSet set = set_at(core, req.set);
		unpin(core, req, set, true);
	}
	if (status) {
		cache_device_error(core, FC_STAT_ssd_write_errors);
		return;
	}
	cache_device_worked(core);
	if (!(req.flags & kReqFlagFua))
		note_write(core, FC_DEV_CACHE);
}

} // namespace fc
