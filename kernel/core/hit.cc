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

// Pin way, which holds tag and may be used, and those of the next limit - 1 blocks that can be served by the same
// I/O.  Returns how many; 0: there is no room for one more pin.
u32 pin_hit(CacheSet &set, u32 way, u32 tag, u32 limit, bool write) FC_REQUIRES(set_lock)
{
	const u32 most = limit == 1 ? 1 : set.run_length(way, tag, limit, write);
	if (most == 1)
		return set.pin_and_touch(way, write);
	const u32 n = set.pin(way, most, write);
	set.touch_run(way, n, write);
	return n;
}

// The request goes to n blocks in this way and the next ones.
void become_hit(Core &core, Request &req, const Piece &piece, u32 way, u32 n)
{
	req.kind = piece.write ? kReqOverwrite : kReqReadHit;
	req.set = piece.set;
	req.way = static_cast<u16>(way);
	req.nr_blocks = static_cast<u8>(n);
	req.target_sector = core.geo.data_sector(piece.set, way) + piece.head;
	if (piece.write)
		count(core, FC_STAT_dirty_write_hits, n);
}

} // namespace

Decision take_hit(const Context &c, u32 way, u32 limit) FC_REQUIRES(set_lock)
{
	const u32 n = pin_hit(c.set, way, c.piece.tag, limit, c.piece.write);
	if (!n)
		return wait_in_set(c, c.set.header().stalled);
	shorten(c, n);
	become_hit(c.core, c.req, c.piece, way, n);
	return {What::kRemapCache, n, nullptr, How::kHit};
}

bool quick_hit(Core &core, Request &req)
{
	const Piece piece = piece_of(core, req);
	if (peek(core.degraded) || atomic_load(core.flush_lost))
		return false;
	u32 way, n;
	{
		SetGuard guard(core, piece.set);
		CacheSet set = set_at(core, piece.set);
		way = set.find(piece.tag);
		if (way == kNoWay || !set.open_to(way, piece.write) || !set.header().undisturbed())
			return false;
		n = pin_hit(set, way, piece.tag, piece.nr_blocks, piece.write);
	}
	if (!n)
		return false;
	accept(core, req, sectors_of(core, piece, n));
	become_hit(core, req, piece, way, n);
	count_blocks(core, piece.write, How::kHit, n);
	count(core, piece.write ? FC_STAT_ssd_writes : FC_STAT_ssd_reads);
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
