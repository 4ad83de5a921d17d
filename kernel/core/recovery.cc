// SPDX-License-Identifier: GPL-2.0-only
//
// Opening a cache: home table, then (unless the last stop was orderly) the log over it, then a
// superblock that says "in use".  Nothing that is read is believed before it is checked, and
// opening may be cut off by a power cut at any point and be begun again (rule 7).
#include "cache.h"
#include "log_unit.h"

namespace fc {
namespace {

struct LogUnit {
	u64 confirmed;
	u64 durable;
	u32 count;
	const fc_disk_log_record *records;
};

// ---- home table

fc_status load_slot(Core &core, u32 slot, const HomeSlot &home, bool clean_too)
{
	if (home.state > FC_DISK_DIRTY)
		return FC_E_HOME_CONTRADICTION;
	if (home.state == FC_DISK_INVALID || (home.state == FC_DISK_CLEAN && !clean_too))
		return FC_OK;
	if (home.origin_block >= core.whole_blocks)
		return FC_E_HOME_CONTRADICTION;
	const u32 set_nr = slot / core.geo.ways();
	const u32 way = slot % core.geo.ways();
	const Placement place = core.geo.place(home.origin_block);
	SetGuard guard(core, set_nr);
	CacheSet set = set_at(core, set_nr);
	if (place.set != set_nr)
		return FC_E_HOME_CONTRADICTION;
	// The log may settle who of two has a block; after it, nobody may share (check_dirty).
	set.insert(way, place.tag);
	set.set_referenced(way, home.referenced);
	set.set_dirty(way, home.state == FC_DISK_DIRTY);
	return FC_OK;
}

fc_status load_unit(Core &core, const void *unit, u64 index, bool clean_too)
{
	if (!core.home.check_unit(unit, index))
		return FC_E_HOME_DAMAGED;
	const u32 per_unit = core.home.slots_per_unit();
	const u32 first = static_cast<u32>(index * per_unit);
	const u32 n = static_cast<u32>(min_of<u64>(per_unit, core.geo.nr_blocks() - first));
	for (u32 i = 0; i < n; i++)
		if (const fc_status bad = load_slot(core, first + i, HomeTable::get_slot(unit, i), clean_too))
			return bad;
	return FC_OK;
}

fc_status load_home(Core &core, bool clean_too)
{
	const u32 bytes = core.home.unit_bytes();
	const u64 batch = FC_SCRATCH_BYTES / bytes;
	for (u64 unit = 0; unit < core.home.nr_units(); unit += batch) {
		const u64 n = min_of(batch, core.home.nr_units() - unit);
		if (fc_os_sync_io(core.os, FC_DEV_CACHE, FC_IO_READ, core.home.sector_of(unit), core.scratch,
				  static_cast<u32>(n * bytes / kSectorBytes), 0))
			return FC_EIO;
		for (u64 i = 0; i < n; i++)
			if (const fc_status bad = load_unit(core, core.scratch + i * bytes, unit + i, clean_too)) {
				fc_os_log(core.os, FC_LOG_ERROR, "home unit %llu: %s", unit + i, fc_status_text(bad));
				return bad;
			}
	}
	return FC_OK;
}

// ---- log

// Reads log units through a window of half the scratch memory.
class LogReader {
public:
	explicit LogReader(Core &core) : core_(core), seed_(unit_seed(core.config)) {}

	// Read the unit of this sequence: FC_OK with valid true if it is whole and of this epoch.
	fc_status read(u64 sequence, LogUnit &unit, bool &valid)
	{
		const char *at;
		if (const fc_status bad = fetch(sequence, at))
			return bad;
		valid = parse(at, sequence, unit);
		return FC_OK;
	}

	// read() has found that the unit of this sequence is not there: was it never written?
	fc_status never_written(u64 sequence, bool &answer)
	{
		const char *at;
		if (const fc_status bad = fetch(sequence, at))
			return bad;
		answer = log_unit_was_never_written(core_.config, seed_, at, sequence);
		return FC_OK;
	}

	// Does a unit of a later activation than the superblock's stand at the place of this sequence?
	fc_status later_epoch(u64 sequence, bool &answer)
	{
		const char *at;
		if (const fc_status bad = fetch(sequence, at))
			return bad;
		answer = log_unit_is_later(core_.config, seed_, at);
		return FC_OK;
	}

	static constexpr u32 kWindowBytes = FC_SCRATCH_BYTES / 2;

private:
	// The unit at the place of this sequence, whatever it is.
	fc_status fetch(u64 sequence, const char *&at)
	{
		const u32 bytes = core_.config.unit_bytes;
		const u64 window = kWindowBytes / bytes;
		const u64 place = sequence % core_.config.log_units;
		if (place < first_ || place >= first_ + n_) {
			first_ = place / window * window;
			n_ = min_of(window, core_.config.log_units - first_);
			const u32 sectors = bytes / kSectorBytes;
			if (fc_os_sync_io(core_.os, FC_DEV_CACHE, FC_IO_READ,
					  core_.config.log_offset_sectors + first_ * sectors,
					  core_.scratch, static_cast<u32>(n_ * sectors), 0))
				return FC_EIO;
		}
		at = core_.scratch + (place - first_) * bytes;
		return FC_OK;
	}

	bool parse(const char *at, u64 sequence, LogUnit &unit) const
	{
		const fc_disk_log_header &h = log_header(at);
		if (h.sequence != sequence || !log_unit_counts(core_.config, seed_, at))
			return false;
		unit = {h.confirmed, h.durable, h.count, reinterpret_cast<const fc_disk_log_record *>(at + sizeof(h))};
		return true;
	}

	Core &core_;
	u32 seed_;
	u64 first_ = 0;
	u64 n_ = 0;
};

struct LogRange {
	u64 end;		// first sequence that is not there
	u64 confirmed;
};

// Both superblocks say an epoch before its first unit is written.  So a unit of a later one shows that
// both have been lost, and what is believed is out of date; and it would count after the next start.
fc_status check_epochs(Core &core)
{
	LogReader reader(core);
	for (u64 place = 0; place < core.config.log_units; place++) {
		bool later;
		if (const fc_status bad = reader.later_epoch(place, later))
			return bad;
		if (later) {
			fc_os_log(core.os, FC_LOG_ERROR, "log place %llu has a unit of a later epoch than the superblock", place);
			return FC_E_LOG_DAMAGED;
		}
	}
	return FC_OK;
}

// A chain that fills the log has no end in it; any other must end where nothing was written yet.
// Not to ask would let a damaged last unit pass for one that never was: an acknowledged write would
// be gone, or, when the unit said that a slot is free again, its next user's bytes be believed.
fc_status check_log_end(Core &core, LogReader &reader, const LogRange &range)
{
	if (range.end - core.config.log_tail >= core.config.log_units)
		return FC_OK;
	bool never_written;
	if (const fc_status bad = reader.never_written(range.end, never_written))
		return bad;
	if (never_written)
		return FC_OK;
	fc_os_log(core.os, FC_LOG_ERROR, "log unit %llu is damaged", range.end);
	return FC_E_LOG_DAMAGED;
}

// The longest chain of units from the tail on, and how far it says its data is confirmed.
fc_status find_log_end(Core &core, LogReader &reader, LogRange &range)
{
	const u64 tail = core.config.log_tail;
	range = {tail, tail - 1};
	u64 durable = 0;
	bool valid = true;
	LogUnit unit = {};
	while (range.end - tail < core.config.log_units) {
		if (const fc_status bad = reader.read(range.end, unit, valid))
			return bad;
		if (!valid)
			break;
		range.confirmed = max_of(range.confirmed, unit.confirmed);
		durable = max_of(durable, unit.durable);
		range.end++;
	}
	// A unit behind the gap that knew an earlier one to be durable proves that units were lost.
	for (u64 sequence = range.end + 1; sequence - tail < core.config.log_units; sequence++) {
		if (const fc_status bad = reader.read(sequence, unit, valid))
			return bad;
		if (valid && unit.durable >= range.end) {
			fc_os_log(core.os, FC_LOG_ERROR, "log unit %llu is missing, but unit %llu saw it", range.end, sequence);
			return FC_E_LOG_DAMAGED;
		}
	}
	return durable >= range.end ? FC_E_LOG_DAMAGED : check_log_end(core, reader, range);
}

// ---- replay

u32 state_of(const fc_disk_log_record &record)
{
	return static_cast<u32>(record.origin_block_state >> FC_DISK_ORIGIN_BLOCK_BITS);
}

u64 block_of(const fc_disk_log_record &record)
{
	return record.origin_block_state & FC_DISK_ORIGIN_BLOCK_MASK;
}

fc_status replay_record(Core &core, const fc_disk_log_record &record, bool unconfirmed)
{
	const u32 state = state_of(record);
	const u64 block = block_of(record);
	if (record.slot >= core.geo.nr_blocks() || state > FC_DISK_DIRTY)
		return FC_E_LOG_DAMAGED;
	const u32 set_nr = record.slot / core.geo.ways();
	const u32 way = record.slot % core.geo.ways();
	mark_touched(core, record.slot);
	SetGuard guard(core, set_nr);
	CacheSet set = set_at(core, set_nr);
	if (set.valid(way))
		set.remove(way);
	if (state != FC_DISK_DIRTY)
		return FC_OK;
	const Placement place = core.geo.place(block);
	if (block >= core.whole_blocks || place.set != set_nr)
		return FC_E_LOG_DAMAGED;
	set.insert(way, place.tag);
	set.set_dirty(way, true);
	set.set_unconfirmed(way, unconfirmed);
	return FC_OK;
}

fc_status replay(Core &core, LogReader &reader, const LogRange &range)
{
	LogUnit unit = {};
	bool valid = false;
	for (u64 sequence = core.config.log_tail; sequence < range.end; sequence++) {
		if (const fc_status bad = reader.read(sequence, unit, valid))
			return bad;
		if (!valid)
			return FC_E_LOG_DAMAGED;
		for (u32 i = 0; i < unit.count; i++)
			if (const fc_status bad = replay_record(core, unit.records[i], sequence > range.confirmed))
				return bad;
	}
	return FC_OK;
}

// CRC-32C of a cache block, read through the second half of the scratch memory.
fc_status block_crc(Core &core, u32 set_nr, u32 way, u32 &crc)
{
	char *const buffer = core.scratch + LogReader::kWindowBytes;
	const u32 step = min_of(core.geo.block_sectors(), LogReader::kWindowBytes / kSectorBytes);
	crc = 0;
	for (u32 at = 0; at < core.geo.block_sectors(); at += step) {
		if (fc_os_sync_io(core.os, FC_DEV_CACHE, FC_IO_READ, core.geo.data_sector(set_nr, way) + at,
				  buffer, step, 0))
			return FC_EIO;
		crc = fc_os_crc32c(crc, buffer, step * kSectorBytes);
	}
	return FC_OK;
}

// Rule 2: a DIRTY record that is not confirmed holds only if its data has arrived.
fc_status check_record(Core &core, const fc_disk_log_record &record)
{
	if (state_of(record) != FC_DISK_DIRTY)
		return FC_OK;
	const u32 set_nr = record.slot / core.geo.ways();
	const u32 way = record.slot % core.geo.ways();
	{
		SetGuard guard(core, set_nr);
		const CacheSet set = set_at(core, set_nr);
		if (!set.valid(way) || !set.unconfirmed(way) ||
		    set.tag(way) != core.geo.place(block_of(record)).tag)
			return FC_OK;	// a later record of this slot holds
	}
	u32 crc;
	if (const fc_status bad = block_crc(core, set_nr, way, crc)) {
		// Neither answer would be safe: it may be an acknowledged write, or another block's bytes.
		fc_os_log(core.os, FC_LOG_ERROR, "origin block %llu cannot be read from the cache device: load again when it can",
			  block_of(record));
		return bad;
	}
	SetGuard guard(core, set_nr);
	CacheSet set = set_at(core, set_nr);
	set.set_unconfirmed(way, false);
	if (crc != record.data_crc) {
		set.remove(way);
		core.recovered[kRecoveredVoid]++;
	}
	return FC_OK;
}

// From the end backwards, so that the last record of a slot comes first.
fc_status check_data(Core &core, LogReader &reader, const LogRange &range)
{
	LogUnit unit = {};
	bool valid = false;
	for (u64 sequence = range.end - 1; sequence > range.confirmed && sequence >= core.config.log_tail; sequence--) {
		if (const fc_status bad = reader.read(sequence, unit, valid))
			return bad;
		if (!valid)	// it was when it was replayed
			return FC_E_LOG_DAMAGED;
		for (u32 i = unit.count; i-- > 0;)
			if (const fc_status bad = check_record(core, unit.records[i]))
				return bad;
	}
	return FC_OK;
}

// ---- all of it

fc_status check_and_count(Core &core)
{
	for (u32 set_nr = 0; set_nr < core.geo.nr_sets(); set_nr++) {
		resched_in_walk(core, set_nr);
		SetGuard guard(core, set_nr);
		const CacheSet set = set_at(core, set_nr);
		for (u32 way = 0; way < core.geo.ways(); way++) {
			if (!set.valid(way))
				continue;
			if (set.find(set.tag(way)) != way)
				return FC_E_HOME_CONTRADICTION;
			core.nr_valid++;
			core.recovered[set.dirty(way) ? kRecoveredDirty : kRecoveredClean]++;
		}
	}
	core.nr_dirty = core.recovered[kRecoveredDirty];
	return FC_OK;
}

fc_status recover(Core &core, u64 &next_sequence)
{
	fc_os_log(core.os, FC_LOG_WARNING, "Unclean Shutdown Detected");
	LogReader reader(core);
	LogRange range;
	if (const fc_status bad = load_home(core, false))
		return bad;
	if (const fc_status bad = find_log_end(core, reader, range))
		return bad;
	if (const fc_status bad = replay(core, reader, range))
		return bad;
	if (const fc_status bad = check_data(core, reader, range))
		return bad;
	next_sequence = range.end;
	core.unclean_load = true;
	return FC_OK;
}

bool same_cache(const Config &a, const Config &b)
{
	return a.nr_sets == b.nr_sets && a.ways_per_set == b.ways_per_set &&
	       a.block_sectors == b.block_sectors && a.extent_blocks == b.extent_blocks &&
	       a.unit_bytes == b.unit_bytes && a.origin_sectors == b.origin_sectors &&
	       a.log_units == b.log_units && a.data_offset_sectors == b.data_offset_sectors &&
	       __builtin_memcmp(a.cache_uuid, b.cache_uuid, sizeof(a.cache_uuid)) == 0;
}

// The superblock may have changed since the table was loaded.
fc_status probe_again(Core &core)
{
	auto *fresh = reinterpret_cast<Config *>(core.scratch + 8192);
	__builtin_memcpy(fresh, &core.config, sizeof(*fresh));
	if (const int bad = fc_core_probe(core.os, fresh, core.scratch))
		return static_cast<fc_status>(bad);
	if (!same_cache(*fresh, core.config))
		return FC_E_SUPERBLOCK_CHANGED;
	core.config.flags = fresh->flags;
	core.config.epoch = fresh->epoch;
	core.config.log_tail = fresh->log_tail;
	core.config.superblock_sequence = fresh->superblock_sequence;
	core.config.origin_fingerprint = fresh->origin_fingerprint;
	return FC_OK;
}

fc_status check_origin(Core &core)
{
	u32 fingerprint;
	if (!(core.config.flags & FC_DISK_FLAG_FINGERPRINT))
		return FC_OK;
	if (const fc_status bad = origin_fingerprint(core, fingerprint))
		return bad;
	return fingerprint == core.config.origin_fingerprint ? FC_OK : FC_E_ORIGIN_CHANGED;
}

fc_status load(Core &core, u64 &next_sequence)
{
	const bool clean = core.config.flags & FC_DISK_FLAG_CLEAN;
	const fc_status log = check_epochs(core);
	// An orderly stop needs no log: that it cannot be read must not keep the dirty blocks from their user.
	if (log && !(clean && log == FC_EIO))
		return log;
	if (!clean)
		return recover(core, next_sequence);
	next_sequence = core.config.log_tail;
	if (const fc_status bad = check_origin(core))
		return bad;
	return load_home(core, true);
}

// After a crash without a loss of power, the devices' caches may hold what was found, and
// acknowledged writes besides.  The home table says "dirty" without a checksum: what it will say
// must be durable before it.
fc_status settle_devices(Core &core)
{
	core.unflushed[FC_DEV_CACHE] = core.unflushed[FC_DEV_ORIGIN] = 1;
	return fc_os_sync_io(core.os, FC_DEV_CACHE, FC_IO_FLUSH, 0, nullptr, 0, 0) ? FC_EIO : FC_OK;
}

void log_loaded(Core &core)
{
	const u64 dirty = core.recovered[kRecoveredDirty];
	const u64 clean = core.recovered[kRecoveredClean];
	fc_os_log(core.os, FC_LOG_INFO, "Cache metadata loaded from disk with %llu valid %llu DIRTY blocks",
		  dirty + clean, dirty);
	if (core.recovered[kRecoveredVoid])
		fc_os_log(core.os, FC_LOG_INFO, "%llu writes had not reached the cache device when it stopped",
			  core.recovered[kRecoveredVoid]);
}

} // namespace

} // namespace fc

FC_ENTRY int fc_core_open(struct fc_core *core)
{
	using namespace fc;
	u64 next_sequence = 0;
	if (const fc_status bad = probe_again(*core))
		return bad;
	if (const fc_status bad = load(*core, next_sequence))
		return bad;
	if (const fc_status bad = check_and_count(*core))
		return bad;
	if (const fc_status bad = settle_devices(*core))
		return bad;
	if (const fc_status bad = write_touched_units(*core))
		return bad;
	if (const fc_status bad = make_home_durable(*core))
		return bad;
	core->superblock.sequence = core->config.superblock_sequence;
	core->log.start(core->config.epoch + 1, next_sequence);
	// Both superblocks: if the newer one rots, the other must not say CLEAN.
	for (u32 i = 0; i < 2; i++)
		if (const fc_status bad = next_superblock(*core, 0, next_sequence))
			return bad;
	log_loaded(*core);
	core->started = true;
	core->wb.last_io_ms = core->wb.fallow_since_ms = fc_os_now_ms(core->os);
	// A crash may have ended the cleaning that follows when write-back mode is left.
	post(core->wb.all, !makes_dirty(*core) && core->nr_dirty);
	if (core->nr_dirty)
		fc_os_kick(core->os, FC_WORK_WRITEBACK, 1000);
	return FC_OK;
}
