// SPDX-License-Identifier: GPL-2.0-only
//
// flashstat: what running caches do, a line for each interval.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <thread>

#include <fmt/chrono.h>
#include <unistd.h>

#include "counters.h"
#include "error.h"
#include "options.h"
#include "running_cache.h"
#include "stat_table.h"
#include "text.h"

namespace tools {
namespace {

constexpr const char *kRoot = "/proc/flashcache";
constexpr unsigned kTitlesEvery = 20; // lines

using Clock = std::chrono::steady_clock;

struct Reading {
    Counters counters;
    Clock::time_point when;
};

// The directory in /proc/flashcache of what the user named.
std::string directory_of(const std::string &cache) {
    const std::vector<std::string> running = running_caches(kRoot);
    if (std::find(running.begin(), running.end(), cache) != running.end())
        return cache;
    return proc_label(cache_name_of(cache));
}

std::vector<std::string> caches_to_show(const StatOptions &options) {
    if (!options.cache.empty())
        return {directory_of(options.cache)};
    std::vector<std::string> caches = running_caches(kRoot);
    if (caches.empty())
        refuse("no cache runs; flashcache_load starts one");
    return caches;
}

class Table {
public:
    explicit Table(const StatOptions &options)
        : options_(options), bold_(!options.no_color && !options.json && isatty(STDOUT_FILENO) != 0),
          caches_(caches_to_show(options)) {
        for (const std::string &cache : caches_)
            readings_.emplace(cache, Reading{read_counters(kRoot, cache), Clock::now()});
    }

    void print() {
        if (!options_.json && lines_++ % kTitlesEvery == 0)
            print_titles();
        for (const std::string &cache : caches_) {
            Reading now = {read_counters(kRoot, cache), Clock::now()};
            Reading &before = readings_.at(cache);
            const std::chrono::duration<double> seconds = now.when - before.when;
            print_row(cache, make_row(before.counters, now.counters, seconds.count()));
            before = std::move(now);
        }
        if (std::fflush(stdout) != 0)
            refuse("cannot write to standard output: {}", errno_text(errno));
    }

private:
    void print_titles() const {
        fmt::print("{}{}{}{}\n", bold_ ? "\x1b[1m" : "", format_titles(), several() ? "  cache" : "",
                   bold_ ? "\x1b[0m" : "");
    }
    void print_row(const std::string &cache, const StatRow &row) const {
        const std::string time = fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
        if (options_.json)
            fmt::print("{}\n", to_json(time, cache, row));
        else
            fmt::print("{}{}{}\n", format_row(time, row), several() ? "  " : "",
                       several() ? printable(cache) : "");
    }
    bool several() const { return caches_.size() > 1; }

    const StatOptions &options_;
    const bool bold_;
    const std::vector<std::string> caches_;
    std::map<std::string, Reading> readings_;
    unsigned lines_ = 0;
};

void show(int argc, const char *const *argv) {
    const StatOptions options = parse_stat_options(argc, argv);
    Table table(options);
    for (std::uint64_t line = 0; options.count == 0 || line < options.count; line++) {
        std::this_thread::sleep_for(std::chrono::seconds(options.interval_s));
        table.print();
    }
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashstat", argc, argv, tools::show);
}
