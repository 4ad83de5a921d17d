// SPDX-License-Identifier: GPL-2.0-only
#include "cache_image.h"

#include <cstring>
#include <stdexcept>

#include "core/geometry.h"
#include "core/superblock.h"
#include "core_host.h"

namespace tools::test {
namespace {

constexpr std::uint64_t kSsdSectors = 32768;

} // namespace

CacheImage::CacheImage(unsigned unit_bytes)
    : config_(planned_config(kSsdSectors, unit_bytes)), ssd_(kSsdSectors),
      disk_(config_.origin_sectors) {
    const DeviceFile ssd = open_ssd();
    format_cache(ssd, config_);
    if (probe_cache(ssd, config_) != FC_OK)
        throw std::runtime_error("a new cache is not there");
    seed_ = fc_os_crc32c(0, config_.cache_uuid, sizeof(config_.cache_uuid));
    config_.epoch++;
    stop(true);
}

void CacheImage::stop(bool in_good_order) {
    const DeviceFile ssd = open_ssd();
    CoreHost host(ssd);
    AlignedBuffer scratch(4096);
    config_.flags = in_good_order ? FC_DISK_FLAG_CLEAN : 0;
    next_sequence_ = config_.log_tail;
    for (int i = 0; i < 2; i++) {
        const fc::SuperblockState state = {++config_.superblock_sequence, config_.epoch,
                                           config_.log_tail, config_.flags, config_.mode, 0};
        if (fc::write_superblock(&host, config_, state, scratch.data()) != FC_OK)
            throw std::runtime_error("the superblock cannot be written");
    }
}

fc_u64 CacheImage::block_of(unsigned slot) const {
    fc::Geometry geometry;
    geometry.init(config_);
    return geometry.origin_block(slot / config_.ways_per_set, slot % config_.ways_per_set);
}

std::string CacheImage::contents(fc_u64 origin_block) const {
    std::string bytes;
    for (std::uint64_t i = 0; i < config_.block_sectors * 512; i++)
        bytes.push_back(static_cast<char>((origin_block * 31 + i * 7 + i / 512) % 251));
    return bytes;
}

std::string CacheImage::on_disk(fc_u64 origin_block) const {
    const std::uint64_t bytes = config_.block_sectors * 512;
    return disk_.peek(origin_block * bytes, bytes);
}

void CacheImage::write_data(unsigned slot) {
    const std::string bytes = contents(block_of(slot));
    ssd_.poke((config_.data_offset_sectors + std::uint64_t{slot} * config_.block_sectors) * 512,
              bytes.data(), bytes.size());
}

// In both headers the checksum is behind the magic.
void CacheImage::seal_and_write(std::vector<char> &unit, fc_u64 sector) {
    std::memset(unit.data() + 4, 0, 4);
    const unsigned crc = fc_os_crc32c(seed_, unit.data(), unit.size());
    std::memcpy(unit.data() + 4, &crc, 4);
    ssd_.poke(sector * 512, unit.data(), unit.size());
}

fc_u64 CacheImage::set_home(unsigned slot, unsigned state) {
    const unsigned per_unit = (config_.unit_bytes - 16) / 16;
    const fc_u64 sector =
        config_.home_offset_sectors + slot / per_unit * (config_.unit_bytes / 512);
    const std::string old = ssd_.peek(sector * 512, config_.unit_bytes);
    std::vector<char> unit(old.begin(), old.end());
    fc_disk_home_slot entry = {};
    entry.origin_block = block_of(slot);
    entry.state = static_cast<unsigned char>(state);
    std::memcpy(unit.data() + 16 + slot % per_unit * sizeof(entry), &entry, sizeof(entry));
    seal_and_write(unit, sector);
    write_data(slot);
    return entry.origin_block;
}

void CacheImage::log_dirty(const std::vector<unsigned> &slots, bool whole) {
    std::vector<char> unit(config_.unit_bytes);
    fc_disk_log_header header = {};
    header.magic = FC_DISK_LOG_MAGIC;
    header.epoch = config_.epoch;
    header.sequence = next_sequence_;
    header.confirmed = header.durable = next_sequence_ - 1;
    header.count = static_cast<unsigned>(slots.size());
    std::memcpy(unit.data(), &header, sizeof(header));
    for (std::size_t i = 0; i < slots.size(); i++) {
        const std::string bytes = contents(block_of(slots[i]));
        const fc_disk_log_record record = {
            slots[i], fc_os_crc32c(0, bytes.data(), bytes.size()),
            static_cast<fc_u64>(FC_DISK_DIRTY) << FC_DISK_ORIGIN_BLOCK_BITS | block_of(slots[i])};
        std::memcpy(unit.data() + sizeof(header) + i * sizeof(record), &record, sizeof(record));
        if (whole)
            write_data(slots[i]);
    }
    const fc_u64 place = next_sequence_++ % config_.log_units;
    seal_and_write(unit, config_.log_offset_sectors + place * (config_.unit_bytes / 512));
}

void CacheImage::damage_home(unsigned unit) {
    ssd_.poke(config_.home_offset_sectors * 512 + std::uint64_t{unit} * config_.unit_bytes + 20,
              "?", 1);
}

} // namespace tools::test
