// SPDX-License-Identifier: GPL-2.0-only
//
// The cleaner's first half: which dirty blocks of a set are copied to the origin, and in what runs.
#include "cache.h"

namespace fc {
namespace {

constexpr u32 kPick = 64;		// dirty blocks of a set looked at at a time

// Sort ways by the tags of their blocks: within a set that is the order of the origin.
void sort_by_tag(const CacheSet &set, u16 *ways, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		const u16 way = ways[i];
		u32 j = i;
		for (; j && set.tag(ways[j - 1]) > set.tag(way); j--)
			ways[j] = ways[j - 1];
		ways[j] = way;
	}
}

// A block that is written to may be copied only if it has to be: it stays dirty.
bool can_copy(const CacheSet &set, u32 way, bool written_too)
{
	return set.dirty(way) && !set.busy(way) && !set.unconfirmed(way) && (written_too || !set.writers(way));
}

struct Run {
	u32 first;		// way
	u32 n;
};

// The longest run around way: neighbours on the origin that are neighbours in the set.
Run run_around(Core &core, const CacheSet &set, u32 way, u32 bit)
{
	const bool singly = peek(core.wb.singly) != 0;
	if (singly)
		atomic_sub(core.wb.singly, 1u);
	if (singly || !peek(core.tunables[FC_TUNE_WRITE_MERGE]))
		return {way, 1};
	const u32 tag = set.tag(way);
	u32 back = 0;
	while (back < bit && back < way && can_copy(set, way - back - 1, false) &&
	       set.tag(way - back - 1) == tag - back - 1)
		back++;
	u32 n = back + 1;
	while (bit - back + n < core.geo.chunk_blocks() && way - back + n < core.geo.ways() &&
	       can_copy(set, way - back + n, false) && set.tag(way - back + n) == tag - back + n)
		n++;
	return {way - back, n};
}

Job *claim_run(Core &core, CacheSet &set, u32 set_nr, u32 way) FC_REQUIRES(set_lock)
{
	Job *job = fc_os_job_alloc(core.os);
	if (!job)
		return nullptr;
	const u64 block = core.geo.origin_block(set_nr, set.tag(way));
	Piece piece = {};
	piece.set = set_nr;
	piece.bit = static_cast<u32>(block & low_bits(core.geo.chunk_shift()));
	piece.base = block - piece.bit;
	const Run run = run_around(core, set, way, piece.bit);
	const u32 back = way - run.first;
	const u32 first = piece.bit - back;
	for (u32 i = 0; i < run.n; i++) {
		const u32 at = run.first + i;
		set.set_busy(at, true);
		job->way[first + i] = static_cast<u16>(at);
		if (set.due(at))
			job->due |= 1ull << (first + i);
		if (set.writers(at))
			job->stale |= 1ull << (first + i);
	}
	post(set.header().nr_copying, static_cast<u16>(set.header().nr_copying + run.n));
	job->kind = kJobWriteback;
	job->flush_errors = atomic_load(core.wb.flush_errors);
	post(job->stage, kStageData);
	link_job(core, *job, piece, bit_range(first, run.n), nullptr);
	count(core, FC_STAT_front_merge, back);
	count(core, FC_STAT_back_merge, run.n - back - 1);
	return job;
}

// Claim runs among the set's dirty (or due) blocks until limit jobs or blocks are reached.
void claim_some(Core &core, CacheSet &set, u32 set_nr, bool due_only, const CopyLimits &limits, Claimed &claimed)
	FC_REQUIRES(set_lock)
{
	u16 ways[kPick];
	const u32 n = set.collect_dirty(core.wb.pick % core.geo.ways(), due_only, ways, kPick);
	sort_by_tag(set, ways, n);
	const u32 most = due_only ? limits.due : limits.jobs;
	for (u32 i = 0; i < n && claimed.jobs < most; i++) {
		if (!due_only && claimed.blocks >= limits.blocks)
			return;
		claimed.unconfirmed |= set.dirty(ways[i]) && set.unconfirmed(ways[i]);
		if (!can_copy(set, ways[i], due_only && limits.written_too))
			continue;
		Job *job = claim_run(core, set, set_nr, ways[i]);
		if (!job)
			return;
		if (limits.idle || (due_only && limits.fallow))
			job->flags |= kJobFallow;
		job->queue_next = claimed.list;
		claimed.list = job;
		claimed.jobs++;
		claimed.blocks += nr_blocks_of(*job);
	}
}

} // namespace

Claimed claim_copies(Core &core, u32 set_nr, const CopyLimits &limits)
{
	Claimed claimed = {};
	SetGuard guard(core, set_nr);
	CacheSet set = set_at(core, set_nr);
	if (set.header().frozen)
		return claimed;
	if (limits.due && set.header().nr_due)
		claim_some(core, set, set_nr, true, limits, claimed);
	if (limits.blocks)
		claim_some(core, set, set_nr, false, limits, claimed);
	return claimed;
}

void start_copies(Core &core, const Claimed &claimed)
{
	if (!claimed.jobs)
		return;
	{
		WritebackGuard guard(core);
		core.wb.in_flight += claimed.jobs;
	}
	for (Job *job = claimed.list, *next; job; job = next) {
		next = job->queue_next;
		const u32 bit = first_bit(*job);
		const u32 shift = core.geo.block_shift();
		count(core, FC_STAT_ssd_reads);
		count(core, FC_STAT_disk_writes);
		fc_os_copy(core.os, job, core.geo.data_sector(job->set, job->way[bit]),
			   (job->first_block + bit) << shift, nr_blocks_of(*job) << shift);
	}
}

} // namespace fc
