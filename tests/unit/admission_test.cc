// SPDX-License-Identifier: GPL-2.0-only
// What is brought into the cache: lists, long streams, second sight.
#include <memory>

#include <gtest/gtest.h>

#include "world.h"

namespace {

void tune(World &w, int tunable, unsigned value) {
    ASSERT_EQ(fc_core_tune(w.core, tunable, value), 0);
}

// A read or write of whole blocks with flags, to its end.
void go(World &w, int op, fc_u64 block, unsigned n = 1, unsigned flags = 0) {
    const UserRequest &user = w.submit(op, block * w.bs(), n * w.bs(), 'x', flags);
    w.finish();
    ASSERT_EQ(user.status, FC_OK);
}

// ---- streams

TEST(Streams, grow_with_each_request_that_goes_on_where_the_last_one_ended) {
    const auto streams = std::make_unique<fc::Streams>();
    EXPECT_EQ(streams->note(1000, 8), 8u);
    EXPECT_EQ(streams->note(1008, 8), 16u);
    EXPECT_EQ(streams->note(1016, 100), 116u);
    EXPECT_EQ(streams->note(1200, 8), 8u) << "a gap";
}

TEST(Streams, do_not_count_the_rest_of_a_request_twice) {
    const auto streams = std::make_unique<fc::Streams>();
    EXPECT_EQ(streams->note(1000, 64), 64u);
    streams->shorten(1064, 48);
    EXPECT_EQ(streams->note(1016, 48), 64u) << "the rest";
    EXPECT_EQ(streams->note(1064, 8), 72u);
}

TEST(Streams, have_no_part_in_who_reads_their_end_again) {
    const auto streams = std::make_unique<fc::Streams>();
    EXPECT_EQ(streams->note(1000, 64), 64u);
    EXPECT_EQ(streams->note(1056, 8), 8u);
}

// How many of 6400 requests of 64 streams are known as what they are.
unsigned found_of_many(fc::Streams &streams) {
    unsigned found = 0;
    for (unsigned i = 0; i < 100; i++)
        for (unsigned s = 0; s < 64; s++)
            found += streams.note(s * 1000000ull + i * 8, 8) == 8 * (i + 1);
    return found;
}

TEST(Streams, are_many_at_a_time) {
    const auto streams = std::make_unique<fc::Streams>();
    EXPECT_GE(found_of_many(*streams), 6400u * 8 / 10) << "but for those that meet in an entry of the table";
}

TEST(Streams, that_have_ended_make_room_in_time) {
    const auto streams = std::make_unique<fc::Streams>();
    for (fc_u64 i = 0; i < 8192; i++)
        streams->note(i << 25, 1 << 20);
    EXPECT_LT(found_of_many(*streams), 6400u / 10) << "all places are taken";
    fc_u64 random = 1;
    for (unsigned i = 0; i < 400000; i++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        streams->note(random >> 26, 8);
    }
    EXPECT_GE(found_of_many(*streams), 6400u * 7 / 10);
}

TEST(Streams, survive_requests_at_random) {
    const auto streams = std::make_unique<fc::Streams>();
    fc_u64 random = 1;
    unsigned length = 0;
    for (unsigned i = 0; i < 1000; i++) {
        length = streams->note(i * 256, 256);
        for (unsigned k = 0; k < 32; k++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            streams->note(random >> 30, 8);
        }
    }
    EXPECT_GE(length, 100u * 256);
}

TEST(Streams, have_a_longest_length_and_no_more) {
    const auto streams = std::make_unique<fc::Streams>();
    unsigned length = 0;
    for (fc_u64 i = 0; i < 20; i++)
        length = streams->note(i << 20, 1 << 20);
    EXPECT_EQ(length, (1u << 24) - 1);
}

// ---- long streams go past the cache

TEST(Sequential, reads_are_cached_up_to_the_threshold_and_not_beyond) {
    World w;
    tune(w, FC_TUNE_SKIP_SEQ_READ_KB, 16);
    for (fc_u64 block = 0; block < 8; block++)
        go(w, FC_OP_READ, block);
    for (fc_u64 block = 0; block < 8; block++)
        EXPECT_EQ(w.state(block), block < 4 ? "clean" : "none") << block;
    EXPECT_EQ(w.stats[FC_STAT_uncached_sequential_reads], 4u);
    EXPECT_EQ(w.stats[FC_STAT_uncached_reads], 4u);
    EXPECT_EQ(w.stats[FC_STAT_read_misses], 4u);
    go(w, FC_OP_READ, 0);
    EXPECT_EQ(w.stats[FC_STAT_read_hits], 1u) << "hits are hits";
}

TEST(Sequential, writes_have_a_threshold_of_their_own) {
    World w;
    tune(w, FC_TUNE_SKIP_SEQ_READ_KB, 8);
    for (fc_u64 block = 0; block < 6; block++)
        go(w, FC_OP_WRITE, block);
    EXPECT_EQ(w.stats[FC_STAT_uncached_writes], 0u);
    tune(w, FC_TUNE_SKIP_SEQ_WRITE_KB, 8);
    for (fc_u64 block = 8; block < 14; block++)
        go(w, FC_OP_WRITE, block);
    EXPECT_EQ(w.stats[FC_STAT_uncached_sequential_writes], 4u);
    EXPECT_EQ(w.state(9), "dirty unconfirmed");
    EXPECT_EQ(w.state(10), "none");
    EXPECT_EQ(w.origin_letter(10), 'x');
}

TEST(Sequential, a_long_stream_of_writes_takes_clean_blocks_out_and_leaves_dirty_ones_in) {
    World w;
    w.make_clean(6);
    w.make_dirty(7, 'd');
    w.confirm();
    tune(w, FC_TUNE_SKIP_SEQ_WRITE_KB, 8);
    for (fc_u64 block = 4; block < 8; block++)
        go(w, FC_OP_WRITE, block);
    EXPECT_EQ(w.state(6), "none");
    EXPECT_EQ(w.origin_letter(6), 'x');
    EXPECT_EQ(w.state(7), "dirty") << "in place: the origin must not be newer than the cache";
    EXPECT_EQ(w.cached_letter(7), 'x');
}

// Cut short where a block is cached: what comes back is the rest of the same request.
TEST(Sequential, the_rest_of_a_request_is_not_counted_twice) {
    World w;
    w.make_clean(3);
    tune(w, FC_TUNE_SKIP_SEQ_READ_KB, 32);
    for (fc_u64 block = 0; block < 8;) {
        const UserRequest &user = w.read(block, static_cast<unsigned>(8 - block));
        w.finish();
        ASSERT_EQ(user.status, FC_OK);
        block += user.accepted ? user.accepted / w.bs() : 8 - block;
    }
    for (fc_u64 block = 0; block < 8; block++)
        EXPECT_EQ(w.state(block), "clean") << block;
    go(w, FC_OP_READ, 8);
    EXPECT_EQ(w.state(8), "none");
}

TEST(Sequential, the_rest_of_a_request_belongs_to_its_stream) {
    World w;
    w.make_clean(6);
    tune(w, FC_TUNE_SKIP_SEQ_READ_KB, 40);
    for (fc_u64 block = 0; block < 4; block++)
        go(w, FC_OP_READ, block);
    const UserRequest &user = w.read(4, 8);
    w.finish();
    ASSERT_EQ(user.status, FC_OK);
    ASSERT_EQ(user.accepted, 2 * w.bs()) << "up to the one that is cached";
    go(w, FC_OP_READ, 6);
    go(w, FC_OP_READ, 7, 5);
    EXPECT_EQ(w.state(3), "clean");
    EXPECT_EQ(w.state(7), "none") << "48 KiB with what came before";
}

TEST(Sequential, who_is_wanted_is_cached_all_the_same) {
    World w;
    tune(w, FC_TUNE_SKIP_SEQ_READ_KB, 4);
    for (fc_u64 block = 0; block < 4; block++)
        go(w, FC_OP_READ, block, 1, FC_REQ_WANT);
    EXPECT_EQ(w.state(3), "clean");
}

TEST(Sequential, counts_only_what_would_have_been_cached_otherwise) {
    World w;
    tune(w, FC_TUNE_SKIP_SEQ_READ_KB, 4);
    for (fc_u64 block = 0; block < 4; block++)
        go(w, FC_OP_READ, block, 1, FC_REQ_AVOID);
    tune(w, FC_TUNE_CACHE_ALL, 0);
    go(w, FC_OP_READ, 4);
    EXPECT_EQ(w.stats[FC_STAT_uncached_reads], 5u);
    EXPECT_EQ(w.stats[FC_STAT_uncached_sequential_reads], 0u);
    tune(w, FC_TUNE_CACHE_ALL, 1);
    go(w, FC_OP_READ, 5);
    EXPECT_EQ(w.stats[FC_STAT_uncached_sequential_reads], 1u);
}

// ---- lists

TEST(Admission, who_is_to_be_avoided_brings_nothing_in) {
    World w;
    go(w, FC_OP_READ, 0, 1, FC_REQ_AVOID);
    go(w, FC_OP_WRITE, 1, 1, FC_REQ_AVOID);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.state(1), "none");
    EXPECT_EQ(w.stats[FC_STAT_uncached_reads], 1u);
    EXPECT_EQ(w.stats[FC_STAT_uncached_writes], 1u);
    w.make_clean(2);
    go(w, FC_OP_READ, 2, 1, FC_REQ_AVOID);
    EXPECT_EQ(w.stats[FC_STAT_read_hits], 1u);
}

TEST(Admission, without_cache_all_only_who_is_wanted_brings_blocks_in) {
    World w;
    tune(w, FC_TUNE_CACHE_ALL, 0);
    go(w, FC_OP_READ, 0);
    go(w, FC_OP_READ, 1, 1, FC_REQ_WANT);
    go(w, FC_OP_WRITE, 2, 1, FC_REQ_WANT);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.state(1), "clean");
    EXPECT_EQ(w.state(2), "dirty unconfirmed");
}

// ---- second sight

TEST(Admission, on_second_sight_reads_are_cached_at_the_second_miss) {
    World w;
    tune(w, FC_TUNE_ADMISSION, 1);
    go(w, FC_OP_READ, 0, 4);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.stats[FC_STAT_admission_refusals], 4u);
    EXPECT_EQ(w.stats[FC_STAT_uncached_reads], 4u);
    go(w, FC_OP_READ, 0, 4);
    for (fc_u64 block = 0; block < 4; block++)
        EXPECT_EQ(w.state(block), "clean") << block;
    EXPECT_EQ(w.stats[FC_STAT_read_misses], 4u);
}

TEST(Admission, only_what_was_asked_for_is_remembered) {
    World w;
    tune(w, FC_TUNE_ADMISSION, 1);
    go(w, FC_OP_READ, 0, 3);
    go(w, FC_OP_READ, 3);
    EXPECT_EQ(w.state(3), "none") << "seen for the first time";
    go(w, FC_OP_READ, 2, 4); // 2 and 3 are known, 4 and 5 are not
    EXPECT_EQ(w.state(2), "clean");
    EXPECT_EQ(w.state(3), "clean");
    EXPECT_EQ(w.state(4), "none");
    EXPECT_EQ(w.state(5), "none");
}

TEST(Admission, of_writes_is_asked_for_apart) {
    World w;
    tune(w, FC_TUNE_ADMISSION, 1);
    go(w, FC_OP_WRITE, 0, 2);
    EXPECT_EQ(w.state(0), "dirty unconfirmed");
    tune(w, FC_TUNE_ADMISSION, 2);
    go(w, FC_OP_WRITE, 4, 2);
    EXPECT_EQ(w.state(4), "none");
    EXPECT_EQ(w.origin_letter(5), 'x');
    go(w, FC_OP_WRITE, 4, 2);
    EXPECT_EQ(w.state(5), "dirty unconfirmed");
}

TEST(Admission, a_part_of_a_block_that_is_written_is_no_sight_of_it) {
    World w;
    tune(w, FC_TUNE_ADMISSION, 2);
    const UserRequest &user = w.submit(FC_OP_WRITE, 0, 2 * w.bs() - 1, 'x');
    w.finish();
    ASSERT_EQ(user.status, FC_OK);
    go(w, FC_OP_WRITE, 0, 2);
    EXPECT_EQ(w.state(0), "dirty unconfirmed");
    EXPECT_EQ(w.state(1), "none");
}

TEST(Admission, has_no_say_where_writes_are_not_cached_anyway) {
    Shape shape;
    shape.mode = FC_MODE_WRITE_AROUND;
    World w(shape);
    tune(w, FC_TUNE_ADMISSION, 2);
    tune(w, FC_TUNE_SKIP_SEQ_WRITE_KB, 4);
    go(w, FC_OP_WRITE, 0, 2);
    go(w, FC_OP_WRITE, 2, 2);
    EXPECT_EQ(w.stats[FC_STAT_admission_refusals], 0u);
    EXPECT_EQ(w.stats[FC_STAT_uncached_sequential_writes], 0u);
    EXPECT_EQ(w.stats[FC_STAT_uncached_writes], 4u);
}

} // namespace
