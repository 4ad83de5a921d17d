// SPDX-License-Identifier: GPL-2.0-only
#include "stat_table.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "error.h"

namespace tools {
namespace {

// As /proc/flashcache/<ssd>+<disk>/flashcache_stats has it: two lines, a space before the first ends.
constexpr const char *kText = "reads=100 writes=50 \n"
                              "read_hits=80 read_hit_percent=80 write_hits=25 disk_reads=20\n";

// What a cache that has just been started shows.
const Counters kZeros("reads=0 writes=0 read_hits=0 write_hits=0 disk_reads=0 ssd_reads=0");

TEST(Counters, are_read_as_the_kernel_prints_them) {
    const Counters counters(kText);
    EXPECT_EQ(counters["reads"], 100u);
    EXPECT_EQ(counters["writes"], 50u);
    EXPECT_EQ(counters["disk_reads"], 20u);
    EXPECT_EQ(counters["cleanings"], 0u) << "write-through has none";
}

TEST(Counters, pass_over_what_is_no_counter) {
    const Counters counters("mode=write_back =5 reads= writes=12x x 3 hits=18446744073709551616 ok=7");
    EXPECT_EQ(counters["mode"], 0u);
    EXPECT_EQ(counters["reads"], 0u);
    EXPECT_EQ(counters["writes"], 0u);
    EXPECT_EQ(counters["hits"], 0u);
    EXPECT_EQ(counters["ok"], 7u);
}

TEST(Counters, of_the_caches_that_run) {
    const std::string root = testing::TempDir() + "flashcache-counters";
    std::filesystem::remove_all(root);
    EXPECT_TRUE(running_caches(root).empty());
    for (const char *name : {"sdb+sdc", "nvme0n1+md0"}) {
        std::filesystem::create_directories(root + "/" + name);
        std::ofstream(root + "/" + name + "/flashcache_stats") << kText;
    }
    std::ofstream(root + "/flashcache_version") << "no directory";
    EXPECT_EQ(running_caches(root), (std::vector<std::string>{"nvme0n1+md0", "sdb+sdc"}));
    EXPECT_EQ(read_counters(root, "sdb+sdc")["reads"], 100u);
    EXPECT_THROW(read_counters(root, "sdb+sdd"), Error);
    std::filesystem::remove_all(root);
}

TEST(StatTable, rates_are_of_the_interval_and_ratios_of_both) {
    const Counters before("reads=100 read_hits=100 writes=10 ssd_reads=0");
    const Counters now("reads=300 read_hits=150 writes=10 ssd_reads=50");
    const StatRow row = make_row(before, now, 2);
    EXPECT_DOUBLE_EQ(row.rates[0], 100);
    EXPECT_DOUBLE_EQ(row.rates[1], 0);
    EXPECT_DOUBLE_EQ(row.rates[4], 25);
    EXPECT_EQ(row.recent[0], 25u);
    EXPECT_EQ(row.lifetime[0], 50u);
    EXPECT_EQ(row.recent[1], 0u) << "no write, no ratio";
}

TEST(StatTable, counters_that_were_set_to_zero_do_not_run_backwards) {
    const StatRow row = make_row(Counters("reads=1000 read_hits=900"), Counters("reads=10 read_hits=5"), 1);
    EXPECT_DOUBLE_EQ(row.rates[0], 10);
    EXPECT_EQ(row.recent[0], 50u);
}

// Those of dirty blocks are shown in the modes that have them.
TEST(StatTable, a_counter_that_was_not_there_before_has_not_grown) {
    const Counters before("reads=1000 read_hits=900"), now("reads=1010 read_hits=905 disk_reads=700");
    const StatRow row = make_row(before, now, 1);
    EXPECT_DOUBLE_EQ(row.rates[0], 10);
    EXPECT_DOUBLE_EQ(row.rates[2], 0);
}

TEST(StatTable, json_is_json_whatever_a_device_is_called) {
    const std::string text = to_json("12:00:01", "sdb+\xff\xfe", make_row(kZeros, kZeros, 1));
    EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(StatTable, lines_stand_under_their_titles) {
    const std::string titles = format_titles();
    const std::string line = format_row("12:00:01", make_row(kZeros, Counters(kText), 1));
    EXPECT_EQ(titles.size(), line.size());
    EXPECT_EQ(titles.substr(0, 24), "time      read/s write/s");
    EXPECT_EQ(line.substr(0, 24), "12:00:01     100      50");
    EXPECT_NE(line.find("80|80"), std::string::npos);
}

TEST(StatTable, json_names_each_counter) {
    const auto json = nlohmann::json::parse(
        to_json("12:00:01", "sdb+sdc", make_row(kZeros, Counters(kText), 2)));
    EXPECT_EQ(json["cache"], "sdb+sdc");
    EXPECT_EQ(json["reads_per_second"], 50);
    EXPECT_EQ(json["read_hits_percent"], 80);
    EXPECT_EQ(json["dirty_write_hits_percent_lifetime"], 0);
}

} // namespace
} // namespace tools
