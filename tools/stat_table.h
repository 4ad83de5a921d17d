// SPDX-License-Identifier: GPL-2.0-only
//
// The table of flashstat: rates and hit ratios between two readings of a cache's counters.
#pragma once

#include <array>
#include <string>

#include "counters.h"

namespace tools {

// A counter's column: events each second.
struct RateColumn {
    const char *title;
    const char *counter;
};
// The share of one counter in another, in percent.
struct RatioColumn {
    const char *title;
    const char *part;
    const char *whole;
};

inline constexpr std::array<RateColumn, 12> kRateColumns = {{
    {"read/s", "reads"},
    {"write/s", "writes"},
    {"diskr/s", "disk_reads"},
    {"diskw/s", "disk_writes"},
    {"ssdr/s", "ssd_reads"},
    {"ssdw/s", "ssd_writes"},
    {"uread/s", "uncached_reads"},
    {"uwrit/s", "uncached_writes"},
    {"metaw/s", "metadata_ssd_writes"},
    {"clean/s", "cleanings"},
    {"repl/s", "replacement"},
    {"wrepl/s", "write_replacement"},
}};
inline constexpr std::array<RatioColumn, 3> kRatioColumns = {{
    {"hit%", "read_hits", "reads"},
    {"whit%", "write_hits", "writes"},
    {"dwhit%", "dirty_write_hits", "writes"},
}};

struct StatRow {
    std::array<double, kRateColumns.size()> rates{};
    std::array<unsigned, kRatioColumns.size()> recent{};   // percent, since the reading before
    std::array<unsigned, kRatioColumns.size()> lifetime{}; // percent, since the last zero_stats
};

// What happened between two readings that lie so many seconds apart (more than 0).  A counter that
// has become smaller was set to zero in between.
StatRow make_row(const Counters &before, const Counters &now, double seconds);

// The titles.
std::string format_titles();
// A line under them; time: as it is to be shown, 8 columns.
std::string format_row(const std::string &time, const StatRow &row);
// One line of JSON: time, cache, and each column by the name of its counter or counters.
std::string to_json(const std::string &time, const std::string &cache, const StatRow &row);

} // namespace tools
