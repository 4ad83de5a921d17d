// SPDX-License-Identifier: GPL-2.0-only
// What must be true at quiet moments.
#include <cstring>
#include <set>

#include "world.h"

namespace sim {

void World::check_gauges() {
    auto below = [this](int small, int large, const char *what) {
        if (gauge(small) > gauge(large))
            scheduler_.fail(std::string("gauges: ") + what + ": " + std::to_string(gauge(small)) +
                            " > " + std::to_string(gauge(large)));
    };
    if (gauge(FC_GAUGE_BLOCKS) != config_.nr_blocks)
        scheduler_.fail("gauges: capacity " + std::to_string(gauge(FC_GAUGE_BLOCKS)));
    // A worker may just have ended the last one, and not have counted it yet.
    if (gauge(FC_GAUGE_WAITING) && ops_.empty() && !scheduler_.runnable())
        scheduler_.fail("gauges: requests wait, but there are none");
    below(FC_GAUGE_CACHED, FC_GAUGE_BLOCKS, "cached, capacity");
    // Counted one after the other: right again when nobody is between the two.
    if (!scheduler_.runnable() && !scheduler_.works_running())
        below(FC_GAUGE_DIRTY, FC_GAUGE_CACHED, "dirty, cached");
    below(FC_GAUGE_LOG_USED, FC_GAUGE_LOG_UNITS, "log used, log size");
    if (origin_alone_ && gauge(FC_GAUGE_DIRTY))
        scheduler_.fail("dirty blocks although the mode never allowed them");
}

// Each block of a request is counted once, as one of three.  Of a request that fails, those that
// were reached.  No cut: a request may be under way when the power fails.
void World::check_counters() {
    const uint64_t *const core = totals_.core_stat;
    const uint64_t ranges = mapped_[FC_OP_DISCARD] + mapped_[FC_OP_WRITE_ZEROES];
    if (totals_.cuts != 0)
        return;
    if (core[FC_STAT_reads] !=
            core[FC_STAT_read_hits] + core[FC_STAT_read_misses] + core[FC_STAT_uncached_reads] ||
        core[FC_STAT_writes] !=
            core[FC_STAT_write_hits] + core[FC_STAT_write_misses] + core[FC_STAT_uncached_writes])
        scheduler_.fail("counters: blocks are not the sum of hits, misses and uncached ones");
    if (core[FC_STAT_flushes] != mapped_[FC_OP_FLUSH] || core[FC_STAT_discards] != ranges)
        scheduler_.fail("counters: requests of some kind are not what users have sent");
    for (const auto &[op, blocks] :
         {std::pair{FC_OP_READ, core[FC_STAT_reads]}, std::pair{FC_OP_WRITE, core[FC_STAT_writes]}})
        if (blocks < served_[op] || blocks > served_[op] + failed_[op])
            scheduler_.fail("counters: " + std::to_string(blocks) +
                            " blocks, but users have sent " + std::to_string(served_[op]) +
                            " and " + std::to_string(failed_[op]) + " that failed");
}

// A log unit may only take the place of one that the superblock on the medium has given up (rule
// 7).
void World::check_log_write(const DeviceIo &io) {
    uint64_t newest = 0, tail = 0;
    for (const uint64_t sector : {FC_DISK_SUPERBLOCK_A_SECTOR, FC_DISK_SUPERBLOCK_B_SECTOR}) {
        unsigned char bytes[kSectorBytes];
        device(FC_DEV_CACHE).durable(sector).to_bytes(bytes);
        fc_disk_superblock superblock;
        memcpy(&superblock, bytes, sizeof superblock);
        if (superblock.sequence <= newest)
            continue;
        newest = superblock.sequence;
        tail = superblock.log_tail;
    }
    for (uint64_t at = 0; at < io.count * kSectorBytes; at += config_.unit_bytes) {
        fc_disk_log_header unit;
        memcpy(&unit, io.memory.bytes + at, sizeof unit);
        if (unit.sequence - tail >= config_.log_units)
            scheduler_.fail("log unit " + std::to_string(unit.sequence) +
                            " is written over one that a recovery needs, the tail is " +
                            std::to_string(tail));
    }
}

// The origin without its cache.  @after_cut: what is on its medium, else what it returns now.
void World::check_origin_alone(bool after_cut) {
    Device &origin = device(FC_DEV_ORIGIN);
    for (uint64_t s = 0; s < oracle_->sectors(); s++) {
        const std::string wrong = after_cut ? oracle_->check_surviving(s, origin.durable(s))
                                            : oracle_->check_current(s, origin.current(s));
        if (!wrong.empty())
            scheduler_.fail("the origin alone: " + wrong, s);
    }
}

// A slot of the home table, read as docs/ON_SSD_FORMAT.md says, without the core.
fc_disk_home_slot World::home_slot(uint64_t slot) {
    const uint64_t slots_per_unit =
        (config_.unit_bytes - sizeof(fc_disk_home_header)) / sizeof(fc_disk_home_slot);
    const uint64_t at = slot / slots_per_unit * config_.unit_bytes + sizeof(fc_disk_home_header) +
                        slot % slots_per_unit * sizeof(fc_disk_home_slot);
    unsigned char bytes[kSectorBytes];
    device(FC_DEV_CACHE).current(config_.home_offset_sectors + at / kSectorBytes).to_bytes(bytes);
    fc_disk_home_slot home;
    memcpy(&home, bytes + at % kSectorBytes, sizeof home);
    return home;
}

// A valid slot: is what it says about its block true?
void World::check_home_slot(uint64_t slot, const fc_disk_home_slot &home, bool all_clean) {
    const std::string name = "home table, slot " + std::to_string(slot) + ": ";
    const uint64_t first = home.origin_block * config_.block_sectors;
    if (home.state > FC_DISK_DIRTY || first >= oracle_->sectors())
        scheduler_.fail(name + "state " + std::to_string(home.state) + ", block " +
                        std::to_string(home.origin_block));
    if (home.state == FC_DISK_DIRTY && all_clean)
        scheduler_.fail(name + "is dirty after everything was written back", first);
    for (uint64_t i = 0; i < config_.block_sectors && first + i < oracle_->sectors(); i++) {
        const uint64_t at = config_.data_offset_sectors + slot * config_.block_sectors + i;
        const Sector &cached = device(FC_DEV_CACHE).current(at);
        if (home.state == FC_DISK_CLEAN && !(cached == device(FC_DEV_ORIGIN).current(first + i)))
            scheduler_.fail(name + "is clean, but not equal to the origin", first + i);
        const std::string wrong = oracle_->check_current(first + i, cached);
        if (!wrong.empty())
            scheduler_.fail(name + wrong, first + i);
    }
}

// After an orderly stop.  @cached, @dirty: what the gauges said.
void World::check_home_table(bool all_clean, uint64_t cached, uint64_t dirty) {
    std::set<uint64_t> seen;
    uint64_t nr_dirty = 0;
    for (uint64_t slot = 0; slot < config_.nr_blocks; slot++) {
        const fc_disk_home_slot home = home_slot(slot);
        if (home.state == FC_DISK_INVALID)
            continue;
        check_home_slot(slot, home, all_clean);
        nr_dirty += home.state == FC_DISK_DIRTY;
        if (!seen.insert(home.origin_block).second)
            scheduler_.fail("home table: two slots for block " + std::to_string(home.origin_block),
                            home.origin_block * config_.block_sectors);
    }
    if (seen.size() != cached || nr_dirty != dirty)
        scheduler_.fail("gauges: " + std::to_string(cached) + " cached, " + std::to_string(dirty) +
                        " dirty; the home table has " + std::to_string(seen.size()) + " and " +
                        std::to_string(nr_dirty));
}

} // namespace sim
