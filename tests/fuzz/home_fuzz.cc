// SPDX-License-Identifier: GPL-2.0-only
//
// The home table, changed at will, with and without a log on top of it.
#include "life.h"

namespace {

// A slot that makes some sense.
fc_u64 set_slot(Pair &pair, Input &input) {
    const fc_config &config = pair.config;
    const unsigned slot = input.byte() % static_cast<unsigned>(config.nr_blocks);
    const fc_disk_home_slot disk = {block_of(config, slot, input.byte()), static_cast<unsigned char>(input.byte() % 4), 0, {}};
    const unsigned per_unit = (config.unit_bytes - sizeof(fc_disk_home_header)) / sizeof(disk);
    char *unit = pair.ssd.touch(unit_sector(config, Area::home, slot / per_unit), config.unit_bytes / kSector);
    std::memcpy(unit + sizeof(fc_disk_home_header) + slot % per_unit * sizeof(disk), &disk, sizeof(disk));
    return slot / per_unit;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input(data, size);
    const unsigned char how = input.byte();
    Pair &pair = pair_of(how, how & 0x10);
    for (unsigned left = input.byte() % 12; left; left--) {
        const bool raw = input.byte() % 4 == 0;
        const fc_u64 unit = raw ? overlay(pair, Area::home, input) : set_slot(pair, input);
        if (how & 0x20)
            seal(pair, Area::home, unit);
    }
    live(pair, input);
    return 0;
}
