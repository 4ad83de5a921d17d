// SPDX-License-Identifier: GPL-2.0-only
//
// An SSD as flashcache 1 to 3 left it, written field by field from the documentation of its format.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "fake_device.h"

namespace tools::test {

struct LegacyShape {
    const char *name = "v4";
    std::uint32_t version = 4;
    std::uint32_t block_sectors = 8;
    std::uint32_t metadata_sectors = 8; // of a metadata block; 1 in version 1
    std::uint32_t disk_assoc = 0;       // sectors
    std::uint32_t associativity = 512;
    bool lookup2 = false; // the hash of kernels up to 2.6.36
};

inline std::ostream &operator<<(std::ostream &out, const LegacyShape &shape) {
    return out << shape.name;
}

class LegacyImage {
public:
    static constexpr std::uint64_t kDiskSectors = 1 << 18;
    static constexpr std::uint64_t kSsdSectors = 65536;

    explicit LegacyImage(const LegacyShape &shape);

    const FakeDevice &device() const { return device_; }
    std::uint64_t nr_blocks() const { return nr_blocks_; }
    void set_state(std::uint32_t word) const;
    template <typename T> void put(std::uint64_t at, T value) const {
        device_.poke(at, &value, sizeof(value));
    }

    // The block of the disk at this sector is in the cache, in the next free slot of its set, with
    // contents(sector).  Returns the slot.
    std::uint64_t add(std::uint64_t disk_sector, bool dirty);
    void set_slot(std::uint64_t slot, std::uint64_t disk_sector, std::uint32_t state) const;
    std::uint32_t state_of(std::uint64_t slot) const;
    std::string contents(std::uint64_t disk_sector) const;

private:
    std::uint64_t set_of(std::uint64_t disk_sector) const;
    std::uint64_t slot_byte(std::uint64_t slot) const;

    LegacyShape shape_;
    FakeDevice device_;
    std::uint64_t nr_blocks_;
    std::vector<std::uint32_t> used_; // ways of each set
};

} // namespace tools::test
