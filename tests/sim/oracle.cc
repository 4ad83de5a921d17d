// SPDX-License-Identifier: GPL-2.0-only
#include "oracle.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace sim {

namespace {

std::string text(const Sector &value) {
    char buffer[80];
    if (value.is_zero())
        return "zeros";
    if (!value.is_user())
        return "bytes that no user wrote";
    if (value.write() == 0)
        return "never written bytes of the cache device";
    snprintf(buffer, sizeof buffer, "write %llu of sector %llu",
             static_cast<unsigned long long>(value.write()),
             static_cast<unsigned long long>(value.origin_sector()));
    return buffer;
}

} // namespace

Oracle::Oracle(uint64_t sectors) : versions_(sectors) {
    for (uint64_t s = 0; s < sectors; s++)
        versions_[s] = {{Sector::user(s, 1), 1, 0, 1, kNever, false, false, true, true, false}};
}

void Oracle::add(uint64_t sector, const Sector &value, uint64_t write, bool wild) {
    versions_[sector].push_back(
        {value, write, clock_, kNever, kNever, wild, false, false, false, false});
}

void Oracle::write_issued(uint64_t first, uint64_t count, const Sector *data, uint64_t write) {
    ++clock_;
    for (uint64_t i = 0; i < count; i++)
        add(first + i, data[i], write, false);
}

void Oracle::zeroes_issued(uint64_t first, uint64_t count, uint64_t write) {
    ++clock_;
    for (uint64_t i = 0; i < count; i++)
        add(first + i, Sector(), write, false);
}

void Oracle::discard_issued(uint64_t first, uint64_t count, uint64_t write) {
    ++clock_;
    for (uint64_t i = 0; i < count; i++)
        add(first + i, Sector(), write, true);
}

void Oracle::also(uint64_t sector, const Sector &value, uint64_t write) {
    Versions &versions = versions_[sector];
    for (size_t i = 0; i < versions.size(); i++) {
        if (versions[i].write != write)
            continue;
        Version copy = versions[i];
        copy.value = value;
        versions.push_back(copy);
        return;
    }
}

void Oracle::write_ended(uint64_t first, uint64_t count, uint64_t write, bool ok, bool persisted) {
    ++clock_;
    for (uint64_t s = first; s < first + count; s++) {
        Versions &versions = versions_[s];
        Time issued = 0;
        for (Version &v : versions) {
            if (v.write != write || v.ended != kNever)
                continue;
            issued = v.issued;
            v.ended = clock_;
            v.failed = !ok;
            v.persisted = persisted && ok;
        }
        for (Version &v : versions)
            if (ok && v.ended < issued)
                v.dead = std::min(v.dead, clock_);
        if (!ok)
            revive(versions, issued);
        prune(versions);
    }
}

// The write issued then has failed: it may be there or not, from one read to the next.  Or a
// restart cut it off.  So readers that saw it while it was under way prove nothing about what was
// there before.
void Oracle::revive(Versions &versions, Time issued) {
    Time newest = 0; // when the last of those was issued that have replaced what had ended before
    for (const Version &v : versions)
        if (!v.failed && !v.abandoned && v.ended != kNever)
            newest = std::max(newest, v.issued);
    for (Version &v : versions)
        if (v.dead != kNever && v.dead >= issued && newest <= v.ended)
            v.dead = kNever;
}

Time Oracle::read_issued() {
    readers_.insert(++clock_);
    return clock_;
}

bool Oracle::matches(uint64_t sector, const Version &v, const Sector &value) {
    if (v.wild)
        return value.is_zero() ||
               (value.is_user() && value.origin_sector() == sector && value.write());
    return v.value == value;
}

std::string Oracle::read_ended(uint64_t sector, const Sector &value, Time issued) {
    Versions &versions = versions_[sector];
    size_t chosen = 0, candidates = 0;
    for (size_t i = 0; i < versions.size(); i++) {
        if (versions[i].dead <= issued || !matches(sector, versions[i], value))
            continue;
        chosen = i;
        candidates++;
    }
    if (!candidates)
        return complain(sector, value, "read");
    // Zeros may be those of several versions; then nothing is learned.  After a failed write the
    // sector is undecided until the next one.
    const bool undecided = std::any_of(versions.begin(), versions.end(), [](const Version &v) {
        return v.failed && v.dead == kNever;
    });
    if (candidates == 1 && !undecided && (versions.size() > 1 || versions[chosen].wild))
        settle(versions, chosen, value, issued);
    return "";
}

// A read issued at @issued and ending now returned @value, which is versions[chosen].
void Oracle::settle(Versions &versions, size_t chosen, const Sector &value, Time issued) {
    ++clock_;
    const bool survivor = versions[chosen].survivor;
    const Time chosen_ended = versions[chosen].ended;
    for (size_t i = 0; i < versions.size(); i++) {
        if (i == chosen)
            continue;
        Version &v = versions[i];
        if (v.ended < issued)
            v.dead = std::min(v.dead, clock_);
        // Of what a power cut left undecided, exactly one is there; and what a restart cut off and
        // was not there afterwards never comes, unless what is there may have covered it.
        const bool excluded = survivor && v.survivor && chosen_ended < issued;
        if (excluded || (v.abandoned && chosen_ended < v.issued && v.ended < issued))
            v.dead = v.ended = 0;
    }
    versions[chosen].abandoned = false;
    if (survivor && versions[chosen].wild) {
        versions[chosen].wild = false;
        versions[chosen].value = value;
    }
    std::erase_if(versions, [](const Version &v) { return v.ended == 0 && v.dead == 0; });
    prune(versions);
}

bool Oracle::is_persisted(const Version &v) const {
    return !v.failed && !v.abandoned && v.ended != kNever && (v.persisted || v.ended < flushed_);
}

bool Oracle::dead_after_cut(const Versions &versions, const Version &v) const {
    return std::any_of(versions.begin(), versions.end(), [&](const Version &other) {
        return other.issued > v.ended && is_persisted(other);
    });
}

// Forget versions that no read under way and no power cut can bring back.
void Oracle::prune(Versions &versions) {
    if (versions.size() < 2)
        return;
    Time oldest = readers_.empty() ? kNever - 1 : *readers_.begin();
    Time persisted = 0; // the latest issue of a persisted version
    for (const Version &v : versions) {
        if (is_persisted(v))
            persisted = std::max(persisted, v.issued);
        if (v.ended == kNever)
            oldest = std::min(oldest, v.issued);
    }
    std::erase_if(versions,
                  [&](const Version &v) { return v.dead < oldest && v.ended < persisted; });
}

void Oracle::power_cut() {
    ++clock_;
    for (Versions &versions : versions_) {
        if (versions.size() > 1) {
            Versions left;
            for (const Version &v : versions)
                if (!dead_after_cut(versions, v))
                    left.push_back(v);
            versions = std::move(left);
        }
        for (Version &v : versions) {
            v.issued = v.ended = clock_;
            v.dead = kNever;
            v.failed = v.abandoned = false;
            v.persisted = v.survivor = true;
        }
    }
    readers_.clear();
    ++clock_;
}

void Oracle::reset() {
    ++clock_;
    for (Versions &versions : versions_) {
        Time issued = kNever; // of the first that is cut off
        for (Version &v : versions) {
            if (v.ended != kNever)
                continue;
            v.ended = clock_;
            v.abandoned = true;
            issued = std::min(issued, v.issued);
        }
        revive(versions, issued);
    }
    readers_.clear();
    ++clock_;
}

std::string Oracle::check_surviving(uint64_t sector, const Sector &value) const {
    const Versions &versions = versions_[sector];
    for (const Version &v : versions)
        if (matches(sector, v, value) && !dead_after_cut(versions, v))
            return "";
    return complain(sector, value, "after a power cut");
}

std::string Oracle::check_current(uint64_t sector, const Sector &value) {
    for (const Version &v : versions_[sector])
        if (matches(sector, v, value) && v.dead == kNever)
            return "";
    return complain(sector, value, "on the origin");
}

std::string Oracle::complain(uint64_t sector, const Sector &value, const char *when) const {
    return "sector " + std::to_string(sector) + " " + when + ": " + text(value) + "; " +
           describe(sector);
}

std::string Oracle::describe(uint64_t sector) const {
    std::string all = "legal:";
    const Versions &versions = versions_[sector];
    auto time = [](Time t) { return t == kNever ? std::string("-") : std::to_string(t); };
    for (const Version &v : versions) {
        all += "\n    " + (v.wild ? std::string("discarded") : text(v.value)) + ", number " +
               std::to_string(v.write) + ", issued " + time(v.issued) + ", ended " + time(v.ended) +
               ", dead " + time(v.dead) + (v.failed ? ", failed" : "") +
               (v.abandoned ? ", cut off" : "") + (v.survivor ? ", survivor" : "") +
               (is_persisted(v) ? ", persisted" : "") +
               (dead_after_cut(versions, v) ? ", not after a cut" : "");
    }
    return all + "\n    (now " + std::to_string(clock_) + ", flushed through " + time(flushed_) +
           ")";
}

} // namespace sim
