// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_trace: what caches of several sizes and policies would have made of a trace.

#include <fstream>
#include <iostream>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "error.h"
#include "options.h"
#include "trace.h"
#include "trace_replay.h"

namespace tools {
namespace {

struct Contender {
    const char *name;
    int policy;
    bool second_sight;
    std::uint32_t extent_blocks; // 0: as asked for
};

// The first is what flashcache 1 to 3 did: 2 MiB of neighbours in a set.
constexpr Contender kContenders[] = {
    {"fifo, 2 MiB sets", FC_POLICY_FIFO, false, 512},
    {"fifo", FC_POLICY_FIFO, false, 0},
    {"lru", FC_POLICY_LRU, false, 0},
    {"clock2q", FC_POLICY_CLOCK2Q, false, 0},
    {"clock2q, second sight", FC_POLICY_CLOCK2Q, true, 0},
};

Trace trace_of(const TraceOptions &options) {
    if (options.made_up)
        return made_up_trace(options.made_up, 1);
    if (options.file == "-")
        return read_trace(std::cin);
    std::ifstream in(options.file);
    if (!in)
        refuse("cannot open {}", options.file);
    return read_trace(in);
}

// Requests end at the borders of extents, as device-mapper has them.
ReplayCounts replay(const Trace &trace, const ReplayShape &shape) {
    Replay cache(shape, trace.end);
    const std::uint64_t most = std::min<std::uint64_t>(shape.extent_blocks, FC_JOB_MAX_BLOCKS);
    for (const Reference &r : trace.references)
        for (std::uint64_t at = r.block, end = r.block + r.nr_blocks; at < end;) {
            const std::uint64_t n = std::min(end - at, most - at % most);
            cache.access(at, static_cast<std::uint32_t>(n));
            at += n;
        }
    return cache.counts();
}

ReplayShape shape_of(const TraceOptions &options, const Trace &trace, unsigned pct,
                     const Contender &c) {
    ReplayShape shape;
    shape.cache_blocks = std::max<std::uint64_t>(trace.distinct * pct / 100, 1);
    shape.ways_per_set = options.associativity;
    shape.extent_blocks = c.extent_blocks ? c.extent_blocks : options.extent_blocks;
    shape.policy = c.policy;
    shape.second_sight = c.second_sight;
    return shape;
}

// All of them, before the first takes its time.
void require_all_fit(const TraceOptions &options, const Trace &trace) {
    for (const unsigned pct : options.sizes_pct)
        for (const Contender &c : kContenders)
            require_fits(shape_of(options, trace, pct, c), trace.end);
}

void run(int argc, const char *const *argv) {
    const TraceOptions options = parse_trace_options(argc, argv);
    const Trace trace = trace_of(options);
    require_all_fit(options, trace);
    nlohmann::json rows = nlohmann::json::array();
    if (!options.json)
        fmt::print("{} references, {} blocks\n{:>9} {:>6}  {:24} {:>7} {:>7}\n",
                   trace.references.size(), trace.distinct, "blocks", "size", "policy", "hit %",
                   "fill %");
    for (const unsigned pct : options.sizes_pct)
        for (const Contender &c : kContenders) {
            const ReplayShape shape = shape_of(options, trace, pct, c);
            const ReplayCounts counts = replay(trace, shape);
            if (options.json)
                rows.push_back({{"size_pct", pct},
                                {"blocks", shape.cache_blocks},
                                {"policy", c.name},
                                {"hit_pct", counts.hit_pct()},
                                {"fill_pct", counts.fill_pct()}});
            else
                fmt::print("{:9} {:4} %  {:24} {:7.1f} {:7.1f}\n", shape.cache_blocks, pct, c.name,
                           counts.hit_pct(), counts.fill_pct());
        }
    if (options.json)
        fmt::print("{}\n", rows.dump(2));
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_trace", argc, argv, tools::run);
}
