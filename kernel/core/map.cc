// SPDX-License-Identifier: GPL-2.0-only
//
// A request arrives, or goes on with its next piece: have it decided and carry that out.
#include "decide.h"

namespace fc {
namespace {

// Blocks of the chunk that jobs own.  For a write, fills that still read the origin do not count:
// it makes them stale.
u64 owned_blocks(const CacheSet &set, const Piece &piece) FC_REQUIRES(set_lock)
{
	u64 owned = 0;
	for (const Job *job = set.header().jobs; job; job = job->next)
		if (job->first_block == piece.base &&
		    !(piece.write && job->kind == kJobFill && peek(job->stage) != kStageFill))
			owned |= job->mask;
	return owned;
}

Decision decide(const Context &c) FC_REQUIRES(set_lock)
{
	SetHeader &header = c.set.header();
	if (!c.pending && (header.drain_queued || header.frozen || !header.ready.empty()))
		return wait_in_set(c, header.ready);
	return c.piece.write ? decide_write(c) : decide_read(c);
}

// The cleaner wants to know whether users are there.
void note_request(Core &core)
{
	if (!peek(core.io_seen))
		post(core.io_seen, 1u);
}

// Is the request part of a stream that has gone on for long?
void note_stream(Core &core, Request &req)
{
	const bool write = req.op == FC_OP_WRITE;
	const u32 most_kb = stream_limit_kb(core, write);
	if (most_kb && core.streams[write].note(req.sector, req.nr_sectors) > most_kb * 2)
		req.flags |= kReqFlagSequential;
}

// A piece in the last, incomplete block of the origin: never cached.
Outcome send_to_origin(Core &core, Request &req, const Piece &piece, int &dev)
{
	req.kind = kReqUncached;
	req.part_sectors = piece.nr_sectors;
	req.target_sector = req.sector + req.done_sectors;
	dev = FC_DEV_ORIGIN;
	count_blocks(core, piece.write, How::kUncached, piece.nr_blocks);
	count(core, piece.write ? FC_STAT_disk_writes : FC_STAT_disk_reads);
	return Outcome::kRemap;
}

void count_piece(Core &core, const Decision &d, Request &req, bool write)
{
	if (d.how != How::kNone && req.again)
		req.again--;		// the failed hit has been counted
	else if (d.how != How::kNone)
		count_blocks(core, write, d.how, d.nr_blocks);
	if (d.what == What::kRemapCache)
		count(core, write ? FC_STAT_ssd_writes : FC_STAT_ssd_reads);
	else if (d.what == What::kRemapOrigin)
		count(core, write ? FC_STAT_disk_writes : FC_STAT_disk_reads);
}

constexpr u32 kCleanSoonMs = 10;	// misses come in bursts

// clean_on_*_miss.  Not during a sync, which would never end.
bool mark_for_cleaning(Core &core, CacheSet &set, bool write) FC_REQUIRES(set_lock)
{
	const u32 n = peek(core.tunables[write ? FC_TUNE_CLEAN_ON_WRITE_MISS : FC_TUNE_CLEAN_ON_READ_MISS]);
	if (!n || peek(core.wb.syncing) || !set.mark_next_due(n))
		return false;
	atomic_store(core.wb.hurry, true);
	return true;
}

Outcome carry_out(Core &core, Request &req, const Piece &piece, const Decision &d, int &dev)
{
	count_piece(core, d, req, piece.write);
	switch (d.what) {
	case What::kRemapCache:
		dev = FC_DEV_CACHE;
		return Outcome::kRemap;
	case What::kRemapOrigin:
		req.target_sector = req.sector + req.done_sectors;
		dev = FC_DEV_ORIGIN;
		return Outcome::kRemap;
	case What::kStartJob:
		if (d.job->kind == kJobFill)
			advance_fill(core, *d.job);
		else
			advance_write(core, *d.job);
		return Outcome::kTaken;
	case What::kNoMemory:
		count(core, FC_STAT_memory_alloc_errors);
		queue_for_memory(core, req);
		return Outcome::kTaken;
	case What::kFail:
		fc_os_complete(core.os, &req, FC_EIO);
		return Outcome::kTaken;
	case What::kWaiting:
		break;
	}
	return Outcome::kWait;
}

} // namespace

void count_blocks(Core &core, bool write, How how, u32 n)
{
	count(core, write ? FC_STAT_writes : FC_STAT_reads, n);
	if (how == How::kHit)
		count(core, write ? FC_STAT_write_hits : FC_STAT_read_hits, n);
	else if (how == How::kMiss)
		count(core, write ? FC_STAT_write_misses : FC_STAT_read_misses, n);
	else
		count(core, write ? FC_STAT_uncached_writes : FC_STAT_uncached_reads, n);
}

Piece piece_of(Core &core, const Request &req)
{
	const u64 sector = req.sector + req.done_sectors;
	const u32 shift = core.geo.block_shift();
	Piece p;
	p.block = sector >> shift;
	p.bit = static_cast<u32>(p.block & low_bits(core.geo.chunk_shift()));
	p.base = p.block - p.bit;
	p.head = static_cast<u32>(sector & low_bits(shift));
	p.nr_sectors = req.nr_sectors - req.done_sectors;
	p.nr_blocks = (p.head + p.nr_sectors + core.geo.block_sectors() - 1) >> shift;
	p.write = req.op == FC_OP_WRITE;
	const Placement place = core.geo.place(p.block);
	p.set = place.set;
	p.tag = place.tag;
	if (p.block + p.nr_blocks > core.whole_blocks && p.block < core.whole_blocks)
		p.nr_blocks = static_cast<u32>(core.whole_blocks - p.block);
	return p;
}

u32 sectors_of(const Core &core, const Piece &piece, u32 n)
{
	return min_of((n << core.geo.block_shift()) - piece.head, piece.nr_sectors);
}

bool covers(const Core &core, const Piece &piece, u32 i)
{
	return (i || !piece.head) && ((i + 1) << core.geo.block_shift()) <= piece.head + piece.nr_sectors;
}

Outcome start_piece(Core &core, Request &req, bool in_map, Pending *pending, int &dev)
{
	const Piece piece = piece_of(core, req);
	if (piece.block >= core.whole_blocks)
		return send_to_origin(core, req, piece, dev);
	Decision d;
	bool confirm;
	bool clean = false;
	{
		SetGuard guard(core, piece.set);
		CacheSet set = set_at(core, piece.set);
		const Context c = {core, set, req, piece, pending, in_map, owned_blocks(set, piece)};
		d = decide(c);
		confirm = d.what == What::kWaiting && !c.set.header().stalled.empty();
		if (d.how == How::kMiss)
			clean = mark_for_cleaning(core, set, piece.write);
	}
	if (clean)
		fc_os_kick(core.os, FC_WORK_WRITEBACK, kCleanSoonMs);
	if (confirm) {
		{
			LogGuard guard(core);
			core.log.want_confirm();
		}
		kick_run(core);
	}
	return carry_out(core, req, piece, d, dev);
}

} // namespace fc

FC_ENTRY int fc_core_map(struct fc_core *core, struct fc_request *req)
{
	using namespace fc;
	req->done_sectors = 0;
	req->status = FC_OK;
	req->flags &= FC_REQ_FUA | FC_REQ_AVOID | FC_REQ_WANT;
	req->job = nullptr;
	req->next = nullptr;
	if (req->op == FC_OP_FLUSH)
		return map_flush(*core, *req);
	if (req->op != FC_OP_READ && req->op != FC_OP_WRITE) {
		queue_range(*core, *req);
		return FC_ACT_TAKEN;
	}
	req->again = 0;
	note_request(*core);
	note_stream(*core, *req);
	if (quick_hit(*core, *req))
		return FC_ACT_REMAP_CACHE;
	int dev = FC_DEV_ORIGIN;
	if (start_piece(*core, *req, true, nullptr, dev) != Outcome::kRemap)
		return FC_ACT_TAKEN;
	return dev == FC_DEV_CACHE ? FC_ACT_REMAP_CACHE : FC_ACT_REMAP_ORIGIN;
}
