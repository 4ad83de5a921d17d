// SPDX-License-Identifier: GPL-2.0-only
// What a power cut may leave.
#include <algorithm>

#include "explorer.h"

namespace sim {

namespace {

// All combinations, the last unit's values changing fastest.
std::vector<std::vector<size_t>> all_outcomes(const std::vector<CutUnit> &units) {
    std::vector<std::vector<size_t>> all;
    std::vector<size_t> at(units.size(), 0);
    for (;;) {
        all.push_back(at);
        size_t i = units.size();
        while (i && at[i - 1] == units[i - 1].unit.values.size())
            at[--i] = 0;
        if (!i)
            return all;
        at[i - 1]++;
    }
}

} // namespace

std::vector<std::vector<size_t>> cut_outcomes(const std::vector<CutUnit> &units, bool &sampled,
                                              uint64_t most) {
    uint64_t n = 1;
    for (const CutUnit &u : units)
        n = std::min<uint64_t>(n * (u.unit.values.size() + 1), most + 1);
    sampled = n > most;
    if (!sampled)
        return all_outcomes(units);
    std::vector<size_t> none, last;
    for (const CutUnit &u : units) {
        none.push_back(u.unit.values.size());
        last.push_back(u.unit.values.size() - 1);
    }
    std::vector<std::vector<size_t>> some = {none, last};
    // Each value alone; all but one; one device only; what lies below each unit.
    std::vector<size_t> device[2] = {none, none}, below = none;
    for (size_t i = 0; i < units.size(); i++) {
        for (size_t v = 0; v < none[i]; v++) {
            some.push_back(none);
            some.back()[i] = v;
        }
        some.push_back(last);
        some.back()[i] = none[i];
        device[units[i].dev][i] = last[i];
        some.push_back(below);
        below[i] = last[i];
    }
    some.insert(some.end(), {device[0], device[1]});
    return some;
}

} // namespace sim
