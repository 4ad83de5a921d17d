// SPDX-License-Identifier: GPL-2.0-only
// Traces, and what caches make of them.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error.h"
#include "trace.h"
#include "trace_replay.h"

namespace tools {
namespace {

using testing::HasSubstr;

Trace trace_of(const std::string &text) {
    std::istringstream in(text);
    return read_trace(in);
}

std::string complaint(const std::string &text) {
    try {
        trace_of(text);
    } catch (const Error &error) {
        return error.what();
    }
    return "";
}

TEST(TraceFile, has_a_block_and_perhaps_a_count_in_each_line) {
    const Trace trace = trace_of("# a comment\n5\n\n  7 2 # and another\r\n5\n");
    ASSERT_EQ(trace.references.size(), 3u);
    EXPECT_EQ(trace.references[1].block, 7u);
    EXPECT_EQ(trace.references[1].nr_blocks, 2u);
    EXPECT_EQ(trace.distinct, 3u);
    EXPECT_EQ(trace.end, 9u);
}

TEST(TraceFile, that_is_wrong_is_refused_with_the_line) {
    for (const char *text :
         {"1\nx", "1\n2 3 4", "1\n-1", "1\n0x10", "1\n5,", "1\n99999999999999999999999"})
        EXPECT_THAT(complaint(text), HasSubstr("line 2 of the trace")) << text;
    EXPECT_THAT(complaint("1 0"), HasSubstr("line 1 of the trace"));
    EXPECT_THAT(complaint("1099511627776"), HasSubstr("below 2^40"));
    EXPECT_THAT(complaint("# nothing\n"), HasSubstr("empty"));
}

double hit_pct(const Trace &trace, int policy, double share, std::uint32_t extent = 64,
               bool second = false) {
    ReplayShape shape;
    shape.cache_blocks = static_cast<std::uint64_t>(static_cast<double>(trace.distinct) * share);
    shape.policy = policy;
    shape.extent_blocks = extent;
    shape.second_sight = second;
    Replay cache(shape, trace.end);
    for (const Reference &r : trace.references)
        cache.access(r.block);
    EXPECT_EQ(cache.counts().references, trace.references.size());
    EXPECT_LE(cache.counts().hits + cache.counts().fills, cache.counts().references);
    return cache.counts().hit_pct();
}

// With scans and blocks that come once: the default beats lru, and that beats fifo.
TEST(Replay, of_a_made_up_trace_puts_the_policies_in_their_order) {
    const Trace trace = made_up_trace(1000000, 1);
    for (const double share : {0.02, 0.1}) {
        const double fifo = hit_pct(trace, FC_POLICY_FIFO, share);
        const double lru = hit_pct(trace, FC_POLICY_LRU, share);
        const double clock = hit_pct(trace, FC_POLICY_CLOCK2Q, share);
        EXPECT_GT(lru, fifo + 1) << share;
        EXPECT_GT(clock, lru + 1) << share;
    }
}

// A tag of 32 bits is a row of extents, and a block in it.
TEST(Replay, of_blocks_that_its_tags_cannot_tell_apart_is_refused) {
    const std::uint64_t most = 0xffffffffull - 64 - 64; // in a cache of one set
    for (const unsigned sets : {1u, 3u}) {
        ReplayShape shape;
        shape.cache_blocks = sets * shape.ways_per_set;
        EXPECT_NO_THROW(Replay(shape, most * sets)) << sets;
        try {
            Replay(shape, (most + 128) * sets);
            FAIL() << sets << " sets take any number";
        } catch (const Error &error) {
            EXPECT_THAT(error.what(), HasSubstr("of the trace is too high for a cache of"));
            EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        }
    }
}

TEST(Replay, gives_the_same_twice) {
    const Trace trace = made_up_trace(100000, 7);
    EXPECT_EQ(hit_pct(trace, FC_POLICY_CLOCK2Q, 0.1), hit_pct(trace, FC_POLICY_CLOCK2Q, 0.1));
}

// A week of a virtual machine, if it is there: FLASHCACHE_TRACE, a text as read_trace() wants it.
TEST(Replay, of_a_real_trace_beats_what_flashcache_3_did) {
    const char *path = std::getenv("FLASHCACHE_TRACE");
    if (!path)
        GTEST_SKIP() << "FLASHCACHE_TRACE names no trace";
    std::ifstream in(path);
    const Trace trace = read_trace(in);
    const struct { double share, margin; } expected[] = {{0.1, 3}, {0.2, 8}, {0.4, 14}};
    for (const auto &[share, margin] : expected)
        EXPECT_GT(hit_pct(trace, FC_POLICY_CLOCK2Q, share),
                  hit_pct(trace, FC_POLICY_FIFO, share, 512) + margin)
            << share;
}

} // namespace
} // namespace tools
