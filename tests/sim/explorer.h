// SPDX-License-Identifier: GPL-2.0-only
// Tries every order of what can happen in a tiny world, and at each state every power cut.
//
// A history is the list of the choices made, and is run from the start each time.  From where it
// leaves those that were run before it takes the first possibility each time, notes the others for
// later, and ends where it reaches a state that was visited before.  Those that differ least from
// "always the first possibility" come first, so that a run that is stopped early has tried all
// orders with few deviations.  At each new state the power is cut: with each
// set of the not yet durable units of both devices that may survive, if these are few, else with a
// sample (cut_options.cc).  Each outcome that was not met before is recovered, in one order, and
// judged by the oracle, with the cache and without it; while it recovers, the power is cut again.
#ifndef FLASHCACHE_TESTS_SIM_EXPLORER_H
#define FLASHCACHE_TESTS_SIM_EXPLORER_H

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "tiny_world.h"

namespace sim {

struct ExploreLimits {
    uint64_t states = 0;  // 0: no limit
    uint64_t seconds = 0; // 0: no limit
    uint64_t subsets = 64;
    unsigned int preemptions = 0;
    bool merge = true;     // stop at states that were visited
    unsigned int cuts = 2; // power cuts in a history
};

struct ExploreCounts {
    uint64_t histories = 0; // replays
    uint64_t ends = 0;      // of them, those that came to the scenario's end
    uint64_t states = 0;
    uint64_t cut_states = 0; // states in which the power was cut, recoveries too
    uint64_t sampled = 0;    // of them, those with too many outcomes to try all
    uint64_t outcomes = 0;   // of cuts
    uint64_t recoveries = 0; // of outcomes that differ
    uint64_t deepest = 0;    // choices in a history
    uint64_t deviations = 0; // of the last history; all with fewer were tried
    bool complete = true;    // no limit was met
};

// What a cut leaves: for each uncertain unit the index of a value, or its size: as it was.
struct CutUnit {
    int dev;
    Device::Uncertain unit;
};
std::vector<std::vector<size_t>> cut_outcomes(const std::vector<CutUnit> &units, bool &sampled,
                                              uint64_t most);

class Explorer final : private Chooser {
public:
    Explorer(const Scenario &scenario, const ExploreLimits &limits)
        : scenario_(scenario), limits_(limits) {}

    // False: a history broke the cache.
    bool run();
    const ExploreCounts &counts() const { return counts_; }
    const std::string &failure() const { return failure_; }
    // The history that did: choices joined by '.', then :STEPS-OUTCOME for each power cut.
    std::string history() const;
    // Run this one, and print all that happens.
    bool replay(const std::string &history);

private:
    struct Choice {
        uint8_t made, of;
    };
    using Path = std::vector<Choice>;

    // A cut: so many steps into a recovery (0: of the scenario's own world), with this outcome.
    struct Cut {
        uint64_t steps;
        uint64_t outcome;
    };

    size_t choose(size_t n) override;
    void one_history();
    bool next_history();
    bool limit_met();
    void cut(TinyWorld &world, unsigned int depth, uint64_t steps);
    void cut_as_told(TinyWorld &world);
    uint64_t image_of(TinyWorld &world, const std::vector<CutUnit> &units,
                      const std::vector<size_t> &outcome, unsigned int depth);
    void recover(TinyWorld &world, const std::vector<CutUnit> &units,
                 const std::vector<size_t> &outcome, unsigned int depth);

    const Scenario &scenario_;
    const ExploreLimits limits_;
    ExploreCounts counts_;
    Path path_;
    std::map<uint64_t, std::deque<Path>> to_try_; // by the number of deviations
    size_t depth_ = 0;
    std::vector<Cut> cuts_; // under way
    std::unordered_set<uint64_t> seen_, recovered_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    Trace trace_;
    std::string failure_;
    bool replaying_ = false;
    std::vector<Cut> told_; // cuts that a replay is to make
    size_t next_told_ = 0;
};

} // namespace sim

#endif
