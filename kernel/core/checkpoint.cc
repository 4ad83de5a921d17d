// SPDX-License-Identifier: GPL-2.0-only
//
// Checkpoints: the home table catches up with the log, and the log's tail moves.
//
// What may be forgotten is what was settled when the checkpoint began.  Home units never say more
// than what is durable elsewhere: a block whose record is not confirmed, or that a job owns, is
// written as it was before (dirty) or as invalid, and its unit stays due for the next checkpoint;
// the log still holds its record (rule 7).
#include "cache.h"

namespace fc {
namespace {

constexpr u64 kMaxGap = 4;		// untouched units that are written along to save an I/O

// Slots of one word of a set, from place on: those of `ways`, a mask.
void fill_word(const Core &core, void *at, u32 place, u32 set_nr, const CacheSet &set, u32 first_way, u64 ways)
	FC_REQUIRES(set_lock)
{
	for (; ways; ways &= ways - 1) {
		const u32 bit = static_cast<u32>(std::countr_zero(ways));
		const u32 way = first_way + bit;
		HomeTable::set_slot(at, place + bit, {
			.origin_block = core.geo.origin_block(set_nr, set.tag(way)),
			.state = set.dirty(way) ? FC_DISK_DIRTY : FC_DISK_CLEAN,
			.referenced = set.precious(way),
		});
	}
}

// What is not filled in stays as start_unit() left it: invalid.
void fill_unit(Core &core, void *at, u64 unit, bool with_clean)
{
	const u32 per_unit = core.home.slots_per_unit();
	const u32 first = static_cast<u32>(unit * per_unit);
	const u32 n = static_cast<u32>(min_of<u64>(per_unit, core.geo.nr_blocks() - first));
	u64 again = 0;
	core.home.start_unit(at, unit);
	for (u32 i = 0, count; i < n; i += count) {
		const u32 set_nr = (first + i) / core.geo.ways();
		const u32 way = (first + i) % core.geo.ways();
		count = min_of(min_of(n - i, core.geo.ways() - way), 64 - way % 64);	// under one lock
		SetGuard guard(core, set_nr);
		const CacheSet set = set_at(core, set_nr);
		u64 unsettled = 0;
		const u64 known = set.known_word(way / 64, with_clean, unsettled) >> way % 64;
		fill_word(core, at, i, set_nr, set, way, known & low_bits(count));
		again |= unsettled >> way % 64 & low_bits(count);
	}
	core.home.seal_unit(at);
	if (again)
		mark_touched(core, first);
}

bool test_and_clear(Core &core, u64 unit) FC_REQUIRES(log_lock)
{
	u64 &word = core.touched[unit / 64];
	const u64 bit = 1ull << (unit % 64);
	const bool was = word & bit;
	word &= ~bit;
	return was;
}

// The next run of touched units from unit `from` on; takes their marks away.
bool take_touched(Core &core, u64 from, u64 &first, u64 &n)
{
	const u64 most = FC_SCRATCH_BYTES / core.home.unit_bytes();
	const u64 end = core.home.nr_units();
	LogGuard guard(core);
	while (from < end && !(core.touched[from / 64] >> (from % 64)))
		from = (from / 64 + 1) * 64;
	while (from < end && !test_and_clear(core, from))
		from++;
	if (from >= end)
		return false;
	first = from;
	n = 1;
	for (u64 unit = from + 1; unit < end && unit - from < most && unit - first - n <= kMaxGap; unit++)
		if (test_and_clear(core, unit))
			n = unit - first + 1;
	return true;
}

} // namespace

void mark_touched(Core &core, u32 slot)
{
	const u64 unit = core.home.unit_of(slot);
	LogGuard guard(core);
	core.touched[unit / 64] |= 1ull << (unit % 64);
}

fc_status write_home_units(Core &core, u64 first, u64 n, bool with_clean)
{
	const u32 bytes = core.home.unit_bytes();
	for (u64 i = 0; i < n; i++)
		fill_unit(core, core.scratch + i * bytes, first + i, with_clean);
	count(core, FC_STAT_metadata_ssd_writes);
	return fc_os_sync_io(core.os, FC_DEV_CACHE, FC_IO_WRITE, core.home.sector_of(first), core.scratch,
			     static_cast<u32>(n * bytes / kSectorBytes), 0) ? FC_EIO : FC_OK;
}

fc_status write_touched_units(Core &core)
{
	u64 first = 0;
	u64 n = 0;
	for (u64 from = 0; take_touched(core, from, first, n); from = first + n)
		if (const fc_status bad = write_home_units(core, first, n, false))
			return bad;
	return FC_OK;
}

fc_status next_superblock(Core &core, u32 flags, u64 log_tail)
{
	SuperblockState &s = core.superblock;
	s.sequence++;
	s.epoch = core.log.epoch();
	s.flags = flags;
	s.mode = core.mode;
	s.log_tail = log_tail;
	const fc_status bad = write_superblock(core.os, core.config, s, core.scratch);
	if (bad)
		s.sequence--;	// the other one is whole: not over that one
	return bad;
}

// The home units must be durable before a superblock relies on them.
fc_status make_home_durable(Core &core)
{
	// Always: the device may have got a write cache unnoticed; without one this costs nothing.
	if (fc_os_sync_io(core.os, FC_DEV_CACHE, FC_IO_FLUSH, 0, nullptr, 0, 0))
		return FC_EIO;
	// Whoever sent the flush that failed: it may have lost them, and then ours has nothing to do.
	return atomic_load(core.flush_lost) ? FC_EIO : FC_OK;
}

} // namespace fc

namespace fc {
namespace {

// False if there is nothing to gain, or the cache is at rest: then the scratch memory is not ours.
bool begin_checkpoint(Core &core, u64 &settled)
{
	LogGuard guard(core);
	settled = core.log.settled_sequence();
	if (!core.started || core.at_rest || core.log.failed() || settled < core.log.tail())
		return false;
	core.checkpoint_running = true;
	return true;
}

void end_checkpoint(Core &core, u64 settled, bool failed)
{
	Job *told = nullptr;
	bool first = false;
	{
		LogGuard guard(core);
		core.checkpoint_running = false;
		if (failed) {
			first = !core.log.failed();
			told = core.log.fail();
		} else {
			core.log.move_tail(settled + 1);
		}
	}
	if (failed)
		cache_device_error(core, FC_STAT_ssd_write_errors);
	if (first)
		log_failed(core, "a checkpoint failed");
	tell_jobs(core, told, true);
	fc_os_wake(core.os);
	kick_run(core);
}

} // namespace
} // namespace fc

FC_ENTRY void fc_core_checkpoint(struct fc_core *core)
{
	using namespace fc;
	u64 settled;
	if (!begin_checkpoint(*core, settled))
		return;
	count(*core, FC_STAT_checkpoints);
	const bool failed = write_touched_units(*core) || make_home_durable(*core) ||
			    next_superblock(*core, 0, settled + 1);
	end_checkpoint(*core, settled, failed);
}
