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
constexpr std::uint32_t kSlotDirty = 0x40;

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
    std::uint32_t md_block_size; // sectors; from version 2 on
};
static_assert(offsetof(LegacySuperblock, cache_sb_state) == 16);
static_assert(offsetof(LegacySuperblock, disk_devname) == 160);
static_assert(offsetof(LegacySuperblock, cache_version) == 296);

struct LegacySlot {
    std::uint64_t sector;
    std::uint32_t state;
    std::uint32_t padding;
};
static_assert(sizeof(LegacySlot) == 16);

bool is_state(std::uint32_t word) {
    constexpr std::uint32_t kStates[] = {0xdeadbeef, 0xfacecafe, 0xcafefeed, 0xc8249756};
    return std::find(std::begin(kStates), std::end(kStates), word) != std::end(kStates);
}

std::uint64_t slots_per_block(const LegacyCache &cache) {
    return cache.metadata_block_sectors * kSectorBytes / sizeof(LegacySlot);
}

// Metadata blocks that hold slots, behind the one of the superblock.
std::uint64_t slot_blocks(const LegacyCache &cache) {
    return (cache.nr_blocks + slots_per_block(cache) - 1) / slots_per_block(cache);
}

bool is_consistent(const DeviceFile &device, const LegacyCache &cache) {
    constexpr std::uint32_t kMaxMetadataSectors = 128;
    if (cache.version < 1 || cache.version > 4 || !std::has_single_bit(cache.block_sectors) ||
        !std::has_single_bit(cache.metadata_block_sectors) ||
        cache.metadata_block_sectors > kMaxMetadataSectors || cache.nr_blocks == 0 ||
        cache.nr_blocks > device.sectors() / cache.block_sectors)
        return false;
    return (1 + slot_blocks(cache)) * cache.metadata_block_sectors <= device.sectors();
}

std::uint64_t count_dirty(const std::byte *slots, std::uint64_t count) {
    std::uint64_t dirty = 0;
    for (std::uint64_t i = 0; i < count; i++) {
        LegacySlot slot;
        std::memcpy(&slot, slots + i * sizeof(slot), sizeof(slot));
        dirty += (slot.state & kSlotDirty) != 0;
    }
    return dirty;
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
    if (!is_state(disk.cache_sb_state))
        return std::nullopt;
    LegacyCache cache;
    cache.version = disk.cache_version;
    cache.nr_blocks = disk.size;
    cache.block_sectors = disk.block_size;
    cache.metadata_block_sectors = disk.cache_version == 1 ? 1 : disk.md_block_size;
    cache.disk_path = printable(from_field(disk.disk_devname, sizeof(disk.disk_devname)));
    return cache;
}

std::optional<std::uint64_t> count_legacy_dirty(const DeviceFile &device,
                                                const LegacyCache &cache) {
    if (!is_consistent(device, cache))
        return std::nullopt;
    const std::uint64_t first_sector = cache.metadata_block_sectors;
    constexpr std::uint64_t kReadSectors = 2048;
    constexpr std::uint64_t kSlotsPerRead = kReadSectors * kSectorBytes / sizeof(LegacySlot);
    AlignedBuffer buffer(kReadSectors * kSectorBytes);
    const std::uint64_t all_sectors =
        (slot_blocks(cache) * cache.metadata_block_sectors + kHeadSectors - 1) / kHeadSectors *
        kHeadSectors;
    std::uint64_t dirty = 0;
    for (std::uint64_t slot = 0; slot < cache.nr_blocks; slot += kSlotsPerRead) {
        const std::uint64_t at = slot * sizeof(LegacySlot) / kSectorBytes;
        const std::uint64_t count =
            std::min({kReadSectors, all_sectors - at, device.sectors() - first_sector - at});
        if (device.read(first_sector + at, buffer.data(), count) != 0)
            return std::nullopt;
        dirty += count_dirty(buffer.data(), std::min(kSlotsPerRead, cache.nr_blocks - slot));
    }
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
