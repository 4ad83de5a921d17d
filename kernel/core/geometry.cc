// SPDX-License-Identifier: GPL-2.0-only
#include "geometry.h"

namespace fc {
namespace {

constexpr u64 kMaxBlocks = 0xffffffffull;

fc_status check_numbers(const Config &c)
{
	if (c.unit_bytes != 512 && c.unit_bytes != 4096)
		return FC_E_UNIT;
	if (!is_power_of_two(c.block_sectors) || c.block_sectors > 128 ||
	    c.block_sectors * kSectorBytes < c.unit_bytes)
		return FC_E_BLOCK_SIZE;
	if (!is_power_of_two(c.ways_per_set) || c.ways_per_set < 2 || c.ways_per_set > kMaxWays)
		return FC_E_WAYS;
	if (!is_power_of_two(c.extent_blocks) || c.extent_blocks > c.ways_per_set)
		return FC_E_EXTENT;
	if (c.mode < FC_MODE_WRITE_BACK || c.mode > FC_MODE_WRITE_ONLY)
		return FC_E_MODE;
	return FC_OK;
}

void set_defaults(Config &c)
{
	if (!c.block_sectors)
		c.block_sectors = 8;
	if (!c.ways_per_set)
		c.ways_per_set = 512;
	if (!c.extent_blocks)
		c.extent_blocks = min_of(max_of(512u / c.block_sectors, 1u), c.ways_per_set);
}

u64 log_bytes(const Config &c)
{
	// 1/64 of the device: each checkpoint, of which there are a few in each round of the log, may have to
	// write much of the home table, 1/256 of the device.
	const u64 share = c.cache_device_sectors * kSectorBytes / 64;
	return round_up(min_of<u64>(max_of<u64>(share, kMinLogBytes), kMaxLogBytes), c.unit_bytes);
}

// Lay out metadata for nr_sets sets; returns the first sector behind the data.
u64 lay_out(Config &c, u64 nr_sets)
{
	const u32 unit_sectors = c.unit_bytes / kSectorBytes;
	const u32 slots = home_slots_per_unit(c.unit_bytes);
	c.nr_sets = nr_sets;
	c.nr_blocks = nr_sets * c.ways_per_set;
	c.home_offset_sectors = 2 * FC_DISK_SUPERBLOCK_B_SECTOR;
	c.home_units = (c.nr_blocks + slots - 1) / slots;
	c.log_offset_sectors = round_up(c.home_offset_sectors + c.home_units * unit_sectors, 8);
	c.log_units = log_bytes(c) / c.unit_bytes;
	c.data_offset_sectors =
		round_up(c.log_offset_sectors + c.log_units * unit_sectors, kDataAlignSectors);
	return c.data_offset_sectors + c.nr_blocks * c.block_sectors;
}

bool tag_fits(const Config &c)
{
	const u64 origin_blocks = c.origin_sectors / c.block_sectors + 1;
	return (origin_blocks / c.extent_blocks / c.nr_sets + 1) * c.extent_blocks < kMaxBlocks &&
	       origin_blocks < FC_DISK_ORIGIN_BLOCK_MASK;
}

} // namespace

void set_chunk(Config &c)
{
	c.chunk_blocks = min_of(min_of(c.extent_blocks, FC_JOB_MAX_BLOCKS),
				FC_JOB_MAX_SECTORS / c.block_sectors);
	c.chunk_sectors = c.chunk_blocks * c.block_sectors;
}

fc_status check_geometry(const Config &c)
{
	if (const fc_status bad = check_numbers(c))
		return bad;
	if (c.nr_sets == 0 || c.nr_sets > kMaxBlocks / c.ways_per_set)
		return FC_E_GEOMETRY;
	Config expect = c;
	const u64 end = lay_out(expect, c.nr_sets);
	const bool same = expect.home_offset_sectors == c.home_offset_sectors &&
			  expect.home_units == c.home_units &&
			  expect.log_offset_sectors == c.log_offset_sectors &&
			  expect.data_offset_sectors >= c.log_offset_sectors;
	if (!same || c.log_units < kMinLogBytes / c.unit_bytes ||
	    c.log_units > kMaxLogBytes / c.unit_bytes || c.data_offset_sectors % kDataAlignSectors)
		return FC_E_GEOMETRY;
	const u64 log_end = c.log_offset_sectors + c.log_units * (c.unit_bytes / kSectorBytes);
	if (log_end > c.data_offset_sectors || end < c.data_offset_sectors)
		return FC_E_GEOMETRY;
	if (c.data_offset_sectors > c.cache_device_sectors ||
	    c.nr_blocks * c.block_sectors > c.cache_device_sectors - c.data_offset_sectors)
		return FC_E_CACHE_DEVICE_SIZE;
	return tag_fits(c) ? FC_OK : FC_E_TOO_LARGE;
}

void Geometry::init(const Config &config)
{
	nr_sets_ = static_cast<u32>(config.nr_sets);
	ways_ = config.ways_per_set;
	extent_shift_ = static_cast<u32>(std::countr_zero(config.extent_blocks));
	block_shift_ = static_cast<u32>(std::countr_zero(config.block_sectors));
	chunk_shift_ = static_cast<u32>(std::countr_zero(config.chunk_blocks));
	data_offset_ = config.data_offset_sectors;
	origin_blocks_ = (config.origin_sectors + config.block_sectors - 1) >> block_shift_;
}

} // namespace fc

FC_ENTRY int fc_core_plan(struct fc_config *config)
{
	using namespace fc;
	Config &c = *config;
	set_defaults(c);
	if (const fc_status bad = check_numbers(c))
		return bad;
	if (c.cache_sectors_wanted > c.cache_device_sectors)
		return FC_E_CACHE_DEVICE_SIZE;
	const u64 set_sectors = static_cast<u64>(c.ways_per_set) * c.block_sectors;
	const u64 data = c.cache_sectors_wanted ? c.cache_sectors_wanted : c.cache_device_sectors;
	u64 nr_sets = data / set_sectors;
	if (!nr_sets && c.cache_sectors_wanted)
		return FC_E_BELOW_ONE_SET;
	if (nr_sets > kMaxBlocks / c.ways_per_set)
		return FC_E_TOO_LARGE;
	// Each round gives up exactly the sets that did not fit, so this ends after a few.
	while (nr_sets) {
		const u64 end = lay_out(c, nr_sets);
		if (end <= c.cache_device_sectors)
			break;
		nr_sets -= min_of(nr_sets, (end - c.cache_device_sectors + set_sectors - 1) / set_sectors);
	}
	if (!nr_sets)
		return FC_E_TOO_SMALL;
	c.created_sectors = c.cache_device_sectors;
	set_chunk(c);
	return tag_fits(c) ? FC_OK : FC_E_TOO_LARGE;
}
