// SPDX-License-Identifier: GPL-2.0-only
//
// The numbers that users set: by sysctls, by options of the table line.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "fio.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::HasSubstr;

struct Number {
    const char *name;
    const char *initial;
    const char *good;
    const char *bad;
    bool option; // of the table line
};

constexpr Number kNumbers[] = {
    {"dirty_thresh_pct", "70", "10 50 95", "0 9 96 100 -1 x 4294967296", true},
    {"cache_dirty_thresh_pct", "60", "10 95", "9 96 -1 x", true},
    {"max_clean_ios_total", "32", "1 4 1024", "0 1025 -1 x", true},
    {"max_clean_ios_set", "8", "1 2 64", "0 65 -1 x", true},
    {"max_clean_ios_busy", "4", "1 1024", "0 1025 x", true},
    {"fallow_delay", "900", "0 1000000", "1000001 -1 x 4294967296", true},
    {"fallow_clean_speed", "2", "1 100", "0 101 x", true},
    {"idle_delay_ms", "2000", "0 86400000", "86400001 -1 x 4294967296", true},
    {"writeback_centisecs", "50", "1 360000", "0 360001 x", true},
    {"new_style_write_merge", "1", "0 1", "2 -1 x", true},
    {"clean_on_read_miss", "0", "64 0", "65 -1 x", true},
    {"clean_on_write_miss", "0", "64 0", "65 -1 x", true},
    {"fast_remove", "0", "1 0", "2 -1 x", true},
    {"stop_sync", "0", "1 0", "2 -1 x", false},
    {"cache_all", "1", "0 1", "2 -1 x", true},
    {"admission", "0", "1 2 0", "3 -1 x", true},
    {"skip_seq_thresh_kb", "0", "1024 0", "4294967295 -1 x", true},
    {"skip_seq_read_thresh_kb", "0", "64 0", "4294967295 -1 x", true},
    {"skip_seq_write_thresh_kb", "0", "64 0", "4294967295 -1 x", true},
    {"reclaim_policy", "2", "0 1 2 1", "3 -1 lru 4294967296", true},
    {"lru_hot_pct", "75", "0 50 100", "101 -1 x", true},
    {"lru_promote_thresh", "2", "1 255", "0 256 x", true},
    {"do_sync", "0", "0", "-1 x", false},
    {"zero_stats", "0", "0", "-1 x", false},
    {"io_latency_hist", "0", "1 0", "-1 x", false},
    {"do_pid_expiry", "0", "1 0", "2 -1 x", false},
    {"pid_expiry_secs", "60", "1 1000000", "0 1000001 x", false},
    {"max_pids", "100", "1 8192", "0 8193 x", false},
};

class Settings : public testing::TestWithParam<Mode> {
protected:
    void create() { rig_.create(GetParam()); }
    std::string line(const std::string &options) const {
        const Arguments word = words(options);
        return table_line(rig_.disk.sectors(), rig_.disk.path(), rig_.ssd.path(), "fc0 ") +
               (GetParam() == Mode::kWriteOnly ? "1 2 8 0 0 0 1 0 "
                : GetParam() == Mode::kAround  ? "3 2 8 0 0 0 0 0 "
                : GetParam() == Mode::kThru    ? "2 2 8 0 0 0 0 0 "
                                               : "1 2 8 0 0 0 0 0 ") +
               std::to_string(word.size()) + " " + joined(word);
    }
    static std::string file(const std::string &name) {
        return "/proc/sys/dev/flashcache/ssd0+disk0/" + name;
    }
    static std::string shown(const std::string &name) { return words(read_file(file(name))).at(0); }

    Rig rig_;
};
INSTANTIATE_TEST_SUITE_P(, Settings, testing::ValuesIn(kModes), testing::PrintToStringParamName());

TEST_P(Settings, all_are_there_in_each_mode_with_their_initial_values) {
    create();
    Arguments expected;
    for (const Number &number : kNumbers) {
        expected.push_back(number.name);
        EXPECT_EQ(shown(number.name), number.initial) << number.name;
    }
    Arguments found = names_in("/proc/sys/dev/flashcache/ssd0+disk0");
    std::erase(found, "error_inject"); // of debug builds
    EXPECT_THAT(found, testing::UnorderedElementsAreArray(expected));
}

TEST_P(Settings, take_what_is_in_range_and_keep_their_value_otherwise) {
    create();
    for (const Number &number : kNumbers) {
        SCOPED_TRACE(number.name);
        std::string last;
        for (const std::string &good : words(number.good)) {
            EXPECT_EQ(try_write_file(file(number.name), good), 0) << good;
            EXPECT_EQ(shown(number.name), good);
            last = good;
        }
        for (const std::string &bad : words(number.bad)) {
            EXPECT_EQ(try_write_file(file(number.name), bad), EINVAL) << bad;
            EXPECT_EQ(shown(number.name), last) << bad;
        }
    }
}

TEST_P(Settings, that_are_options_of_the_table_line_are_printed_and_loaded_again) {
    std::string options;
    for (const Number &number : kNumbers)
        if (number.option)
            options += " " + std::string(number.name) + " " + words(number.good).at(0);
    must({"dmsetup", "create", "fc0", "--table", line(options)});
    const std::string table = rig_.cache.table();
    EXPECT_THAT(table, HasSubstr(options));
    for (unsigned round = 0; round < 2; round++) {
        for (const Number &number : kNumbers)
            if (number.option && std::string(number.name) != "skip_seq_thresh_kb") {
                EXPECT_EQ(shown(number.name), words(number.good).at(0)) << number.name;
            }
        EXPECT_EQ(rig_.cache.status()["reclaim_policy"], 0u);
        must({"dmsetup", "remove", "fc0"});
        must({"dmsetup", "create", "fc0", "--table", table});
    }
    EXPECT_EQ(rig_.cache.table(), table);
}

TEST_P(Settings, skip_seq_thresh_kb_sets_both_thresholds_and_reads_as_that_of_reads) {
    create();
    rig_.cache.set("skip_seq_write_thresh_kb", 7);
    rig_.cache.set("skip_seq_thresh_kb", 512);
    EXPECT_EQ(rig_.cache.get("skip_seq_read_thresh_kb"), 512u);
    EXPECT_EQ(rig_.cache.get("skip_seq_write_thresh_kb"), 512u);
    rig_.cache.set("skip_seq_write_thresh_kb", 64);
    EXPECT_EQ(rig_.cache.get("skip_seq_thresh_kb"), 512u);
    rig_.cache.set("skip_seq_read_thresh_kb", 128);
    EXPECT_EQ(rig_.cache.get("skip_seq_thresh_kb"), 128u);
    rig_.cache.remove();
    must({"flashcache_destroy", rig_.ssd.path()});
    must({"dmsetup", "create", "fc0", "--table",
          line("skip_seq_read_thresh_kb 32 skip_seq_thresh_kb 256")});
    EXPECT_EQ(shown("skip_seq_read_thresh_kb"), "32") << "the special one wins";
    EXPECT_EQ(shown("skip_seq_write_thresh_kb"), "256");
}

TEST_P(Settings, of_a_reloaded_table_are_applied) {
    create();
    std::string table = line("reclaim_policy 1 lru_hot_pct 40");
    table.replace(table.find(" 2 8 0 0 0"), 2, " 1"); // persistence: load
    must({"dmsetup", "load", "fc0", "--table", table});
    must({"dmsetup", "resume", "fc0"});
    EXPECT_EQ(rig_.cache.status()["reclaim_policy"], 1u);
    EXPECT_EQ(rig_.cache.get("lru_hot_pct"), 40u);
}

TEST_P(Settings, the_policy_changes_under_io_and_leaves_no_memory_behind) {
    const auto areas = [] {
        unsigned n = 0;
        for (const std::string &area : lines(read_file("/proc/vmallocinfo")))
            n += area.find("[flashcache]") != std::string::npos;
        return n;
    };
    const unsigned before = areas();
    create();
    {
        Background fio(Fio(rig_.cache.path(), {"--rw=randwrite", "--bs=4k",
                                               "--size=" + std::to_string(effort(16)) + "m",
                                               "--iodepth=16", "--verify_backlog=64"})
                           .arguments());
        for (unsigned n = 0; fio.running() || n < 6; n++) {
            rig_.cache.set("reclaim_policy", n % 3);
            EXPECT_EQ(rig_.cache.get("reclaim_policy"), n % 3);
        }
        Fio::check(fio.wait());
    }
    rig_.cache.set("reclaim_policy", 1);
    rig_.cache.remove();
    EXPECT_EQ(areas(), before);
}

} // namespace
} // namespace vm
