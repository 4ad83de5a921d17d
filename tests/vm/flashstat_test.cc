// SPDX-License-Identifier: GPL-2.0-only
//
// flashstat, on caches that run.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

// Reads for as long as flashstat runs.
nlohmann::json json_of(const Arguments &arguments, const Cache &cache) {
    Background flashstat(arguments);
    const BlockFile file(cache.path());
    while (flashstat.running())
        file.read(0, 64 * kKiB);
    const Result result = flashstat.wait();
    EXPECT_EQ(result.status, 0) << result.output;
    return nlohmann::json::parse(lines(result.output).at(0));
}

TEST(Flashstat, shows_the_rates_of_a_cache_by_its_device_and_by_its_directory) {
    Rig rig;
    rig.create(Mode::kBack);
    const std::string directory = rig.cache.status().word("proc");
    for (const std::string &name : {rig.cache.name(), rig.cache.path(), directory}) {
        SCOPED_TRACE(name);
        const auto row = json_of({"flashstat", "-c", "1", "--json", "-d", name}, rig.cache);
        EXPECT_EQ(row["cache"], directory);
        EXPECT_GT(row["reads_per_second"], 0);
        EXPECT_GT(row["read_hits_percent_lifetime"], 0);
        EXPECT_EQ(row["writes_per_second"], 0);
    }
}

TEST(Flashstat, has_a_line_for_each_cache_and_titles_above) {
    Rig first;
    Rig second(kSmallSsd, kDisk, "1");
    first.create(Mode::kThru);
    second.create(Mode::kAround);
    const auto output = lines(must({"flashstat", "-c", "2", "-n"}));
    ASSERT_EQ(output.size(), 5u);
    EXPECT_EQ(output[0].substr(0, 16), "time      read/s");
    EXPECT_NE(output[1].find("ssd0+disk0"), std::string::npos);
    EXPECT_NE(output[2].find("ssd1+disk1"), std::string::npos);
}

TEST(Flashstat, says_what_is_wrong) {
    EXPECT_EQ(run({"flashstat"}).output, "flashstat: no cache runs; flashcache_load starts one\n");
    Rig rig;
    rig.create(Mode::kBack);
    for (const char *name : {"fc9", "/dev/mapper/fc9", "../../etc", "ssd0+disk9"}) {
        const Result result = run({"flashstat", "-c", "1", "-d", name});
        EXPECT_EQ(result.status, std::string(name) == "../../etc" ? 2 : 1) << result.output;
        EXPECT_EQ(lines(result.output).size(), 1u) << result.output;
    }
    Background running({"flashstat"});
    pause_ms(1500);
    rig.cache.remove();
    const Result result = running.wait();
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.output.find("does not run (any more)"), std::string::npos);
}

} // namespace
} // namespace vm
