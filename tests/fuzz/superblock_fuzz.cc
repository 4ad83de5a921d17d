// SPDX-License-Identifier: GPL-2.0-only
//
// The two superblocks, changed at will, on devices of their own size and of any other.
#include "geometry.h"
#include "life.h"
#include "platform.h"

namespace {

bool has_crc(const Disk &ssd, fc_u64 sector, fc_disk_superblock &disk) {
    std::memcpy(&disk, ssd.at(sector), sizeof(disk));
    const unsigned crc = std::exchange(disk.crc, 0);
    return std::memcmp(disk.magic, FC_DISK_MAGIC, sizeof(disk.magic)) == 0 &&
           crc == fc_os_crc32c(0, &disk, sizeof(disk));
}

// The whole one with the higher sequence holds.
void check_choice(const Disk &ssd, const fc_config &config) {
    fc_u64 newest = 0;
    for (const fc_u64 sector : {FC_DISK_SUPERBLOCK_A_SECTOR, FC_DISK_SUPERBLOCK_B_SECTOR})
        if (fc_disk_superblock disk; has_crc(ssd, sector, disk) && disk.sequence > newest)
            newest = disk.sequence;
    require(newest != 0 && config.superblock_sequence == newest, "not the newest superblock that is whole");
}

void require_text(const char *field, std::size_t size) {
    require(strnlen(field, size) < size, "a text without its end");
    for (; *field; field++)
        require(static_cast<unsigned char>(*field) >= 0x20 && *field != 0x7f, "a control character in a text");
}

bool is_power(unsigned value, unsigned low, unsigned high) {
    return value >= low && value <= high && (value & (value - 1)) == 0;
}

// What everybody relies on who gets a config from a probe.
void check_config(const fc_config &c, fc_u64 device_sectors) {
    require(c.unit_bytes == 512 || c.unit_bytes == 4096, "unit");
    require(is_power(c.block_sectors, c.unit_bytes / kSector, 128), "block size");
    require(is_power(c.ways_per_set, 2, 8192) && is_power(c.extent_blocks, 1, c.ways_per_set), "ways or extent");
    require(c.mode >= FC_MODE_WRITE_BACK && c.mode <= FC_MODE_WRITE_ONLY, "mode");
    require(is_power(c.chunk_blocks, 1, 64) && c.chunk_sectors == c.chunk_blocks * c.block_sectors &&
                c.chunk_sectors <= FC_JOB_MAX_SECTORS && c.chunk_blocks <= c.extent_blocks, "chunk");
    require(c.nr_sets > 0 && c.nr_sets < 1ull << 32 && c.nr_blocks == c.nr_sets * c.ways_per_set &&
                c.nr_blocks < 1ull << 32, "number of blocks");
    const fc_u64 unit = c.unit_bytes / kSector;
    require(c.home_units * ((c.unit_bytes - 16) / 16) >= c.nr_blocks, "home table too small");
    require(c.home_offset_sectors == 16 && c.home_offset_sectors + c.home_units * unit <= c.log_offset_sectors,
            "home table and log overlap");
    require(c.log_units * c.unit_bytes <= fc::kMaxLogBytes && c.log_units > 0, "size of the log");
    require(c.log_offset_sectors + c.log_units * unit <= c.data_offset_sectors, "log and data overlap");
    require(c.data_offset_sectors <= device_sectors &&
                c.nr_blocks * c.block_sectors <= device_sectors - c.data_offset_sectors, "data beyond the device");
    require(c.log_tail > 0 && (c.log_tail | c.superblock_sequence | c.epoch) >> 62 == 0, "counters");
    require_text(c.cache_name, sizeof(c.cache_name));
    require_text(c.origin_path, sizeof(c.origin_path));
    require_text(c.origin_id, sizeof(c.origin_id));
}

// Blocks and places of tags are one to one, up to the end of the origin.
void check_placement(const fc_config &c, Input &input) {
    fc::Geometry geo;
    geo.init(c);
    const fc_u64 blocks = c.origin_sectors / c.block_sectors;
    for (int i = 0; i < 4 && blocks; i++) {
        const fc_u64 block = i ? input.take<fc_u64>() % blocks : blocks - 1;
        const fc::Placement place = geo.place(block);
        require(place.set < c.nr_sets && geo.origin_block(place.set, place.tag) == block, "placement");
    }
}

// On devices of any size: nothing but the superblocks is there to be read.
void probe_only(Pair &pair, Input &input) {
    fc_config config = {};
    const fc_u64 device_sectors = config.cache_device_sectors = input.take<fc_u64>();
    const fc_u64 origin_sectors = config.origin_sectors = input.byte() % 2 ? input.take<fc_u64>() : 0;
    Platform platform(pair.ssd, pair.origin);
    const int status = platform.probe(config);
    require(platform.written(FC_DEV_CACHE).end == 0, "a probe writes");
    if (status == FC_OK) {
        check_choice(pair.ssd, config);
        check_config(config, device_sectors);
        check_placement(config, input);
        require(fc_core_bytes(&config) < 1ull << 48, "memory");
        require(!origin_sectors || origin_sectors == config.origin_sectors, "an origin of another size");
    }
    pair.ssd.reset();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input(data, size);
    const unsigned char how = input.byte();
    Pair &pair = pair_of(how, how & 0x10);
    for (unsigned left = input.byte() % 12; left; left--) {
        const fc_u64 unit = overlay(pair, Area::superblock, input);
        if (how & 0x20)
            seal(pair, Area::superblock, unit);
    }
    if (how & 0x40)
        probe_only(pair, input);
    else
        live(pair, input);
    return 0;
}
