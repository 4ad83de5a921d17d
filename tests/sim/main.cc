// SPDX-License-Identifier: GPL-2.0-only
// flashcache_sim: run the cache core in simulated machines and look for a history that breaks it.
#include <chrono>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "explorer.h"
#include "world.h"

namespace {

struct Options {
    uint64_t seed = 1;
    uint64_t runs = 1;
    uint64_t steps = 20000;
    uint64_t seconds = 0;
    uint64_t cut_at = 0;
    bool each_step = false;
    bool trace = false;
    bool stats = false;
    bool verbose = false;
    std::string profile = "any";
    std::string explore, history;
    sim::ExploreLimits limits;
};

void print_stats(const sim::Totals &t) {
    fmt::print("{} operations ({} failed), {} requests, {} loads ({} refused first, {} with the "
               "older superblock)\n",
               t.ops, t.failed_ops, t.requests, t.loads, t.refused, t.rolled_back);
#define PRINT_STAT(name, meaning)                                                                  \
    fmt::print("  {:22} {:12}  {}\n", #name, t.core_stat[FC_STAT_##name], meaning);
    FC_STATS(PRINT_STAT)
#undef PRINT_STAT
}

// One machine.  False: it failed.
bool run_one(const Options &o, uint64_t seed, sim::Trace &trace, sim::Totals &totals,
             sim::Failure &failure) {
    std::string description;
    try {
        sim::World world(seed, o.profile, trace);
        description = world.describe();
        if (o.cut_at)
            world.cut_once(o.cut_at);
        if (o.verbose)
            fmt::print("seed {}: {}\n", seed, description);
        world.run(o.steps);
        totals += world.totals();
        return true;
    } catch (const sim::Failure &f) {
        failure = f;
        failure.what += "\n  machine: " + description;
        return false;
    }
}

// Run it once more and print how it came about.
void report(const Options &o, uint64_t seed, const sim::Failure &failure) {
    fmt::print("\nFAILED: seed {}: {}\n", seed, failure.what);
    if (!o.trace) {
        sim::Trace trace;
        sim::Failure again;
        sim::Totals totals;
        trace.start(failure.sector, 120);
        run_one(o, seed, trace, totals, again);
        fmt::print("\nthe end of its history{}:\n",
                   failure.sector == sim::Trace::kAll ? "" : ", of the sector's block only");
        trace.print_kept();
    }
    const std::string cut = o.cut_at ? fmt::format(" --cut-at {}", o.cut_at) : "";
    fmt::print("\nreplay: flashcache_sim --profile {} --steps {} --seed {}{} --trace\n", o.profile,
               o.steps, seed, cut);
}

// One seed: a machine, or one for each step at which its power can fail.  False: one failed.
bool run_seed(Options o, uint64_t seed, sim::Totals &totals) {
    const uint64_t last_cut = o.each_step ? o.steps : o.cut_at;
    for (o.cut_at = o.each_step ? 1 : o.cut_at; o.cut_at <= last_cut; o.cut_at++) {
        sim::Trace trace;
        sim::Failure failure;
        if (o.trace)
            trace.start(sim::Trace::kAll, 0);
        if (!run_one(o, seed, trace, totals, failure)) {
            report(o, seed, failure);
            return false;
        }
    }
    return true;
}

int run_all(const Options &o) {
    using Clock = std::chrono::steady_clock;
    sim::Totals totals;
    const auto start = Clock::now();
    auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
    uint64_t run = 0;
    for (; o.seconds ? seconds() < static_cast<double>(o.seconds) : run < o.runs; run++) {
        if (!run_seed(o, o.seed + run, totals))
            return 1;
    }
    fmt::print("ok: {} machines, seeds {}..{}, {} steps, {} power cuts, {:.1f} s, {:.0f} steps/s\n",
               run, o.seed, o.seed + run - 1, totals.steps, totals.cuts, seconds(),
               static_cast<double>(totals.steps) / seconds());
    if (o.stats)
        print_stats(totals);
    return 0;
}

// One scenario in every order.  False: one of them failed.
bool explore_one(const Options &o, const sim::Scenario &scenario) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    sim::Explorer explorer(scenario, o.limits);
    const bool ok = o.history.empty() ? explorer.run() : explorer.replay(o.history);
    const sim::ExploreCounts &c = explorer.counts();
    const std::string how =
        c.complete ? "every order" : fmt::format("< {} deviations", c.deviations);
    fmt::print("{:18} {}: {} states, {} histories ({} to the end, at most {} choices); cuts in {} "
               "states ({} sampled): {} outcomes, {} recoveries; {:.1f} s\n",
               scenario.name, how, c.states, c.histories, c.ends, c.deepest, c.cut_states,
               c.sampled, c.outcomes, c.recoveries,
               std::chrono::duration<double>(Clock::now() - start).count());
    if (ok)
        return true;
    fmt::print("\nFAILED: {} ({}): {}\n", scenario.name, scenario.what, explorer.failure());
    if (o.history.empty())
        fmt::print(
            "\nreplay: flashcache_sim --explore {} --subsets {} --preemptions {} --history {}\n",
            scenario.name, o.limits.subsets, o.limits.preemptions, explorer.history());
    return false;
}

int explore(const Options &o) {
    bool found = false;
    for (const sim::Scenario &scenario : sim::scenarios()) {
        if (o.explore == "list")
            fmt::print("{:18} {}\n", scenario.name, scenario.what);
        else if (o.explore != "all" && o.explore != scenario.name)
            continue;
        else if (!explore_one(o, scenario))
            return 1;
        found = true;
    }
    if (!found)
        fmt::print("no such scenario: see --explore list\n");
    return found ? 0 : 2;
}

} // namespace

int main(int argc, char **argv) {
    Options o;
    CLI::App app("Runs the cache core in simulated machines, each made and driven by one seed.",
                 "flashcache_sim");
    app.add_option("--seed", o.seed, "seed of the first machine; the next have the next seeds")
        ->capture_default_str();
    app.add_option("--runs", o.runs, "number of machines")->capture_default_str();
    app.add_option("--seconds", o.seconds, "machines for so long, in place of --runs");
    app.add_option("--steps", o.steps, "steps that each lives before it comes to rest")
        ->capture_default_str();
    app.add_option("--profile", o.profile, "kind of machine")
        ->check(CLI::IsMember({"calm", "cuts", "tiny", "large", "errors", "damage", "any"}))
        ->capture_default_str();
    app.add_option("--cut-at", o.cut_at, "cut the power at this step and never again");
    app.add_flag("--each-step", o.each_step,
                 "run each seed once for each step, with a power cut at that step");
    app.add_flag("--trace", o.trace,
                 "print all that happens (a failure prints the end of the history by itself)");
    app.add_flag("--stats", o.stats, "print the core's counters at the end");
    app.add_flag("--verbose", o.verbose, "print what each machine is like");
    app.add_option("--explore", o.explore,
                   "a tiny world in every order: a scenario, \"all\" or \"list\"");
    app.add_option("--states", o.limits.states, "explore: stop after so many states");
    app.add_option("--subsets", o.limits.subsets,
                   "explore: outcomes of a power cut to try, at most")
        ->capture_default_str();
    app.add_option("--cuts", o.limits.cuts, "explore: power cuts in a row")->capture_default_str();
    app.add_option("--preemptions", o.limits.preemptions,
                   "explore: how often another CPU may come in between");
    app.add_flag("!--no-merge", o.limits.merge,
                 "explore: go on from states that were visited, too");
    app.add_option("--history", o.history, "explore: this history of the scenario only");
    CLI11_PARSE(app, argc, argv);
    setvbuf(stdout, nullptr, _IOLBF, 0);
    o.limits.seconds = o.seconds;
    return o.explore.empty() ? run_all(o) : explore(o);
}
