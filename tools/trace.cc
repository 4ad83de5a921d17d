// SPDX-License-Identifier: GPL-2.0-only
#include "trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>

#include "error.h"
#include "text.h"

namespace tools {
namespace {

constexpr std::uint64_t kMostBlocks = std::uint64_t{1} << 40;
constexpr std::uint32_t kMostAtOnce = 1 << 16;

void measure(Trace &trace) {
    std::unordered_set<std::uint64_t> seen;
    for (const Reference &r : trace.references) {
        trace.end = std::max(trace.end, r.block + r.nr_blocks);
        for (std::uint32_t i = 0; i < r.nr_blocks; i++)
            seen.insert(r.block + i);
    }
    trace.distinct = seen.size();
}

// The next number of the text, which loses it.  False if there is none in front of a blank or the
// end.
bool take_number(std::string_view &text, std::uint64_t &value) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() ||
        (length < text.size() &&
         std::string_view(" \t\r").find(text[length]) == std::string_view::npos))
        return false;
    text.remove_prefix(length);
    return true;
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

} // namespace

Trace read_trace(std::istream &in) {
    Trace trace;
    std::string line;
    for (std::uint64_t number = 1; std::getline(in, line); number++) {
        std::string_view text(line);
        text = text.substr(0, text.find('#'));
        if (is_blank(text))
            continue;
        std::uint64_t block = 0, n = 1;
        if (!take_number(text, block) || (!is_blank(text) && !take_number(text, n)) ||
            !is_blank(text))
            refuse("line {} of the trace is not a block number, or a block number and a count: {}",
                   number, printable(line.substr(0, 60)));
        if (block >= kMostBlocks || n == 0 || n > kMostAtOnce)
            refuse("line {} of the trace: blocks have numbers below 2^40, and 1 to {} are referred "
                   "to at once",
                   number, kMostAtOnce);
        trace.references.push_back({block, static_cast<std::uint32_t>(n)});
    }
    if (in.bad())
        refuse("the trace cannot be read to its end");
    if (trace.references.empty())
        refuse("the trace is empty");
    measure(trace);
    return trace;
}

Trace made_up_trace(std::uint64_t references, std::uint64_t seed) {
    constexpr std::uint64_t kHot = 100000, kScan = 2000;
    constexpr double kExponent = 0.9;
    std::mt19937_64 random(seed);
    std::vector<double> sums(kHot);
    double sum = 0;
    for (std::uint64_t i = 0; i < kHot; i++)
        sums[i] = sum += 1 / std::pow(static_cast<double>(i + 1), kExponent);
    std::vector<std::uint64_t> place(kHot); // neighbours in rank are no neighbours on the disk
    for (std::uint64_t i = 0; i < kHot; i++)
        place[i] = i * 7;
    std::shuffle(place.begin(), place.end(), random);
    Trace trace;
    std::uint64_t fresh = kHot * 7, scan = 0, scan_left = 0;
    while (trace.references.size() < references) {
        const std::uint64_t dice = random() % 100;
        if (scan_left) {
            scan_left--;
            trace.references.push_back({scan++, 1});
        }
        if (dice < 70) {
            const double at =
                sum * static_cast<double>(random() >> 11) / static_cast<double>(1ull << 53);
            const auto rank = std::lower_bound(sums.begin(), sums.end(), at) - sums.begin();
            trace.references.push_back({place[static_cast<std::size_t>(rank)], 1});
        } else if (dice < 85) {
            trace.references.push_back({fresh += 3, 1});
        } else if (!scan_left && random() % kScan < 20) {
            scan = kHot * 7 + (random() % 50) * kScan + (std::uint64_t{1} << 32);
            scan_left = kScan;
        }
    }
    measure(trace);
    return trace;
}

} // namespace tools
