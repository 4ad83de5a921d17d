// SPDX-License-Identifier: GPL-2.0-only
#include "explorer.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "state_hash.h"

namespace sim {

namespace {

std::vector<CutUnit> uncertain_units(TinyWorld &world) {
    std::vector<CutUnit> units;
    for (int dev = 0; dev < 2; dev++)
        for (Device::Uncertain &unit : world.disk(dev).uncertain())
            units.push_back({dev, std::move(unit)});
    return units;
}

} // namespace

size_t Explorer::choose(size_t n) {
    if (depth_ == path_.size()) {
        const auto of = static_cast<uint8_t>(n);
        for (uint8_t i = 1; i < of; i++) {
            path_.push_back({i, of});
            to_try_[counts_.deviations + 1].push_back(path_);
            path_.pop_back();
        }
        path_.push_back({0, of});
    }
    const Choice &choice = path_[depth_++];
    if (choice.of != n && !replaying_)
        throw Failure{"the explorer: the same choices do not make the same history", ~0ull};
    return choice.made;
}

bool Explorer::next_history() {
    while (!to_try_.empty() && to_try_.begin()->second.empty())
        to_try_.erase(to_try_.begin());
    if (to_try_.empty())
        return false;
    counts_.deviations = to_try_.begin()->first;
    path_ = std::move(to_try_.begin()->second.front());
    to_try_.begin()->second.pop_front();
    return true;
}

bool Explorer::limit_met() {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    const bool met = (limits_.states && seen_.size() >= limits_.states) ||
                     (limits_.seconds && passed.count() >= static_cast<double>(limits_.seconds));
    counts_.complete = counts_.complete && !met;
    return met;
}

bool Explorer::run() {
    try {
        do
            one_history();
        while (next_history() && !limit_met());
        if (!counts_.ends)
            throw Failure{"the explorer: no history came to the end", ~0ull};
        return true;
    } catch (const Failure &failure) {
        path_.resize(std::min(path_.size(), depth_));
        failure_ = failure.what;
        return false;
    }
}

std::string Explorer::history() const {
    std::ostringstream text;
    for (size_t i = 0; i < path_.size(); i++)
        text << (i ? "." : "") << static_cast<unsigned int>(path_[i].made);
    for (const Cut &c : cuts_)
        text << ':' << c.steps << '-' << c.outcome;
    return text.str();
}

bool Explorer::replay(const std::string &history) {
    std::istringstream text(history);
    for (std::string part; std::getline(text, part, ':');) {
        std::istringstream numbers(part);
        size_t a = 0, b = 0;
        char between;
        if (part.find('-') != std::string::npos && numbers >> a >> between >> b) {
            told_.push_back({a, b});
            continue;
        }
        for (std::string number; std::getline(numbers, number, '.');)
            path_.push_back({static_cast<uint8_t>(std::stoul(number)), 0});
    }
    replaying_ = true;
    trace_.start(Trace::kAll, 0);
    try {
        one_history();
        return true;
    } catch (const Failure &failure) {
        failure_ = failure.what;
        return false;
    }
}

// Along the choices of the path, then on until a state that was visited, or the end.
void Explorer::one_history() {
    // On the heap, as all it has: StateHash wants it so.
    const auto made = std::make_unique<TinyWorld>(
        scenario_, std::max(limits_.preemptions, scenario_.preemptions), trace_);
    TinyWorld &world = *made;
    const size_t known = path_.size();
    depth_ = 0;
    cuts_.clear();
    counts_.histories++;
    world.start();
    for (;;) {
        const std::vector<TinyWorld::Option> options = world.options();
        if (replaying_ && depth_ == known && !told_.empty())
            return cut_as_told(world);
        if (depth_ >= known && !replaying_) {
            const bool seen = !seen_.insert(world.hash()).second;
            if (seen && limits_.merge)
                return;
            counts_.states += !seen;
            cut(world, limits_.cuts, 0);
        }
        if (options.empty())
            break;
        world.perform(options[choose(options.size())], *this);
        counts_.deepest = std::max<uint64_t>(counts_.deepest, depth_);
    }
    counts_.ends++;
    world.finish();
}

// ---- power cuts

// @depth: so many cuts may still follow, this one included.
void Explorer::cut(TinyWorld &world, unsigned int depth, uint64_t steps) {
    if (!depth)
        return;
    const std::vector<CutUnit> units = uncertain_units(world);
    bool sampled = false;
    const auto outcomes = cut_outcomes(units, sampled, limits_.subsets);
    counts_.cut_states++;
    counts_.sampled += sampled;
    counts_.outcomes += outcomes.size();
    cuts_.push_back({steps, 0});
    for (const auto &outcome : outcomes) {
        if (recovered_.insert(image_of(world, units, outcome, depth)).second)
            recover(world, units, outcome, depth - 1);
        cuts_.back().outcome++;
    }
    cuts_.pop_back();
}

void Explorer::cut_as_told(TinyWorld &world) {
    const std::vector<CutUnit> units = uncertain_units(world);
    bool sampled = false;
    const auto outcomes = cut_outcomes(units, sampled, limits_.subsets);
    const uint64_t which = told_[next_told_++].outcome;
    if (which >= outcomes.size())
        throw Failure{"the explorer: no such outcome of the cut", ~0ull};
    recover(world, units, outcomes[which], 0);
}

// A number for what is on both devices then, and for what users may expect of it.
uint64_t Explorer::image_of(TinyWorld &world, const std::vector<CutUnit> &units,
                            const std::vector<size_t> &outcome, unsigned int depth) {
    uint64_t hash[] = {world.disk(0).durable_hash(), world.disk(1).durable_hash()};
    for (size_t i = 0; i < units.size(); i++) {
        const auto &[dev, unit] = units[i];
        Device &disk = world.disk(dev);
        for (size_t k = 0; outcome[i] < unit.values.size() && k < unit.values[0].size(); k++) {
            const uint64_t at = unit.sector + k;
            hash[dev] +=
                disk.hash_of(at, unit.values[outcome[i]][k]) - disk.hash_of(at, disk.durable(at));
        }
    }
    StateHash image;
    image.value(depth);
    image.value(hash[0]);
    image.value(hash[1]);
    world.add_cut_state(image);
    return image.result();
}

// @depth: so many cuts may follow in the recovery.
void Explorer::recover(TinyWorld &world, const std::vector<CutUnit> &units,
                       const std::vector<size_t> &outcome, unsigned int depth) {
    TinyWorld next(scenario_, 0, trace_);
    trace_.line("-- POWER CUT");
    next.start_after_cut(world);
    for (size_t i = 0; i < units.size(); i++) {
        const Device::Uncertain &unit = units[i].unit;
        for (size_t k = 0; outcome[i] < unit.values.size() && k < unit.values[0].size(); k++)
            next.disk(units[i].dev).replace(unit.sector + k, unit.values[outcome[i]][k]);
    }
    counts_.recoveries++;
    next.check_cut();
    for (uint64_t steps = 1; next.load_step(); steps++) {
        if (next_told_ < told_.size() && told_[next_told_].steps == steps)
            return cut_as_told(next);
        cut(next, depth, steps);
    }
    next.finish();
}

} // namespace sim
