// SPDX-License-Identifier: GPL-2.0-only
//
// Reads that miss.  The origin is read into a private buffer, the request is answered from it, and then
// the buffer fills the cache: the pages of the user are never used twice, since other bytes may be in
// them the second time.
#include "cache.h"

namespace fc {
namespace {

// Drops the fill: whatever is in its mask was not claimed.
void end_fill(Core &core, Job &job)
{
	{
		SetGuard guard(core, job.set);
		unlink_job(core, job);
	}
	free_job(core, job);
}

// Read the origin for the request only: there is no memory for a fill.
void read_uncached(Core &core, Job &job)
{
	Request &req = *job.req;
	req.kind = kReqUncached;
	req.part_sectors = job.nr_sectors;
	const u32 offset = job.req_offset;
	const u32 sectors = job.nr_sectors;
	count(core, FC_STAT_fill_drops, nr_blocks_of(job));
	end_fill(core, job);
	count(core, FC_STAT_disk_reads);
	fc_os_submit_part(core.os, &req, FC_DEV_ORIGIN, req.sector + offset, offset, sectors);
}

// Give every block of the fill that no write has overtaken a way; the others leave the mask.
bool claim_fill(Core &core, Job &job, CacheSet &set) FC_REQUIRES(set_lock)
{
	u64 wanted = job.mask & ~job.stale;
	u64 got = 0;
	u32 evicted_sum = 0;
	const u32 low_tag = core.geo.place(job.first_block).tag;
	while (wanted) {
		const u32 bit = static_cast<u32>(std::countr_zero(wanted));
		const u32 run = static_cast<u32>(std::countr_one(wanted >> bit));
		const u32 before = bit ? set.find(low_tag + bit - 1) : kNoWay;
		u32 first = 0;
		u32 evicted = 0;
		const u32 n = set.allocate(run, before == kNoWay ? kNoWay : before + 1, first, evicted);
		evicted_sum += evicted;
		if (!n)
			break;
		for (u32 i = 0; i < n; i++) {
			set.insert(first + i, low_tag + bit + i);
			set.set_busy(first + i, true);
			job.way[bit + i] = static_cast<u16>(first + i);
		}
		got |= bit_range(bit, n);
		wanted &= ~bit_range(bit, n);
	}
	atomic_add<u64>(core.nr_valid, u64{count_bits(got)});
	if (evicted_sum) {
		atomic_sub<u64>(core.nr_valid, evicted_sum);
		count(core, FC_STAT_replacement, evicted_sum);
	}
	if (got)
		job.mask = got;
	return got != 0;
}

// Write the claimed blocks, those in neighbouring ways with one I/O.
void write_fill(Core &core, Job &job, u32 buffer_bit)
{
	const u32 shift = core.geo.block_shift();
	const u64 mask = job.mask;
	atomic_add(job.in_flight, 1u);		// keeps the job until all are submitted
	for (u64 left = mask; left;) {
		const u32 bit = static_cast<u32>(std::countr_zero(left));
		u32 n = 1;
		while (bit + n < 64 && (left >> (bit + n) & 1) && job.way[bit + n] == job.way[bit] + n)
			n++;
		left &= ~bit_range(bit, n);
		atomic_add(job.in_flight, 1u);
		count(core, FC_STAT_ssd_writes);
		fc_os_job_io(core.os, &job, FC_DEV_CACHE, FC_IO_WRITE,
			     core.geo.data_sector(job.set, job.way[bit]), (bit - buffer_bit) << shift,
			     n << shift, 0);
	}
	fill_io_done(core, job, FC_OK);
}

void start_fill(Core &core, Job &job)
{
	const u32 buffer_bit = first_bit(job);
	const u32 before = nr_blocks_of(job);
	bool claimed = false;
	{
		SetGuard guard(core, job.set);
		CacheSet set = set_at(core, job.set);
		post(job.stage, kStageFill);
		if (!peek(core.degraded) && core.mode != FC_MODE_WRITE_ONLY)
			claimed = claim_fill(core, job, set);
	}
	if (!claimed) {
		count(core, FC_STAT_fill_drops, before);
		end_fill(core, job);
		return;
	}
	count(core, FC_STAT_fill_drops, before - nr_blocks_of(job));
	write_fill(core, job, buffer_bit);
}

void fill_read_done(Core &core, Job &job, int status)
{
	Request &req = *job.req;
	const u32 sectors = job.nr_sectors;
	if (status && sectors != nr_blocks_of(job) << core.geo.block_shift()) {
		// The bad sector may be one that nobody asked for.
		job.flags |= kJobCacheFailed;
		queue_advance(core, job);
		return;
	}
	if (!status) {
		const u32 head = static_cast<u32>((req.sector + job.req_offset) & low_bits(core.geo.block_shift()));
		fc_os_copy_out(core.os, &job, head, &req, job.req_offset, sectors);
	}
	end_part(core, req, sectors, status);
	if (!status) {
		queue_advance(core, job);
		return;
	}
	count(core, FC_STAT_disk_read_errors);
	end_fill(core, job);
}

void fill_write_done(Core &core, Job &job)
{
	const bool failed = job.flags & kJobCacheFailed;
	const u32 n = nr_blocks_of(job);
	{
		SetGuard guard(core, job.set);
		CacheSet set = set_at(core, job.set);
		for (u64 left = job.mask; left; left &= left - 1) {
			const u32 way = job.way[std::countr_zero(left)];
			if (failed)
				set.remove(way);
			set.set_busy(way, false);
		}
		unlink_job(core, job);
	}
	if (failed) {
		atomic_sub<u64>(core.nr_valid, n);
		count(core, FC_STAT_fill_drops, n);
	} else {
		count(core, FC_STAT_fills, n);
	}
	free_job(core, job);
}

} // namespace

void advance_fill(Core &core, Job &job)
{
	if (job.stage == kStageRead && !(job.flags & kJobCacheFailed)) {
		start_fill(core, job);
		return;
	}
	const u32 shift = core.geo.block_shift();
	const u32 sectors = nr_blocks_of(job) << shift;
	if ((job.flags & kJobCacheFailed) || fc_os_job_buffer(core.os, &job, sectors, 0)) {
		read_uncached(core, job);
		return;
	}
	post(job.stage, kStageRead);
	count(core, FC_STAT_disk_reads);
	fc_os_job_io(core.os, &job, FC_DEV_ORIGIN, FC_IO_READ, (job.first_block + first_bit(job)) << shift,
		     0, sectors, 0);
}

void fill_io_done(Core &core, Job &job, int status)
{
	if (job.stage == kStageRead) {
		fill_read_done(core, job, status);
		return;
	}
	if (status) {
		__atomic_fetch_or(&job.flags, kJobCacheFailed, __ATOMIC_SEQ_CST);
		cache_device_error(core, FC_STAT_ssd_write_errors);
	}
	if (atomic_sub(job.in_flight, 1u) == 0)
		fill_write_done(core, job);
}

} // namespace fc
