// SPDX-License-Identifier: GPL-2.0-only
//
// Counters and histograms are exact: what programs have sent is what they say.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::MatchesRegex;

constexpr std::size_t kBlock = 4096;

using Counts = std::map<std::string, std::uint64_t>;

// "512:3 1024:0 ..."
Counts counts_of(const std::string &text) {
    Counts counts;
    for (const std::string &word : words(text)) {
        const auto colon = word.find(':');
        counts[word.substr(0, colon)] = number(word.substr(colon + 1));
    }
    return counts;
}

std::uint64_t sum(const Counts &counts) {
    std::uint64_t all = 0;
    for (const auto &[key, count] : counts)
        all += count;
    return all;
}

class Histograms : public testing::Test {
protected:
    void create(Mode mode) {
        rig_.create(mode);
        rig_.cache.keep_dirty();
    }
    std::uint64_t stat(const std::string &key) const {
        return number(key_values(rig_.cache.proc("flashcache_stats")).at(key));
    }
    Counts sizes() const { return counts_of(rig_.cache.proc("flashcache_iosize_hist")); }
    Counts copies() const { return counts_of(rig_.cache.proc("flashcache_write_clustering")); }
    // "< 250\tusecs : 3": 250 -> 3; "> 10\tmsecs : 3": 0 -> 3.
    Counts latencies() const {
        Counts counts;
        const auto line = lines(rig_.cache.proc("flashcache_io_latency_hist"));
        EXPECT_EQ(line.size(), 42u);
        EXPECT_EQ(line.at(0), "IO Latency Histogram: ");
        for (std::size_t i = 1; i < line.size(); i++) {
            EXPECT_THAT(line[i], MatchesRegex(i < 41 ? "< [0-9]+\tusecs : [0-9]+"
                                                     : "> 10\tmsecs : [0-9]+"));
            const auto word = words(line[i]);
            if (i < 41) {
                EXPECT_EQ(number(word.at(1)), i * 250);
            }
            counts[i < 41 ? word.at(1) : "more"] = number(word.at(4));
        }
        return counts;
    }

    Rig rig_;
};

TEST_F(Histograms, of_sizes_has_the_buckets_of_flashcache_3_and_one_for_larger_ones) {
    create(Mode::kBack);
    const Counts before = sizes();
    const auto line = lines(rig_.cache.proc("flashcache_iosize_hist"));
    ASSERT_EQ(line.size(), 2u);
    EXPECT_THAT(line[0], MatchesRegex("512:[0-9]+ 1024:[0-9]+ .* 16384:[0-9]+ "));
    EXPECT_EQ(words(line[0]).size(), 32u);
    EXPECT_THAT(line[1], MatchesRegex(">16384:[0-9]+ "));

    const BlockFile file(rig_.cache.path());
    for (const auto &[bytes, times] : Counts{{"512", 3}, {"4096", 5}, {"16384", 2}, {"65536", 4}})
        for (unsigned i = 0; i < times; i++) {
            file.put(i * 256 * kKiB, number(bytes), 1);
            rig_.cache.settle();
            file.read(i * 256 * kKiB, number(bytes));
        }
    Counts now = sizes();
    for (const auto &[key, count] : before)
        now[key] -= count;
    // Parts of blocks may have been made whole by writes that took another way: what is counted
    // is bytes, and each request at least once.
    EXPECT_GE(now["512"], 6u);
    EXPECT_GE(now["4096"], 10u);
    EXPECT_GE(sum(now), 2 * (3 + 5 + 2 + 4u));

    const Counts kept = sizes();
    rig_.cache.set("zero_stats", 1);
    EXPECT_EQ(sizes(), kept);
}

TEST_F(Histograms, of_sizes_counts_each_byte_once_where_requests_are_divided) {
    create(Mode::kThru);
    const BlockFile file(rig_.cache.path());
    for (unsigned i = 0; i < 4; i += 2)
        file.put(i * kBlock, kBlock, 1);
    rig_.cache.settle();
    const Counts before = sizes();
    file.read(0, 4 * kBlock); // cached, not, cached, not
    Counts now = sizes();
    std::uint64_t bytes = 0;
    for (const auto &[key, count] : before) {
        ASSERT_TRUE(key != ">16384" || now[key] == count);
        if (key != ">16384")
            bytes += number(key) * (now[key] - count);
    }
    EXPECT_EQ(bytes, 4 * kBlock);
}

TEST_F(Histograms, of_times_counts_each_request_while_it_is_on) {
    create(Mode::kBack);
    const BlockFile file(rig_.cache.path());
    file.put(0, 64 * kBlock, 1);
    EXPECT_EQ(sum(latencies()), 0u);

    rig_.cache.set("io_latency_hist", 1);
    for (unsigned i = 0; i < 20; i++)
        file.read(i * kBlock, kBlock);
    for (unsigned i = 0; i < 10; i++)
        file.put(i * kBlock, kBlock, 2);
    file.flush(); // is none
    EXPECT_EQ(sum(latencies()), 30u);

    rig_.cache.set("io_latency_hist", 1);
    EXPECT_EQ(sum(latencies()), 0u) << "each write of it clears";
    file.read(0, kBlock);
    EXPECT_EQ(sum(latencies()), 1u);
    rig_.cache.set("zero_stats", 1);
    EXPECT_EQ(sum(latencies()), 0u);
    file.read(0, kBlock);
    rig_.cache.set("io_latency_hist", 0);
    EXPECT_EQ(sum(latencies()), 1u) << "it stays to be read";
    file.read(0, kBlock);
    EXPECT_EQ(sum(latencies()), 1u);
}

TEST(SlowDisk, is_seen_in_the_histogram_of_times) {
    Rig rig(kSmallSsd, {.mib = 128, .delay_us = 30000});
    rig.create(Mode::kBack);
    rig.cache.set("io_latency_hist", 1);
    BlockFile(rig.cache.path()).read(0, kBlock);
    const auto last = lines(rig.cache.proc("flashcache_io_latency_hist")).back();
    EXPECT_EQ(last, "> 10\tmsecs : 1");
}

TEST_F(Histograms, of_copies_counts_each_block_that_is_written_back) {
    create(Mode::kBack);
    const BlockFile file(rig_.cache.path());
    file.put(0, 256 * kKiB, 1);
    for (unsigned i = 0; i < 10; i++)
        file.put(kMiB + i * 8 * kBlock, kBlock, 1);
    EXPECT_EQ(sum(copies()), 0u);
    rig_.cache.sync();
    const Counts found = copies();
    EXPECT_EQ(found.size(), 64u);
    std::uint64_t blocks = 0;
    for (const auto &[n, count] : found)
        blocks += number(n) * count;
    EXPECT_EQ(blocks, 64u + 10u);
    EXPECT_EQ(stat("cleanings"), blocks);
    EXPECT_GE(found.at("1"), 10u);
    rig_.cache.set("zero_stats", 1);
    EXPECT_EQ(sum(copies()), 0u);
}

// ---- counters

class Counters : public testing::TestWithParam<Mode> {
protected:
    Rig rig_;
};
INSTANTIATE_TEST_SUITE_P(, Counters, testing::ValuesIn(kModes), testing::PrintToStringParamName());

struct Issued {
    std::uint64_t read_blocks = 0;
    std::uint64_t written_blocks = 0;
};

// What 16 processes have read and written, by their own count.
Issued run_16_jobs(const std::string &path) {
    Arguments call = {"fio",         "--output-format=json", "--filename=" + path,
                      "--direct=1",  "--ioengine=libaio",    "--iodepth=8",
                      "--size=64m",  "--randrepeat=1",       "--allrandrepeat=1",
                      "--io_size=" + std::to_string(effort(2)) + "m"};
    for (unsigned i = 0; i < 16; i++) {
        const std::string bs = i % 4 == 3 ? "64" : "4";
        call.insert(call.end(), {"--name=" + bs, "--bs=" + bs + "k",
                                 i % 2 ? "--rw=randread" : "--rw=randwrite"});
    }
    // Writes of 64 KiB, too: the two kinds alternate above.
    call.insert(call.end(), {"--name=64", "--bs=64k", "--rw=randwrite"});
    const Result result = run(call, Seconds(300));
    if (result.status != 0)
        throw Failure(result.output);
    Issued issued;
    const auto report = nlohmann::json::parse(result.output.substr(result.output.find('{')));
    for (const auto &job : report.at("jobs")) {
        const std::uint64_t blocks = number(job.at("jobname").get<std::string>()) * kKiB / kBlock;
        issued.read_blocks += blocks * job.at("read").at("total_ios").get<std::uint64_t>();
        issued.written_blocks += blocks * job.at("write").at("total_ios").get<std::uint64_t>();
    }
    return issued;
}

TEST_P(Counters, are_what_16_programs_have_read_and_written) {
    rig_.create(GetParam());
    rig_.cache.set("zero_stats", 1);
    const Issued issued = run_16_jobs(rig_.cache.path());
    rig_.cache.settle();
    EXPECT_GT(issued.read_blocks, 0u);
    EXPECT_GT(issued.written_blocks, 0u);
    auto values = rig_.cache.status();
    EXPECT_EQ(values["reads"], issued.read_blocks);
    EXPECT_EQ(values["writes"], issued.written_blocks);
    EXPECT_EQ(values["reads"],
              values["read_hits"] + values["read_misses"] + values["uncached_reads"]);
    EXPECT_EQ(values["writes"],
              values["write_hits"] + values["write_misses"] + values["uncached_writes"]);
    const auto shown = key_values(rig_.cache.proc("flashcache_stats"));
    EXPECT_EQ(number(shown.at("reads")), issued.read_blocks);
    EXPECT_EQ(number(shown.at("writes")), issued.written_blocks);
}

} // namespace
} // namespace vm
