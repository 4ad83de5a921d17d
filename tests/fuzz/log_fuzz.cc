// SPDX-License-Identifier: GPL-2.0-only
//
// The log, changed at will, and the data that its records speak of.
#include "life.h"

namespace {

constexpr unsigned kOldestInLog = 3; // as pair_of() has it

// A unit that makes some sense, a few behind the oldest one.
fc_u64 put_unit(Pair &pair, Input &input) {
    const fc_config &config = pair.config;
    const fc_u64 sequence = kOldestInLog + input.byte() % 16;
    const unsigned char claims = input.byte();
    fc_disk_log_header header = {};
    header.magic = FC_DISK_LOG_MAGIC;
    header.epoch = 2;
    header.sequence = sequence;
    header.confirmed = sequence - claims % 8;
    header.durable = sequence - claims / 8 % 8;
    header.count = input.byte() % 8;
    char *unit = pair.ssd.touch(unit_sector(config, Area::log, sequence), config.unit_bytes / kSector);
    for (unsigned i = 0; i < header.count; i++) {
        const unsigned slot = input.byte() % static_cast<unsigned>(config.nr_blocks);
        const fc_u64 block = block_of(config, slot, input.byte());
        const unsigned char what = input.byte();
        fc_disk_log_record record = {slot, what / 4u, fc_u64{what % 4u} << FC_DISK_ORIGIN_BLOCK_BITS | block};
        if (what & 0x80)
            record.data_crc = fc_os_crc32c(0, pair.ssd.at(unit_sector(config, Area::data, slot), config.block_sectors),
                                           config.block_sectors * kSector);
        std::memcpy(unit + sizeof(header) + i * sizeof(record), &record, sizeof(record));
    }
    std::memcpy(unit, &header, sizeof(header));
    return sequence;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input(data, size);
    const unsigned char how = input.byte();
    Pair &pair = pair_of(how, false);
    for (unsigned left = input.byte() % 12; left; left--) {
        const unsigned char what = input.byte();
        const Area area = what % 8 == 0 ? Area::data : Area::log;
        const fc_u64 unit = what % 8 < 4 ? overlay(pair, area, input) : put_unit(pair, input);
        if (how & 0x20)
            seal(pair, area, unit);
    }
    live(pair, input);
    return 0;
}
