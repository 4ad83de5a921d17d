// SPDX-License-Identifier: GPL-2.0-only
// Metadata of the cache device that goes bad, and what a load may answer then.
//
//  - Bits flip; units turn to zeros, into an older version of themselves (a write that the device
//    acknowledged and lost), or into another unit (a write that went astray).
//  - Only what the format can notice is done (docs/ON_SSD_FORMAT.md): not a lost write of a home
//    unit, nor of the last log unit, nor zeros there before the log has gone round once.
//  - What a load has to answer is decided here, from the bytes and the format's page, without the
//    core.  A load that is refused must have written nothing; then the damage is undone, and the
//    history goes on.
#ifndef FLASHCACHE_TESTS_SIM_DAMAGE_H
#define FLASHCACHE_TESTS_SIM_DAMAGE_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "abi.h"
#include "device.h"
#include "rng.h"
#include "trace.h"

namespace sim {

class Damage {
public:
    Damage(Device &device, const fc_config &config, Rng &rng, Trace &trace)
        : device_(device), config_(config), rng_(rng), trace_(trace) {}

    // The core is about to write these sectors of the metadata.
    void overwritten(uint64_t sector, uint64_t count);
    // Some metadata goes bad, or by chance none.  @at_rest: no cache is in use.
    void strike(bool at_rest);

    struct Verdict {
        bool may_load = true;
        int refusal = FC_OK;      // what a refusal must say; FC_OK: there must be none
        bool rolled_back = false; // the older superblock holds
    };
    // What may a load answer that starts now?
    Verdict judge();
    // What is still bad becomes what it was.
    void undo();

private:
    using Bytes = std::vector<unsigned char>;
    struct Hurt {
        uint64_t sector; // of the unit
        Bytes before, after;
        bool subtle; // only other units tell
    };
    enum Kind { kFlip, kAstray, kZeros, kLost };

    Bytes now(uint64_t sector);
    Bytes durable(uint64_t sector);
    Bytes undamaged(uint64_t sector);
    void put(uint64_t sector, const Bytes &bytes);
    void forget_healed();
    bool seen(const Hurt &hurt) { return now(hurt.sector) == hurt.after; }
    bool settled(uint64_t sector);

    bool is_superblock(uint64_t sector) const { return sector < config_.home_offset_sectors; }
    bool is_log(uint64_t sector) const { return sector >= config_.log_offset_sectors; }
    uint64_t place(uint64_t sector) const;
    std::string name(uint64_t sector) const;
    uint64_t pick_unit();
    Bytes changed(uint64_t sector, Kind kind);
    void hurt_one(bool at_rest);
    bool noticeable(uint64_t sector, const Bytes &after, bool at_rest, bool &subtle);
    bool log_noticeable(uint64_t sector, const Bytes &after, bool at_rest, bool &subtle);

    bool sealed(const Bytes &unit, uint32_t magic) const;
    bool newest(bool damaged, fc_disk_superblock &found, bool &magic);
    bool log_unit(uint64_t sequence, uint64_t epoch, fc_disk_log_header &header);
    uint64_t log_end(const fc_disk_superblock &superblock);
    uint64_t sequence_at(uint64_t place, uint64_t tail) const;
    uint64_t log_sector(uint64_t sequence) const;
    void judge_log(const fc_disk_superblock &truth, const fc_disk_superblock &found, Verdict &v);

    Device &device_;
    const fc_config &config_;
    Rng &rng_;
    Trace &trace_;
    std::vector<Hurt> hurts_;
    std::map<uint64_t, std::vector<Bytes>> older_; // by sector of the unit
};

} // namespace sim

#endif
