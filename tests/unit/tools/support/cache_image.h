// SPDX-License-Identifier: GPL-2.0-only
//
// An SSD with a cache of today's format, written unit by unit from format.h: the home table says
// which blocks are cached, the log goes on from there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/abi.h"
#include "fake_device.h"

namespace tools::test {

class CacheImage {
public:
    explicit CacheImage(unsigned unit_bytes = 512);

    const fc_config &config() const { return config_; }
    const FakeDevice &ssd() const { return ssd_; }
    const FakeDevice &disk() const { return disk_; }
    DeviceFile open_ssd() const { return ssd_.open(); }
    DeviceFile open_disk() const { return disk_.open(); }

    // The superblock says: stopped in good order, or in use.
    void stop(bool in_good_order);
    // A slot of the home table: the state, and the block's contents.  Returns the origin block.
    fc_u64 set_home(unsigned slot, unsigned state);
    // The next unit of the log, with a DIRTY record for each slot; whole: the data is there.
    void log_dirty(const std::vector<unsigned> &slots, bool whole);
    void damage_home(unsigned unit);

    std::string contents(fc_u64 origin_block) const;
    std::string on_disk(fc_u64 origin_block) const;
    fc_u64 block_of(unsigned slot) const;

private:
    void write_data(unsigned slot);
    void seal_and_write(std::vector<char> &unit, fc_u64 sector);

    fc_config config_;
    FakeDevice ssd_;
    FakeDevice disk_;
    unsigned seed_ = 0;
    fc_u64 next_sequence_ = 1;
};

} // namespace tools::test
