// SPDX-License-Identifier: GPL-2.0-only
#include "legacy_image.h"

#include <stdexcept>

namespace tools::test {
namespace {

constexpr std::uint64_t kSlotBytes = 16;

std::uint32_t rotate(std::uint32_t word, unsigned by) {
    return word << by | word >> (32 - by);
}

// jhash_1word() of Linux 2.6.37 to 4.4.
std::uint32_t lookup3(std::uint32_t word, std::uint32_t seed) {
    std::uint32_t a = word + 0xdeadbeef;
    std::uint32_t b = 0xdeadbeef;
    std::uint32_t c = seed;
    c ^= b;
    c -= rotate(b, 14);
    a ^= c;
    a -= rotate(c, 11);
    b ^= a;
    b -= rotate(a, 25);
    c ^= b;
    c -= rotate(b, 16);
    a ^= c;
    a -= rotate(c, 4);
    b ^= a;
    b -= rotate(a, 14);
    c ^= b;
    c -= rotate(b, 24);
    return c;
}

// The same before.
std::uint32_t lookup2(std::uint32_t word, std::uint32_t seed) {
    std::uint32_t a = word + 0x9e3779b9;
    std::uint32_t b = 0x9e3779b9;
    std::uint32_t c = seed;
    constexpr unsigned kShifts[3][3] = {{13, 8, 13}, {12, 16, 5}, {3, 10, 15}};
    for (const auto &shift : kShifts) {
        a -= b;
        a -= c;
        a ^= c >> shift[0];
        b -= c;
        b -= a;
        b ^= a << shift[1];
        c -= a;
        c -= b;
        c ^= b >> shift[2];
    }
    return c;
}

} // namespace

LegacyImage::LegacyImage(const LegacyShape &shape) : shape_(shape), device_(kSsdSectors) {
    const std::uint64_t per_block = shape.metadata_sectors * 512 / kSlotBytes;
    const std::uint64_t rough = kSsdSectors / shape.block_sectors;
    const std::uint64_t metadata = (rough / per_block + 2) * shape.metadata_sectors;
    nr_blocks_ = (kSsdSectors - metadata) / shape.block_sectors / shape.associativity *
                 shape.associativity;
    used_.resize(nr_blocks_ / shape.associativity);
    put<std::uint64_t>(0, nr_blocks_);
    put<std::uint32_t>(8, shape.block_sectors);
    put<std::uint32_t>(12, shape.associativity);
    set_state(0xcafefeed);
    device_.poke(20, "oldcache", 9);
    put<std::uint64_t>(152, kSsdSectors);
    device_.poke(160, "/dev/sdz", 9);
    put<std::uint64_t>(288, kDiskSectors);
    put<std::uint32_t>(296, shape.version);
    // What a version does not know holds whatever was in memory.
    put<std::uint32_t>(300, shape.version < 2 ? 0xa5a5a5a5 : shape.metadata_sectors);
    put<std::uint32_t>(304, shape.version < 3 ? 0xa5a5a5a5 : shape.disk_assoc);
    put<std::uint32_t>(308, shape.version < 4 ? 0xa5a5a5a5 : 0);
    std::string slots(nr_blocks_ * kSlotBytes, '\0');
    for (std::uint64_t slot = 0; slot < nr_blocks_; slot++)
        slots[slot * kSlotBytes + 8] = 1; // invalid
    device_.poke(slot_byte(0), slots.data(), slots.size());
}

void LegacyImage::set_state(std::uint32_t word) const {
    put<std::uint32_t>(16, word);
}

std::uint64_t LegacyImage::slot_byte(std::uint64_t slot) const {
    return shape_.metadata_sectors * 512 + slot * kSlotBytes;
}

void LegacyImage::set_slot(std::uint64_t slot, std::uint64_t disk_sector,
                           std::uint32_t state) const {
    put<std::uint64_t>(slot_byte(slot), disk_sector);
    put<std::uint32_t>(slot_byte(slot) + 8, state);
}

std::uint32_t LegacyImage::state_of(std::uint64_t slot) const {
    const std::string bytes = device_.peek(slot_byte(slot) + 8, 4);
    std::uint32_t state = 0;
    for (int i = 3; i >= 0; i--)
        state = state << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return state;
}

std::uint64_t LegacyImage::set_of(std::uint64_t disk_sector) const {
    const std::uint64_t sets = nr_blocks_ / shape_.associativity;
    if (shape_.version < 3 || shape_.disk_assoc == 0)
        return disk_sector / shape_.block_sectors / shape_.associativity % sets;
    const auto region = static_cast<std::uint32_t>(disk_sector / shape_.disk_assoc);
    return (shape_.lookup2 ? lookup2(region, 0xbeef) : lookup3(region, 0xbeef)) % sets;
}

std::uint64_t LegacyImage::add(std::uint64_t disk_sector, bool dirty) {
    const std::uint64_t set = set_of(disk_sector);
    if (used_[set] == shape_.associativity)
        throw std::runtime_error("the set is full");
    const std::uint64_t slot = set * shape_.associativity + used_[set]++;
    set_slot(slot, disk_sector, dirty ? 0x42 : 0x02);
    const std::uint64_t per_block = shape_.metadata_sectors * 512 / kSlotBytes;
    const std::uint64_t data = (nr_blocks_ / per_block + 2) * shape_.metadata_sectors;
    const std::string bytes = contents(disk_sector);
    device_.poke((data + slot * shape_.block_sectors) * 512, bytes.data(), bytes.size());
    return slot;
}

std::string LegacyImage::contents(std::uint64_t disk_sector) const {
    std::string bytes;
    for (std::uint64_t i = 0; i < shape_.block_sectors * 512; i++)
        bytes.push_back(static_cast<char>((disk_sector * 31 + i * 7 + i / 512) % 251));
    return bytes;
}

} // namespace tools::test
