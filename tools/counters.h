// SPDX-License-Identifier: GPL-2.0-only
//
// The counters that the kernel shows in /proc/flashcache/<ssd>+<disk>/flashcache_stats.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tools {

class Counters {
public:
    // Of "name=number" words; any other word is passed over.
    explicit Counters(const std::string &text);
    // 0 if there is none of this name: not every mode has every counter.
    std::uint64_t operator[](const std::string &name) const;
    bool has(const std::string &name) const { return values_.contains(name); }

private:
    std::map<std::string, std::uint64_t> values_;
};

// The caches that run, by the names of their directories, in order.  None if root does not exist.
std::vector<std::string> running_caches(const std::string &root);

// Throws Error if the cache does not run (any more).
Counters read_counters(const std::string &root, const std::string &cache);

} // namespace tools
