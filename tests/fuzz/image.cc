// SPDX-License-Identifier: GPL-2.0-only
#include "image.h"

#include <cstddef>
#include <map>

#include "checksum.h"
#include "geometry.h"
#include "superblock.h"

namespace {

struct Shape {
    unsigned unit, block_sectors, ways, extent, sets;
    fc_u64 origin_sectors;
    bool round; // the log has gone round once: there are older units behind its end, and no zeros
};

// Several home units; sets that are no power of two; an incomplete last block; large units.
constexpr Shape kShapes[] = {
    {512, 1, 4, 2, 5, 100, false},
    {512, 1, 8, 4, 8, 200, true},
    {4096, 8, 4, 2, 3, 30 * 8 + 3, true},
    {512, 2, 64, 8, 2, 2 * 200 + 1, false},
};

constexpr fc_u64 kFirstTail = 3; // sequence of the first log unit, in the first round
constexpr fc_u64 kEpoch = 2;

fc_config planned(const Shape &shape) {
    fc_config config = {};
    config.origin_sectors = shape.origin_sectors;
    config.unit_bytes = shape.unit;
    config.block_sectors = shape.block_sectors;
    config.ways_per_set = shape.ways;
    config.extent_blocks = shape.extent;
    config.mode = FC_MODE_WRITE_BACK;
    config.cache_sectors_wanted = fc_u64{shape.sets} * shape.ways * shape.block_sectors;
    config.cache_device_sectors = fc::kDataAlignSectors + config.cache_sectors_wanted;
    std::memcpy(config.cache_uuid, "0123456789abcdef", sizeof(config.cache_uuid));
    std::strcpy(config.cache_name, "fuzzed");
    std::strcpy(config.origin_path, "/dev/sdb");
    std::strcpy(config.origin_id, "serial:42");
    require(fc_core_plan(&config) == FC_OK, "the shape makes no cache");
    config.log_tail = kFirstTail + (shape.round ? config.log_units : 0);
    return config;
}

// Every sector says what it is.
std::vector<char> stamped(fc_u64 sectors, char letter) {
    std::vector<char> bytes(sectors * kSector, letter);
    for (fc_u64 s = 0; s < sectors; s++)
        std::memcpy(bytes.data() + s * kSector, &s, sizeof(s));
    return bytes;
}

// Writes the metadata of one cache.
class Writer {
public:
    Writer(Pair &pair, bool clean) : pair_(pair), c_(pair.config), clean_(clean) { geo_.init(c_); }

    void write() {
        home();
        if (c_.log_tail >= c_.log_units)
            older_log();
        if (!clean_)
            log();
        superblock(4);
        superblock(5);
    }

private:
    unsigned slot(unsigned set, unsigned way) const { return set * c_.ways_per_set + way; }

    void superblock(fc_u64 sequence) {
        fc_disk_superblock disk = {};
        std::memcpy(disk.magic, FC_DISK_MAGIC, sizeof(disk.magic));
        disk.version = FC_DISK_VERSION;
        disk.sequence = sequence;
        disk.epoch = kEpoch;
        disk.flags = clean_ ? FC_DISK_FLAG_CLEAN : 0;
        disk.mode = c_.mode;
        std::memcpy(disk.cache_uuid, c_.cache_uuid, sizeof(disk.cache_uuid));
        disk.cache_device_sectors = c_.cache_device_sectors;
        disk.origin_sectors = c_.origin_sectors;
        disk.unit_bytes = c_.unit_bytes;
        disk.block_sectors = c_.block_sectors;
        disk.ways_per_set = c_.ways_per_set;
        disk.extent_blocks = c_.extent_blocks;
        disk.nr_sets = c_.nr_sets;
        disk.home_offset_sectors = c_.home_offset_sectors;
        disk.home_units = c_.home_units;
        disk.log_offset_sectors = c_.log_offset_sectors;
        disk.log_units = c_.log_units;
        disk.data_offset_sectors = c_.data_offset_sectors;
        disk.log_tail = c_.log_tail;
        std::memcpy(disk.cache_name, c_.cache_name, sizeof(disk.cache_name));
        std::memcpy(disk.origin_path, c_.origin_path, sizeof(disk.origin_path));
        std::memcpy(disk.origin_id, c_.origin_id, sizeof(disk.origin_id));
        std::memcpy(pair_.ssd.touch(unit_sector(c_, Area::superblock, sequence)), &disk, sizeof(disk));
        seal(pair_, Area::superblock, sequence);
    }

    // The first half of each set, dirty and clean in turns.
    void home() {
        const unsigned per_unit = fc::home_slots_per_unit(c_.unit_bytes);
        for (unsigned i = 0; i < c_.home_units; i++) {
            fc_disk_home_header header = {};
            header.magic = FC_DISK_HOME_MAGIC;
            header.index = i;
            char *unit = pair_.ssd.touch(unit_sector(c_, Area::home, i), c_.unit_bytes / kSector);
            std::memcpy(unit, &header, sizeof(header));
            for (unsigned n = i * per_unit; n < (i + 1) * per_unit && n < c_.nr_blocks; n++) {
                fc_disk_home_slot disk = {};
                const unsigned way = n % c_.ways_per_set;
                if (way < c_.ways_per_set / 2) {
                    disk.origin_block = block_of(c_, n, way);
                    disk.state = way % 2 ? FC_DISK_CLEAN : FC_DISK_DIRTY;
                }
                std::memcpy(unit + sizeof(header) + (n - i * per_unit) * sizeof(disk), &disk, sizeof(disk));
            }
            seal(pair_, Area::home, i);
        }
    }

    // What a life before this one has left.
    void older_log() {
        for (fc_u64 sequence = c_.log_tail - c_.log_units; sequence < c_.log_tail; sequence++) {
            fc_disk_log_header header = {};
            header.magic = FC_DISK_LOG_MAGIC;
            header.epoch = kEpoch - 1;
            header.sequence = sequence;
            std::memcpy(pair_.ssd.touch(unit_sector(c_, Area::log, sequence), c_.unit_bytes / kSector), &header,
                        sizeof(header));
            seal(pair_, Area::log, sequence);
        }
    }

    // A life of six units, the last three not confirmed.
    void log() {
        const unsigned half = c_.ways_per_set / 2;
        const fc_u64 tail = c_.log_tail;
        log_unit(tail, half, half, FC_DISK_DIRTY);
        log_unit(tail + 1, 0, 0, FC_DISK_CLEAN);
        log_unit(tail + 2, half + 1, half + 1, FC_DISK_DIRTY);
        log_unit(tail + 3, half, 0, FC_DISK_INVALID);
        log_unit(tail + 4, half, half + 2, FC_DISK_DIRTY);
        log_unit(tail + 5, 0, 0, FC_DISK_DIRTY);
    }

    // A record for the same way of each set.
    void log_unit(fc_u64 sequence, unsigned way, unsigned tag, fc_u64 state) {
        fc_disk_log_header header = {};
        header.magic = FC_DISK_LOG_MAGIC;
        header.epoch = kEpoch;
        header.sequence = sequence;
        header.confirmed = sequence - 3;
        header.durable = sequence - 1;
        header.count = static_cast<unsigned>(c_.nr_sets);
        char *unit = pair_.ssd.touch(unit_sector(c_, Area::log, sequence), c_.unit_bytes / kSector);
        std::memcpy(unit, &header, sizeof(header));
        for (unsigned set = 0; set < c_.nr_sets; set++) {
            const unsigned n = slot(set, way);
            const fc_u64 block = state == FC_DISK_INVALID ? 0 : block_of(c_, n, tag);
            fc_disk_log_record record = {n, 0, state << FC_DISK_ORIGIN_BLOCK_BITS | block};
            if (state == FC_DISK_DIRTY)
                record.data_crc = fc_os_crc32c(0, pair_.ssd.at(geo_.data_sector(set, way), c_.block_sectors),
                                               c_.block_sectors * kSector);
            std::memcpy(unit + sizeof(header) + set * sizeof(record), &record, sizeof(record));
        }
        seal(pair_, Area::log, sequence);
    }

    Pair &pair_;
    const fc_config &c_;
    const bool clean_;
    fc::Geometry geo_;
};

Pair make_pair(unsigned shape, bool clean) {
    const fc_config config = planned(kShapes[shape]);
    std::vector<char> ssd(config.data_offset_sectors * kSector);
    const std::vector<char> data = stamped(config.cache_device_sectors - config.data_offset_sectors, 's');
    ssd.insert(ssd.end(), data.begin(), data.end());
    Pair empty = {config, Disk(std::move(ssd)), Disk(stamped(config.origin_sectors, 'o'))};
    Writer(empty, clean).write();
    // What has been written is the first state from now on.
    const char *bytes = empty.ssd.at(0, empty.ssd.sectors());
    return {config, Disk({bytes, bytes + empty.ssd.sectors() * kSector}), empty.origin};
}

unsigned crc_offset(Area area) {
    return area == Area::superblock ? offsetof(fc_disk_superblock, crc) : 4;
}

} // namespace

Pair &pair_of(unsigned char shape, bool clean) {
    static std::map<unsigned, Pair> pairs;
    const unsigned index = shape % std::size(kShapes);
    const unsigned key = index * 2 + clean;
    auto found = pairs.find(key);
    if (found == pairs.end())
        found = pairs.emplace(key, make_pair(index, clean)).first;
    return found->second;
}

fc_u64 block_of(const fc_config &config, unsigned slot, unsigned tag) {
    fc::Geometry geo;
    geo.init(config);
    return geo.origin_block(slot / config.ways_per_set, tag);
}

fc_u64 unit_sector(const fc_config &config, Area area, fc_u64 i) {
    const fc_u64 unit = config.unit_bytes / kSector;
    switch (area) {
    case Area::superblock:
        return i % 2 * FC_DISK_SUPERBLOCK_B_SECTOR;
    case Area::home:
        return config.home_offset_sectors + i % config.home_units * unit;
    case Area::log:
        return config.log_offset_sectors + i % config.log_units * unit;
    case Area::data:
        break;
    }
    return config.data_offset_sectors + i % config.nr_blocks * config.block_sectors;
}

void seal(Pair &pair, Area area, fc_u64 i) {
    if (area == Area::data)
        return;
    const bool superblock = area == Area::superblock;
    const unsigned bytes = superblock ? sizeof(fc_disk_superblock) : pair.config.unit_bytes;
    const unsigned seed = superblock ? 0 : fc::unit_seed(pair.config);
    char *unit = pair.ssd.touch(unit_sector(pair.config, area, i), bytes / kSector);
    const unsigned crc = fc::crc_without_field(seed, unit, bytes, crc_offset(area));
    std::memcpy(unit + crc_offset(area), &crc, sizeof(crc));
}

fc_u64 overlay(Pair &pair, Area area, Input &input) {
    const fc_u64 unit = input.byte();
    const fc_u64 bytes = area == Area::superblock ? sizeof(fc_disk_superblock) : pair.config.unit_bytes;
    const fc_u64 offset = input.take<std::uint16_t>() % bytes;
    const std::string over = input.bytes(1 + input.byte() % 24);
    const fc_u64 n = bytes - offset < over.size() ? bytes - offset : over.size();
    // A cache block may be longer than a unit, never shorter.
    char *at = pair.ssd.touch(unit_sector(pair.config, area, unit), bytes / kSector);
    std::memcpy(at + offset, over.data(), n);
    return unit;
}

// A tag of a set's blocks, or one of the first that lie behind the end of the origin.
static unsigned take_tag(const fc_config &config, Input &input) {
    return input.byte() % static_cast<unsigned>(config.origin_sectors / config.block_sectors / config.nr_sets + 6);
}

fc_u64 put_slot(Pair &pair, Input &input) {
    const fc_config &config = pair.config;
    const unsigned slot = input.byte() % static_cast<unsigned>(config.nr_blocks);
    const fc_u64 block = block_of(config, slot, take_tag(config, input));
    const fc_disk_home_slot disk = {block, static_cast<unsigned char>(input.byte() % 4), 0, {}};
    const unsigned per_unit = fc::home_slots_per_unit(config.unit_bytes);
    const fc_u64 unit = slot / per_unit;
    char *at = pair.ssd.touch(unit_sector(config, Area::home, unit), config.unit_bytes / kSector);
    std::memcpy(at + sizeof(fc_disk_home_header) + slot % per_unit * sizeof(disk), &disk, sizeof(disk));
    return unit;
}

fc_u64 put_log_unit(Pair &pair, Input &input) {
    const fc_config &config = pair.config;
    constexpr unsigned char kFalseCounts = 0xf0; // from here on, a unit claims more than it has
    constexpr fc_u64 kEpochs[] = {kEpoch, kEpoch, kEpoch - 1, kEpoch + 1};
    const unsigned char claims = input.byte();
    fc_disk_log_header header = {};
    header.magic = FC_DISK_LOG_MAGIC;
    header.epoch = kEpochs[claims / 64];
    header.sequence = config.log_tail + input.byte() % 16;
    header.confirmed = header.sequence - claims % 8;
    header.durable = header.sequence - claims / 8 % 8;
    const unsigned char count = input.byte();
    header.count = count < kFalseCounts ? count % 8 : 1u << (count % 16 * 2);
    char *at = pair.ssd.touch(unit_sector(config, Area::log, header.sequence), config.unit_bytes / kSector);
    std::memcpy(at, &header, sizeof(header));
    for (unsigned i = 0; i < count % 8u; i++) {
        // One in so many is the slot behind the last, which there is not.
        const unsigned slot = input.byte() % static_cast<unsigned>(config.nr_blocks + 1);
        const fc_u64 block = block_of(config, slot, take_tag(config, input));
        const unsigned char what = input.byte();
        fc_disk_log_record record = {slot, 0, fc_u64{what % 4u} << FC_DISK_ORIGIN_BLOCK_BITS | block};
        if (what & 0x80)
            record.data_crc = fc_os_crc32c(0, pair.ssd.at(unit_sector(config, Area::data, slot), config.block_sectors),
                                           config.block_sectors * kSector);
        std::memcpy(at + sizeof(header) + i * sizeof(record), &record, sizeof(record));
    }
    return header.sequence;
}
