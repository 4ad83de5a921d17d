// SPDX-License-Identifier: GPL-2.0-only
#include "stat_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tools {
namespace {

constexpr int kTimeWidth = 8;
constexpr int kRateWidth = 8;
constexpr int kRatioWidth = 8; // "100|100"

// A counter that was not there before, in another mode of the cache, has not grown: nobody knows since when.
std::uint64_t growth(const Counters &before, const Counters &now, const char *counter) {
    if (!before.has(counter))
        return 0;
    return now[counter] >= before[counter] ? now[counter] - before[counter] : now[counter];
}

unsigned percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<unsigned>(part * 100 / whole);
}

} // namespace

StatRow make_row(const Counters &before, const Counters &now, double seconds) {
    StatRow row;
    for (std::size_t i = 0; i < kRateColumns.size(); i++)
        row.rates[i] =
            static_cast<double>(growth(before, now, kRateColumns[i].counter)) / seconds;
    for (std::size_t i = 0; i < kRatioColumns.size(); i++) {
        const RatioColumn &column = kRatioColumns[i];
        row.recent[i] =
            percent(growth(before, now, column.part), growth(before, now, column.whole));
        row.lifetime[i] = percent(now[column.part], now[column.whole]);
    }
    return row;
}

std::string format_titles() {
    std::string line = fmt::format("{:<{}}", "time", kTimeWidth);
    for (const RateColumn &column : kRateColumns)
        line += fmt::format("{:>{}}", column.title, kRateWidth);
    for (const RatioColumn &column : kRatioColumns)
        line += fmt::format("{:>{}}", column.title, kRatioWidth);
    return line;
}

std::string format_row(const std::string &time, const StatRow &row) {
    std::string line = fmt::format("{:<{}}", time, kTimeWidth);
    for (const double rate : row.rates)
        line += fmt::format("{:>{}.0f}", rate, kRateWidth);
    for (std::size_t i = 0; i < kRatioColumns.size(); i++)
        line += fmt::format("{:>{}}", fmt::format("{}|{}", row.recent[i], row.lifetime[i]),
                            kRatioWidth);
    return line;
}

std::string to_json(const std::string &time, const std::string &cache, const StatRow &row) {
    nlohmann::ordered_json json = {{"time", time}, {"cache", cache}};
    for (std::size_t i = 0; i < kRateColumns.size(); i++)
        json[std::string(kRateColumns[i].counter) + "_per_second"] = row.rates[i];
    for (std::size_t i = 0; i < kRatioColumns.size(); i++) {
        const std::string name = std::string(kRatioColumns[i].part) + "_percent";
        json[name] = row.recent[i];
        json[name + "_lifetime"] = row.lifetime[i];
    }
    // The names of devices may hold any bytes.
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace tools
