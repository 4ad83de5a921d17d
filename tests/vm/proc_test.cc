// SPDX-License-Identifier: GPL-2.0-only
//
// /proc/flashcache and /proc/sys/dev/flashcache: what collectors and scripts of flashcache 3 find.
#include <cerrno>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::ElementsAreArray;
using testing::MatchesRegex;

Arguments keys_of(const std::string &line) {
    Arguments keys;
    for (const std::string &word : words(line))
        keys.push_back(word.substr(0, word.find('=')));
    return keys;
}

// The second line of flashcache_stats, as flashcache 3.1 has it in each mode.
const Arguments kBackKeys =
    words("read_hits read_hit_percent write_hits write_hit_percent dirty_write_hits "
          "dirty_write_hit_percent replacement write_replacement write_invalidates "
          "read_invalidates pending_enqueues pending_inval metadata_dirties metadata_cleans "
          "metadata_batch metadata_ssd_writes cleanings fallow_cleanings no_room front_merge "
          "back_merge disk_reads disk_writes ssd_reads ssd_writes uncached_reads uncached_writes "
          "uncached_IO_requeue uncached_sequential_reads uncached_sequential_writes pid_adds "
          "pid_dels pid_drops pid_expiry");
const Arguments kThruKeys =
    words("read_hits read_hit_percent write_hits write_hit_percent replacement write_replacement "
          "write_invalidates read_invalidates pending_enqueues pending_inval no_room disk_reads "
          "disk_writes ssd_reads ssd_writes uncached_reads uncached_writes uncached_IO_requeue "
          "uncached_sequential_reads uncached_sequential_writes pid_adds pid_dels pid_drops "
          "pid_expiry");
const Arguments kAroundKeys =
    words("read_hits read_hit_percent replacement read_invalidates pending_enqueues pending_inval "
          "no_room disk_reads disk_writes ssd_reads ssd_writes uncached_reads uncached_writes "
          "uncached_IO_requeue uncached_sequential_reads uncached_sequential_writes pid_adds "
          "pid_dels pid_drops pid_expiry");

Arguments keys_for(Mode mode) {
    return mode == Mode::kThru ? kThruKeys : mode == Mode::kAround ? kAroundKeys : kBackKeys;
}

class Proc : public testing::TestWithParam<Mode> {
protected:
    Proc() { rig_.create(GetParam()); }
    Rig rig_;
};
INSTANTIATE_TEST_SUITE_P(, Proc, testing::ValuesIn(kModes), testing::PrintToStringParamName());

TEST_P(Proc, stats_has_the_keys_of_flashcache_3_in_their_order) {
    const auto line = lines(rig_.cache.proc("flashcache_stats"));
    ASSERT_EQ(line.size(), 2u);
    EXPECT_THAT(line[0], MatchesRegex("reads=[0-9]+ writes=[0-9]+ "));
    Arguments keys = keys_of(line[1]);
    const Arguments expected = keys_for(GetParam());
    ASSERT_GE(keys.size(), expected.size());
    keys.resize(expected.size()); // new ones come after them
    EXPECT_THAT(keys, ElementsAreArray(expected));
}

// As collectors read them: words, each a key, "=", and a number; no key twice.
TEST_P(Proc, stats_and_errors_are_words_of_a_key_and_a_number) {
    std::set<std::string> seen;
    for (const char *file : {"flashcache_stats", "flashcache_errors"})
        for (const std::string &word : words(rig_.cache.proc(file))) {
            EXPECT_THAT(word, MatchesRegex("[a-zA-Z_]+=[0-9]+"));
            EXPECT_TRUE(seen.insert(word.substr(0, word.find('='))).second) << word;
        }
    EXPECT_THAT(seen, testing::IsSupersetOf({"read_misses", "write_misses", "admission_refusals",
                                             "flushes"}));
}

TEST_P(Proc, errors_has_the_keys_of_flashcache_3) {
    EXPECT_EQ(rig_.cache.proc("flashcache_errors"),
              "disk_read_errors=0 disk_write_errors=0 ssd_read_errors=0 ssd_write_errors=0 "
              "memory_alloc_errors=0\n");
}

TEST_P(Proc, iosize_hist_has_each_bucket_of_flashcache_3_in_its_first_line) {
    const auto line = lines(rig_.cache.proc("flashcache_iosize_hist"));
    ASSERT_EQ(line.size(), 2u);
    std::string expected; // "512:%llu 1024:%llu ... 16384:%llu "
    for (unsigned bytes = 512; bytes <= 16384; bytes += 512)
        expected += std::to_string(bytes) + ":[0-9]+ ";
    EXPECT_THAT(line[0], MatchesRegex(expected));
}

TEST_P(Proc, counters_count_what_is_done) {
    const BlockFile file(rig_.cache.path());
    for (unsigned i = 0; i < 10; i++)
        file.put(i * 8192, 4096, 1);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 10; i++) {
            file.read(i * 8192, 4096);
            rig_.cache.settle();
        }
    const auto values = key_values(rig_.cache.proc("flashcache_stats"));
    EXPECT_EQ(number(values.at("writes")), 10u);
    EXPECT_GE(number(values.at("reads")), 20u);
    EXPECT_EQ(number(values.at("read_hits")), GetParam() == Mode::kAround ? 10u : 20u);
    rig_.cache.set("zero_stats", 1);
    const auto zero = key_values(rig_.cache.proc("flashcache_stats"));
    for (const auto &[key, value] : zero)
        EXPECT_EQ(value, "0") << key;
}

TEST_P(Proc, files_go_away_with_the_cache) {
    EXPECT_EQ(names_in("/proc/flashcache"), (Arguments{"flashcache_version", "ssd0+disk0"}));
    EXPECT_EQ(names_in("/proc/sys/dev/flashcache"), (Arguments{"ssd0+disk0"}));
    EXPECT_EQ(names_in("/proc/flashcache/ssd0+disk0"),
              (Arguments{"flashcache_errors", "flashcache_io_latency_hist",
                         "flashcache_iosize_hist", "flashcache_pidlists", "flashcache_stats",
                         "flashcache_write_clustering"}));
    rig_.cache.remove();
    EXPECT_EQ(names_in("/proc/flashcache"), (Arguments{"flashcache_version"}));
    EXPECT_EQ(names_in("/proc/sys/dev/flashcache"), (Arguments{}));
}

TEST_P(Proc, status_is_one_line_of_words) {
    const std::string status = must({"dmsetup", "status", "fc0"});
    EXPECT_EQ(lines(status).size(), 1u);
    const Arguments word = words(status);
    for (std::size_t i = 3; i < word.size(); i++)
        EXPECT_THAT(word[i], MatchesRegex("[a-z_]+=[a-z0-9_+]+"));
    EXPECT_GT(rig_.cache.status()["blocks"], 0u);
}

TEST_P(Proc, version_says_what_is_loaded) {
    EXPECT_THAT(read_file("/proc/flashcache/flashcache_version"),
                MatchesRegex("Flashcache Version : flashcache-[0-9.]+\n"));
}

TEST_P(Proc, unknown_messages_are_refused) {
    for (const char *message : {"nonsense", "sync now", "stop_sync 1", "clear_errors please",
                                "blacklist", "whitelist add 1 2 3"}) {
        Arguments call = {"dmsetup", "message", "fc0", "0"};
        for (const std::string &word : words(message))
            call.push_back(word);
        EXPECT_NE(run(call).status, 0) << message;
    }
}

} // namespace
} // namespace vm
