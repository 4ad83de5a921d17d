// SPDX-License-Identifier: GPL-2.0-only
// What must be true at quiet moments.
#include <cstring>
#include <set>

#include "world.h"

namespace sim {

void World::check_gauges() {
    auto below = [this](int small, int large, const char *what) {
        if (gauge(small) > gauge(large))
            scheduler_.fail(std::string("gauges: ") + what + ": " + std::to_string(gauge(small)) + " > " +
                            std::to_string(gauge(large)));
    };
    if (gauge(FC_GAUGE_BLOCKS) != config_.nr_blocks)
        scheduler_.fail("gauges: capacity " + std::to_string(gauge(FC_GAUGE_BLOCKS)));
    if (gauge(FC_GAUGE_WAITING) && ops_.empty())
        scheduler_.fail("gauges: requests wait, but there are none");
    below(FC_GAUGE_CACHED, FC_GAUGE_BLOCKS, "cached, capacity");
    // Counted one after the other: right again when nobody is between the two.
    if (!scheduler_.runnable() && !scheduler_.works_running())
        below(FC_GAUGE_DIRTY, FC_GAUGE_CACHED, "dirty, cached");
    below(FC_GAUGE_LOG_USED, FC_GAUGE_LOG_UNITS, "log used, log size");
    if (origin_alone_ && gauge(FC_GAUGE_DIRTY))
        scheduler_.fail("dirty blocks although the mode never allowed them");
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

// After an orderly stop: reads the home table as docs/ON_SSD_FORMAT.md says, without the core.
void World::check_home_table(bool all_clean) {
    Device &cache = device(FC_DEV_CACHE), &origin = device(FC_DEV_ORIGIN);
    const uint64_t grain = config_.unit_bytes / kSectorBytes;
    const uint64_t slots = (config_.unit_bytes - sizeof(fc_disk_home_header)) / sizeof(fc_disk_home_slot);
    std::vector<unsigned char> unit(config_.unit_bytes);
    std::set<uint64_t> seen;
    for (uint64_t slot = 0; slot < config_.nr_blocks; slot++) {
        if (slot % slots == 0)
            for (uint64_t i = 0; i < grain; i++)
                cache.current(config_.home_offset_sectors + slot / slots * grain + i).to_bytes(&unit[i * kSectorBytes]);
        fc_disk_home_slot home;
        memcpy(&home, &unit[sizeof(fc_disk_home_header) + slot % slots * sizeof home], sizeof home);
        if (home.state == FC_DISK_INVALID)
            continue;
        const std::string name = "home table, slot " + std::to_string(slot) + ": ";
        const uint64_t first = home.origin_block * config_.block_sectors;
        if (home.state > FC_DISK_DIRTY || first >= oracle_->sectors())
            scheduler_.fail(name + "state " + std::to_string(home.state) + ", block " + std::to_string(home.origin_block));
        if (!seen.insert(home.origin_block).second)
            scheduler_.fail(name + "a second one for its block", first);
        if (home.state == FC_DISK_DIRTY && all_clean)
            scheduler_.fail(name + "is dirty after everything was written back", first);
        for (uint64_t i = 0; i < config_.block_sectors && first + i < oracle_->sectors(); i++) {
            const Sector &cached = cache.current(config_.data_offset_sectors + slot * config_.block_sectors + i);
            if (home.state == FC_DISK_CLEAN && !(cached == origin.current(first + i)))
                scheduler_.fail(name + "is clean, but not equal to the origin; the cache has: " +
                                    oracle_->check_current(first + i, cached), first + i);
            const std::string wrong = oracle_->check_current(first + i, cached);
            if (!wrong.empty())
                scheduler_.fail(name + wrong, first + i);
        }
    }
}

} // namespace sim
