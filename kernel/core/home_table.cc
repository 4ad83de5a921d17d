// SPDX-License-Identifier: GPL-2.0-only
#include "home_table.h"

#include "checksum.h"
#include "superblock.h"

namespace fc {
namespace {

fc_disk_home_slot *slot_at(void *unit, u32 place)
{
	return reinterpret_cast<fc_disk_home_slot *>(static_cast<char *>(unit) +
						     sizeof(fc_disk_home_header)) + place;
}

} // namespace

void HomeTable::init(const Config &config)
{
	offset_ = config.home_offset_sectors;
	nr_units_ = config.home_units;
	unit_bytes_ = config.unit_bytes;
	slots_per_unit_ = home_slots_per_unit(config.unit_bytes);
	seed_ = unit_seed(config);
}

void HomeTable::start_unit(void *unit, u64 index) const
{
	__builtin_memset(unit, 0, unit_bytes_);
	auto *header = static_cast<fc_disk_home_header *>(unit);
	header->magic = FC_DISK_HOME_MAGIC;
	header->index = static_cast<u32>(index);
}

void HomeTable::set_slot(void *unit, u32 place, const HomeSlot &slot)
{
	fc_disk_home_slot *disk = slot_at(unit, place);
	disk->origin_block = slot.origin_block;
	disk->state = static_cast<u8>(slot.state);
	disk->referenced = slot.referenced;
}

u32 HomeTable::unit_crc(const void *unit) const
{
	return crc_without_field(seed_, unit, unit_bytes_, offsetof(fc_disk_home_header, crc));
}

void HomeTable::seal_unit(void *unit) const
{
	static_cast<fc_disk_home_header *>(unit)->crc = unit_crc(unit);
}

bool HomeTable::check_unit(const void *unit, u64 index) const
{
	const auto *header = static_cast<const fc_disk_home_header *>(unit);
	return header->magic == FC_DISK_HOME_MAGIC && header->index == static_cast<u32>(index) &&
	       header->crc == unit_crc(unit);
}

HomeSlot HomeTable::get_slot(const void *unit, u32 place)
{
	const fc_disk_home_slot *disk = slot_at(const_cast<void *>(unit), place);
	return {disk->origin_block, disk->state, disk->referenced != 0};
}

// Recovery tells a place of the log that was never used from a damaged one by its zeros.
static fc_status zero_log(void *os, const Config &config, void *scratch)
{
	const u32 unit_sectors = config.unit_bytes / kSectorBytes;
	const u64 batch = FC_SCRATCH_BYTES / config.unit_bytes;
	__builtin_memset(scratch, 0, FC_SCRATCH_BYTES);
	for (u64 unit = 0; unit < config.log_units; unit += batch) {
		const u32 n = static_cast<u32>(min_of(batch, config.log_units - unit));
		if (fc_os_sync_io(os, FC_DEV_CACHE, FC_IO_WRITE, config.log_offset_sectors + unit * unit_sectors,
				  scratch, n * unit_sectors, 0))
			return FC_EIO;
	}
	return FC_OK;
}

} // namespace fc

FC_ENTRY int fc_core_format(void *os, const struct fc_config *config, void *scratch)
{
	using namespace fc;
	// No superblock of an older cache may survive in front of the new home table.
	if (const int bad = fc_core_wipe(os, config, scratch))
		return bad;
	HomeTable home;
	home.init(*config);
	const u32 batch = FC_SCRATCH_BYTES / home.unit_bytes();
	for (u64 unit = 0; unit < home.nr_units(); unit += batch) {
		const u32 n = static_cast<u32>(min_of<u64>(batch, home.nr_units() - unit));
		for (u32 i = 0; i < n; i++) {
			void *at = static_cast<char *>(scratch) + i * home.unit_bytes();
			home.start_unit(at, unit + i);
			home.seal_unit(at);
		}
		if (fc_os_sync_io(os, FC_DEV_CACHE, FC_IO_WRITE, home.sector_of(unit), scratch,
				  n * (home.unit_bytes() / kSectorBytes), 0))
			return FC_EIO;
	}
	if (const fc_status bad = zero_log(os, *config, scratch))
		return bad;
	if (fc_os_sync_io(os, FC_DEV_CACHE, FC_IO_FLUSH, 0, nullptr, 0, 0))
		return FC_EIO;
	const SuperblockState state = {
		.sequence = 1,
		.epoch = 1,
		.log_tail = 1,
		.flags = FC_DISK_FLAG_CLEAN,
		.mode = config->mode,
		.origin_fingerprint = 0,
	};
	return write_superblock(os, *config, state, scratch);
}
