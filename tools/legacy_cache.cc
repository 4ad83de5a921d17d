// SPDX-License-Identifier: GPL-2.0-only
#include "legacy_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "error.h"
#include "text.h"

namespace tools {
namespace {

constexpr std::size_t kHeadSectors = 8; // one block of any device

// The old superblock on x86-64, in the machine's byte order.
struct LegacySuperblock {
    std::uint64_t size;       // cache blocks
    std::uint32_t block_size; // sectors
    std::uint32_t assoc;
    std::uint32_t cache_sb_state;
    char cache_devname[128];
    std::uint32_t padding;
    std::uint64_t cache_devsize;
    char disk_devname[128];
    std::uint64_t disk_devsize;
    std::uint32_t cache_version;
    std::uint32_t md_block_size;    // sectors; from version 2 on
    std::uint32_t disk_assoc;       // sectors; from version 3 on
    std::uint32_t write_only_cache; // from version 4 on
};
static_assert(offsetof(LegacySuperblock, cache_sb_state) == 16);
static_assert(offsetof(LegacySuperblock, cache_devsize) == 152);
static_assert(offsetof(LegacySuperblock, disk_devname) == 160);
static_assert(offsetof(LegacySuperblock, disk_devsize) == 288);
static_assert(offsetof(LegacySuperblock, cache_version) == 296);
static_assert(offsetof(LegacySuperblock, write_only_cache) == 308);

struct DiskSlot {
    std::uint64_t sector;
    std::uint32_t state;
    std::uint32_t padding;
};
static_assert(sizeof(DiskSlot) == 16);

std::optional<LegacyStop> stop_of(std::uint32_t word) {
    switch (word) {
    case 0xdeadbeef:
        return LegacyStop::kUnclean;
    case 0xfacecafe:
        return LegacyStop::kClean;
    case 0xcafefeed:
        return LegacyStop::kFast;
    case 0xc8249756:
        return LegacyStop::kFailed;
    default:
        return std::nullopt;
    }
}

std::uint64_t slots_per_block(const LegacyCache &cache) {
    return cache.metadata_block_sectors * kSectorBytes / sizeof(DiskSlot);
}

// Metadata blocks that hold slots, behind the one of the superblock.
std::uint64_t slot_blocks(const LegacyCache &cache) {
    return (cache.nr_blocks + slots_per_block(cache) - 1) / slots_per_block(cache);
}

void visit_slots(const std::byte *slots, std::uint64_t first, std::uint64_t count,
                 const std::function<void(const LegacySlot &)> &visit) {
    for (std::uint64_t i = 0; i < count; i++) {
        DiskSlot slot;
        std::memcpy(&slot, slots + i * sizeof(slot), sizeof(slot));
        visit({first + i, slot.sector, slot.state});
    }
}

} // namespace

std::optional<LegacyCache> find_legacy_cache(const DeviceFile &device) {
    if (device.sectors() < kHeadSectors)
        return std::nullopt;
    AlignedBuffer head(kHeadSectors * kSectorBytes);
    if (const int error = device.read(0, head.data(), kHeadSectors); error != 0)
        refuse("cannot read {}: {}", device.path(), errno_text(error));
    LegacySuperblock disk;
    std::memcpy(&disk, head.data(), sizeof(disk));
    const auto stop = stop_of(disk.cache_sb_state);
    if (!stop)
        return std::nullopt;
    LegacyCache cache;
    cache.version = disk.cache_version;
    cache.stop = *stop;
    cache.nr_blocks = disk.size;
    cache.block_sectors = disk.block_size;
    cache.associativity = disk.assoc;
    cache.metadata_block_sectors = disk.cache_version == 1 ? 1 : disk.md_block_size;
    cache.disk_associativity_sectors = disk.cache_version < 3 ? 0 : disk.disk_assoc;
    cache.write_only = disk.cache_version >= 4 && disk.write_only_cache != 0;
    cache.disk_sectors = disk.disk_devsize;
    cache.name = printable(from_field(disk.cache_devname, sizeof(disk.cache_devname)));
    cache.disk_path = printable(from_field(disk.disk_devname, sizeof(disk.disk_devname)));
    return cache;
}

std::string legacy_contradiction(const DeviceFile &device, const LegacyCache &cache) {
    constexpr std::uint32_t kMaxMetadataSectors = 128;
    if (cache.version < 1 || cache.version > 4)
        return fmt::format("its version, {}, is unknown", cache.version);
    if (!std::has_single_bit(cache.block_sectors))
        return "the block size is no power of two";
    if (!std::has_single_bit(cache.metadata_block_sectors) ||
        cache.metadata_block_sectors > kMaxMetadataSectors)
        return "the size of metadata blocks makes no sense";
    if (cache.nr_blocks == 0 || cache.nr_blocks > device.sectors() / cache.block_sectors)
        return "it has no blocks, or more than fit on the device";
    if (!std::has_single_bit(cache.associativity) || cache.associativity > cache.nr_blocks)
        return "the associativity makes no sense";
    if (cache.disk_associativity_sectors != 0 &&
        !std::has_single_bit(cache.disk_associativity_sectors))
        return "the disk associativity is no power of two";
    if (legacy_data_sector(cache, cache.nr_blocks) > device.sectors())
        return "its blocks end behind the device";
    return {};
}

// The superblock's metadata block, and one that rounding may need.
std::uint64_t legacy_data_sector(const LegacyCache &cache, std::uint64_t slot) {
    const std::uint64_t metadata_blocks = cache.nr_blocks / slots_per_block(cache) + 2;
    return metadata_blocks * cache.metadata_block_sectors + slot * cache.block_sectors;
}

std::uint64_t legacy_slot_byte(const LegacyCache &cache, std::uint64_t slot) {
    return cache.metadata_block_sectors * kSectorBytes + slot * sizeof(DiskSlot);
}

int for_each_legacy_slot(const DeviceFile &device, const LegacyCache &cache,
                         const std::function<void(const LegacySlot &)> &visit) {
    const std::uint64_t first_sector = cache.metadata_block_sectors;
    constexpr std::uint64_t kReadSectors = 2048;
    constexpr std::uint64_t kSlotsPerRead = kReadSectors * kSectorBytes / sizeof(DiskSlot);
    AlignedBuffer buffer(kReadSectors * kSectorBytes);
    const std::uint64_t all_sectors =
        (slot_blocks(cache) * cache.metadata_block_sectors + kHeadSectors - 1) / kHeadSectors *
        kHeadSectors;
    for (std::uint64_t slot = 0; slot < cache.nr_blocks; slot += kSlotsPerRead) {
        const std::uint64_t at = slot * sizeof(DiskSlot) / kSectorBytes;
        const std::uint64_t count =
            std::min({kReadSectors, all_sectors - at, device.sectors() - first_sector - at});
        if (const int error = device.read(first_sector + at, buffer.data(), count); error != 0)
            return error;
        visit_slots(buffer.data(), slot, std::min(kSlotsPerRead, cache.nr_blocks - slot), visit);
    }
    return 0;
}

std::optional<std::uint64_t> count_legacy_dirty(const DeviceFile &device,
                                                const LegacyCache &cache) {
    if (!legacy_contradiction(device, cache).empty())
        return std::nullopt;
    std::uint64_t dirty = 0;
    const auto count = [&dirty](const LegacySlot &slot) { dirty += slot.dirty(); };
    if (for_each_legacy_slot(device, cache, count) != 0)
        return std::nullopt;
    return dirty;
}

void wipe_legacy_cache(const DeviceFile &device) {
    AlignedBuffer head(kHeadSectors * kSectorBytes);
    int error = device.read(0, head.data(), kHeadSectors);
    if (error == 0) {
        std::memset(head.data() + offsetof(LegacySuperblock, cache_sb_state), 0,
                    sizeof(LegacySuperblock::cache_sb_state));
        error = device.write(0, head.data(), kHeadSectors);
    }
    if (error == 0)
        error = device.flush();
    if (error != 0)
        refuse("cannot erase the superblock on {}: {}", device.path(), errno_text(error));
}

} // namespace tools
