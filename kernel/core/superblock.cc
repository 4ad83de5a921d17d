// SPDX-License-Identifier: GPL-2.0-only
#include "superblock.h"

#include "checksum.h"
#include "geometry.h"

namespace fc {
namespace {

constexpr u32 kSlotSectors = 8;		// each superblock has 4 KiB of its own
constexpr u32 kSlotBytes = kSlotSectors * kSectorBytes;
constexpr u64 kSlots[] = {FC_DISK_SUPERBLOCK_A_SECTOR, FC_DISK_SUPERBLOCK_B_SECTOR};

bool has_magic(const fc_disk_superblock &disk)
{
	return __builtin_memcmp(disk.magic, FC_DISK_MAGIC, sizeof(disk.magic)) == 0;
}

u32 superblock_crc(const fc_disk_superblock &disk)
{
	return crc_without_field(0, &disk, sizeof(disk), offsetof(fc_disk_superblock, crc));
}

bool terminated(const unsigned char *text, u32 size)
{
	for (u32 i = 0; i < size; i++) {
		if (!text[i])
			return true;
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false;	// control characters have no business in a name
	}
	return false;
}

bool texts_are_sane(const fc_disk_superblock &disk)
{
	return terminated(disk.cache_name, sizeof(disk.cache_name)) &&
	       terminated(disk.origin_path, sizeof(disk.origin_path)) &&
	       terminated(disk.origin_id, sizeof(disk.origin_id));
}

void copy_geometry(const fc_disk_superblock &disk, Config &c)
{
	c.unit_bytes = disk.unit_bytes;
	c.block_sectors = disk.block_sectors;
	c.ways_per_set = disk.ways_per_set;
	c.extent_blocks = disk.extent_blocks;
	c.mode = disk.mode;
	c.nr_sets = disk.nr_sets;
	c.nr_blocks = disk.nr_sets * disk.ways_per_set;
	c.home_offset_sectors = disk.home_offset_sectors;
	c.home_units = disk.home_units;
	c.log_offset_sectors = disk.log_offset_sectors;
	c.log_units = disk.log_units;
	c.data_offset_sectors = disk.data_offset_sectors;
}

void copy_identity(const fc_disk_superblock &disk, Config &c)
{
	c.created_sectors = disk.cache_device_sectors;
	c.flags = disk.flags;
	c.created_s = disk.created_s;
	c.superblock_sequence = disk.sequence;
	c.epoch = disk.epoch;
	c.log_tail = disk.log_tail;
	c.origin_fingerprint = disk.origin_fingerprint;
	__builtin_memcpy(c.cache_uuid, disk.cache_uuid, sizeof(c.cache_uuid));
	__builtin_memcpy(c.cache_name, disk.cache_name, sizeof(c.cache_name));
	__builtin_memcpy(c.origin_path, disk.origin_path, sizeof(c.origin_path));
	__builtin_memcpy(c.origin_id, disk.origin_id, sizeof(c.origin_id));
}

void encode(const Config &c, const SuperblockState &state, fc_disk_superblock &disk)
{
	__builtin_memcpy(disk.magic, FC_DISK_MAGIC, sizeof(disk.magic));
	disk.version = FC_DISK_VERSION;
	disk.sequence = state.sequence;
	disk.epoch = state.epoch;
	disk.flags = state.flags;
	disk.mode = state.mode;
	disk.log_tail = state.log_tail;
	disk.origin_fingerprint = state.origin_fingerprint;
	disk.cache_device_sectors = c.created_sectors;
	disk.origin_sectors = c.origin_sectors;
	disk.unit_bytes = c.unit_bytes;
	disk.block_sectors = c.block_sectors;
	disk.ways_per_set = c.ways_per_set;
	disk.extent_blocks = c.extent_blocks;
	disk.nr_sets = c.nr_sets;
	disk.home_offset_sectors = c.home_offset_sectors;
	disk.home_units = c.home_units;
	disk.log_offset_sectors = c.log_offset_sectors;
	disk.log_units = c.log_units;
	disk.data_offset_sectors = c.data_offset_sectors;
	disk.created_s = c.created_s;
	__builtin_memcpy(disk.cache_uuid, c.cache_uuid, sizeof(disk.cache_uuid));
	__builtin_memcpy(disk.cache_name, c.cache_name, sizeof(disk.cache_name));
	__builtin_memcpy(disk.origin_path, c.origin_path, sizeof(disk.origin_path));
	__builtin_memcpy(disk.origin_id, c.origin_id, sizeof(disk.origin_id));
}

u64 slot_sector(u64 sequence)
{
	return kSlots[sequence & 1];
}

struct Found {
	bool magic;		// one of the slots is ours
	bool whole;		// and one of those is undamaged
	u64 sector;		// of the newest undamaged one
	u64 sequence;
};

fc_status read_slot(void *os, u64 sector, void *scratch)
{
	return fc_os_sync_io(os, FC_DEV_CACHE, FC_IO_READ, sector, scratch, kSlotSectors, 0) ? FC_EIO : FC_OK;
}

fc_status look_at_slot(void *os, u64 sector, void *scratch, Found &found)
{
	if (const fc_status bad = read_slot(os, sector, scratch))
		return bad;
	const auto &disk = *static_cast<const fc_disk_superblock *>(scratch);
	if (!has_magic(disk))
		return FC_OK;
	found.magic = true;
	if (disk.crc != superblock_crc(disk) || (found.whole && disk.sequence <= found.sequence))
		return FC_OK;
	found = {true, true, sector, disk.sequence};
	return FC_OK;
}

} // namespace

// They start at 1, and nobody lives to see them so large: no sum of two overflows.
static bool counters_are_sane(const fc_disk_superblock &disk)
{
	constexpr u64 kLimit = 1ull << 62;
	return disk.log_tail && disk.sequence && disk.log_tail < kLimit && disk.sequence < kLimit &&
	       disk.epoch < kLimit;
}

fc_status decode_superblock(const fc_disk_superblock &disk, Config &config)
{
	if (!has_magic(disk))
		return FC_E_NO_SUPERBLOCK;
	if (disk.version != FC_DISK_VERSION)
		return FC_E_VERSION;
	if (disk.crc != superblock_crc(disk))
		return FC_E_SUPERBLOCK_DAMAGED;
	if (!texts_are_sane(disk) || !counters_are_sane(disk))
		return FC_E_GEOMETRY;
	if (disk.cache_device_sectors > config.cache_device_sectors)
		return FC_E_CACHE_DEVICE_SIZE;
	const u64 origin_sectors = config.origin_sectors;
	copy_geometry(disk, config);
	config.origin_sectors = disk.origin_sectors;
	if (const fc_status bad = check_geometry(config))
		return bad;
	set_chunk(config);
	copy_identity(disk, config);
	// 0: the caller does not know the origin yet and wants to be told its size.
	return origin_sectors && origin_sectors != disk.origin_sectors ? FC_E_ORIGIN_SIZE : FC_OK;
}

fc_status write_superblock(void *os, const Config &config, const SuperblockState &state,
			   void *scratch)
{
	__builtin_memset(scratch, 0, kSlotBytes);
	auto &disk = *static_cast<fc_disk_superblock *>(scratch);
	encode(config, state, disk);
	disk.crc = superblock_crc(disk);
	const u32 sectors = config.unit_bytes / kSectorBytes;
	if (fc_os_sync_io(os, FC_DEV_CACHE, FC_IO_WRITE, slot_sector(state.sequence), scratch,
			  sectors, FC_IO_FUA))
		return FC_EIO;
	fc_os_stat(os, FC_STAT_metadata_ssd_writes, 1);
	return FC_OK;
}

u32 unit_seed(const Config &config)
{
	return fc_os_crc32c(0, config.cache_uuid, sizeof(config.cache_uuid));
}

} // namespace fc

FC_ENTRY int fc_core_probe(void *os, struct fc_config *config, void *scratch)
{
	using namespace fc;
	Found found = {};
	u32 unreadable = 0;
	for (const u64 sector : kSlots)
		unreadable += look_at_slot(os, sector, scratch, found) != FC_OK;
	if (!found.whole && unreadable)
		return FC_EIO;
	if (!found.whole)
		return found.magic ? FC_E_SUPERBLOCK_DAMAGED : FC_E_NO_SUPERBLOCK;
	if (const fc_status bad = read_slot(os, found.sector, scratch))
		return bad;
	return decode_superblock(*static_cast<const fc_disk_superblock *>(scratch), *config);
}

FC_ENTRY int fc_core_wipe(void *os, const struct fc_config *, void *scratch)
{
	using namespace fc;
	__builtin_memset(scratch, 0, kSlotBytes);
	for (const u64 sector : kSlots)
		if (fc_os_sync_io(os, FC_DEV_CACHE, FC_IO_WRITE, sector, scratch, kSlotSectors, 0))
			return FC_EIO;
	return fc_os_sync_io(os, FC_DEV_CACHE, FC_IO_FLUSH, 0, nullptr, 0, 0) ? FC_EIO : FC_OK;
}
