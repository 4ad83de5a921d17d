// SPDX-License-Identifier: GPL-2.0-only
// Which contents of each origin sector a reader may legally see, now and after a power cut.
//
// Every write is a *version* of the sectors it covers.  With times of issue and end:
//  - A version is dead for a read that was issued after the end of a write which was itself issued
//    after the version's end.
//  - What one read returned, later reads must agree with: other versions that had ended when the
//    read was issued are dead for reads issued after its end.
//  - After a power cut only those versions are dead that a *persisted* write overwrote: one whose
//    end a FUA, an acknowledged flush or a device without volatile cache vouches for.  What is
//    read once after the cut stays.
//  - A restart without a loss of power loses nothing; of writes under way, what a read then returns
//    stays.
//  - A failed write leaves its sectors undecided until the next one, and overwrites nothing for
//    certain.
//  - A discarded sector may read as zeros or as any older version of the same sector.
#ifndef FLASHCACHE_TESTS_SIM_ORACLE_H
#define FLASHCACHE_TESTS_SIM_ORACLE_H

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sector.h"

namespace sim {

using Time = uint64_t;
class StateHash;

class Oracle {
public:
    explicit Oracle(uint64_t sectors);

    Time now() { return ++clock_; }

    // A write of the sectors from @first on.  @write: its unique number.
    void write_issued(uint64_t first, uint64_t count, const Sector *data, uint64_t write);
    void zeroes_issued(uint64_t first, uint64_t count, uint64_t write);
    void discard_issued(uint64_t first, uint64_t count, uint64_t write);
    // One more value that the write may leave (its memory was changed under way).
    void also(uint64_t sector, const Sector &value, uint64_t write);
    void write_ended(uint64_t first, uint64_t count, uint64_t write, bool ok, bool persisted);

    Time read_issued();
    void read_dropped(Time issued) { readers_.erase(readers_.find(issued)); }
    // "" or what is wrong with @value as seen by a read issued at @issued that ends now.
    std::string read_ended(uint64_t sector, const Sector &value, Time issued);

    // A flush issued at @issued was acknowledged.
    void flushed(Time issued) { flushed_ = issued > flushed_ ? issued : flushed_; }

    // Power was cut.  Reads under way are forgotten.
    void power_cut();
    // The computer started anew, but nothing lost power: writes under way are there or not.
    void reset();
    // May the sector read as @value after a power cut now?
    std::string check_surviving(uint64_t sector, const Sector &value) const;
    // May the sector read as @value now, by a read that starts now?
    std::string check_current(uint64_t sector, const Sector &value);

    std::string describe(uint64_t sector) const;
    // All that matters for what is legal from now on.  @also: times that users keep.
    void add_state(StateHash &hash, const std::vector<Time> &also) const;
    uint64_t sectors() const { return versions_.size(); }

private:
    static constexpr Time kNever = ~0ull;
    struct Version {
        Sector value;
        uint64_t write;
        Time issued;
        Time ended;     // kNever: not yet
        Time dead;      // for reads issued later than this
        bool wild;      // discarded: any value of the sector
        bool failed;    // overwrites nothing
        bool persisted; // vouched for by itself
        bool survivor;  // from before the last cut; one of its kind is true
        bool abandoned; // under way at a restart: there or not, overwrites nothing for certain
    };
    using Versions = std::vector<Version>;

    void add(uint64_t sector, const Sector &value, uint64_t write, bool wild);
    void prune(Versions &versions);
    static void revive(Versions &versions, Time issued);
    void settle(Versions &versions, size_t chosen, const Sector &value, Time issued);
    bool is_persisted(const Version &v) const;
    bool dead_after_cut(const Versions &versions, const Version &v) const;
    static bool matches(uint64_t sector, const Version &v, const Sector &value);
    std::string complain(uint64_t sector, const Sector &value, const char *when) const;

    std::vector<Versions> versions_;
    std::multiset<Time> readers_;
    Time clock_ = 10;
    Time flushed_ = 0;
};

} // namespace sim

#endif
