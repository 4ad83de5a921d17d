// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

TEST(Read, a_miss_is_answered_when_the_origin_answers) {
    World w;
    UserRequest &user = w.read(0);
    w.complete(kOrigin, Op::read, FC_OK);
    EXPECT_EQ(user.status, FC_OK) << "before the cache is filled";
    EXPECT_EQ(user.data, std::string(4096, 'o'));
    EXPECT_EQ(w.count(kCache, Op::write), 0u);
    w.finish();
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.stats[FC_STAT_fills], 1u);
}

TEST(Read, the_fill_does_not_use_the_pages_of_the_user) {
    World w;
    UserRequest &user = w.read(0);
    w.complete(kOrigin, Op::read, FC_OK);
    user.data.assign(4096, '!');
    w.finish();
    EXPECT_EQ(w.cached_letter(0), 'o');
}

TEST(Read, part_of_a_miss_fills_the_whole_block) {
    World w;
    UserRequest &user = w.submit(FC_OP_READ, 3, 2);
    w.finish();
    EXPECT_EQ(user.data, std::string(1024, 'o'));
    EXPECT_EQ(w.trace[0].sector, 0u);
    EXPECT_EQ(w.trace[0].count, 8u);
    EXPECT_EQ(w.state(0), "clean");
}

TEST(Read, part_of_a_cached_block_is_read_from_the_cache) {
    World w;
    w.make_dirty(0, 'a');
    UserRequest &user = w.submit(FC_OP_READ, 3, 2);
    EXPECT_EQ(user.action, FC_ACT_REMAP_CACHE);
    EXPECT_EQ(user.req.target_sector, w.data_sector(0) + 3);
    w.finish();
    EXPECT_EQ(user.data, std::string(1024, 'a'));
}

TEST(Read, parts_at_both_ends_of_a_run_get_their_own_sectors) {
    World w;
    for (fc_u64 s = 0; s < 32; s++)
        w.device[kOrigin].at(s)[0] = static_cast<char>('A' + s);
    for (int round = 0; round < 2; round++) {
        UserRequest &user = w.submit(FC_OP_READ, 5, 20);
        w.finish();
        for (unsigned s = 0; s < 20; s++)
            EXPECT_EQ(user.data[s * 512], static_cast<char>('A' + 5 + s)) << (round ? "hit" : "miss");
    }
    EXPECT_EQ(w.stats[FC_STAT_read_hits], 4u);
}

TEST(Read, an_error_of_the_origin_is_the_users) {
    World w;
    UserRequest &user = w.read(0);
    w.complete(kOrigin, Op::read, FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.stats[FC_STAT_disk_read_errors], 1u);
}

TEST(Read, a_bad_sector_that_nobody_asked_for_does_no_harm) {
    World w;
    w.fails = [](const Io &io) { return io.reads() && io.dev == kOrigin && io.sector == 0; };
    UserRequest &user = w.submit(FC_OP_READ, 3, 2);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.data, std::string(1024, 'o'));
    EXPECT_EQ(w.state(0), "none");
}

TEST(Read, a_failed_fill_drops_the_block_and_nobody_notices) {
    World w;
    UserRequest &user = w.read(0, 4);
    w.complete(kOrigin, Op::read, FC_OK);
    w.run();
    w.complete(kCache, Op::write, FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
    EXPECT_EQ(w.stats[FC_STAT_ssd_write_errors], 1u);
    EXPECT_EQ(w.stats[FC_STAT_fill_drops], 4u);
}

TEST(Read, a_write_that_overtakes_a_fill_makes_it_stale) {
    World w;
    UserRequest &reader = w.read(0, 2);
    UserRequest &writer = w.write(1, 'n');
    EXPECT_GE(w.count(kCache, Op::write), 1u) << "the write does not wait for the disk";
    w.complete(kCache, Op::write, FC_OK);
    w.complete(kCache, Op::write, FC_OK);
    EXPECT_EQ(writer.status, FC_OK);
    w.finish();
    EXPECT_EQ(reader.status, FC_OK);
    EXPECT_EQ(w.read_letter(1), 'n');
    EXPECT_EQ(w.state(0), "clean") << "the other block of the fill is good";
    EXPECT_EQ(w.stats[FC_STAT_fill_drops], 1u);
}

TEST(Read, a_bypassing_write_that_overtakes_a_fill_makes_it_stale_too) {
    World w;
    fc_core_set_mode(w.core, FC_MODE_WRITE_AROUND);
    w.read(0);
    const Io read = w.ios.at(0);
    UserRequest &writer = w.write(0, 'n');
    w.complete(kOrigin, Op::read, FC_OK); // the old bytes
    w.complete(kOrigin, Op::write, FC_OK);
    EXPECT_EQ(writer.status, FC_OK);
    w.finish();
    EXPECT_EQ(w.read_letter(0), 'n');
}

TEST(Read, a_write_waits_for_a_fill_that_is_being_written) {
    World w;
    w.read(0);
    w.complete(kOrigin, Op::read, FC_OK);
    w.run();
    ASSERT_EQ(w.count(kCache, Op::write), 1u);
    UserRequest &writer = w.write(0, 'n');
    EXPECT_EQ(w.count(kCache, Op::write), 1u);
    w.finish();
    EXPECT_EQ(writer.status, FC_OK);
    EXPECT_EQ(w.cached_letter(0), 'n');
}

TEST(Read, two_misses_of_a_block_read_the_origin_once) {
    World w;
    w.read(0);
    UserRequest &second = w.read(0);
    w.finish();
    EXPECT_EQ(second.status, FC_OK);
    EXPECT_EQ(w.traced(kOrigin, Op::read), 1u);
}

TEST(Read, a_failed_read_of_a_clean_block_is_answered_by_the_origin) {
    World w;
    w.make_clean(0, 2);
    w.fails = [](const Io &io) { return io.reads() && io.dev == kCache; };
    UserRequest &user = w.read(0, 2);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.data, std::string(8192, 'o'));
    EXPECT_EQ(w.stats[FC_STAT_uncached_io_requeue], 1u);
    EXPECT_EQ(w.stats[FC_STAT_read_invalidates], 2u);
    EXPECT_EQ(w.stats[FC_STAT_ssd_read_errors], 1u);
}

TEST(Read, a_failed_read_of_a_dirty_block_is_an_error_and_the_block_stays) {
    World w;
    w.make_dirty(0, 'a');
    UserRequest &user = w.read(0);
    w.complete(kCache, Op::read, FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_EQ(w.state(0).substr(0, 5), "dirty");
    EXPECT_EQ(w.read_letter(0), 'a') << "it may work the next time";
}

TEST(Read, of_a_failed_run_only_the_bad_dirty_block_is_an_error) {
    World w;
    w.make_dirty(0, 'a', 2);
    const fc_u64 bad = w.data_sector(1);
    w.fails = [bad](const Io &io) {
        return io.reads() && io.dev == kCache && io.sector <= bad && io.sector + io.count > bad;
    };
    UserRequest &both = w.read(0, 2);
    w.finish();
    EXPECT_EQ(both.status, FC_EIO);
    EXPECT_EQ(w.read_letter(0), 'a');
    EXPECT_EQ(w.read_letter(1), '\0');
}

TEST(Read, a_failed_run_of_clean_and_dirty_blocks_is_taken_apart) {
    World w;
    w.make_clean(0, 4);
    w.make_dirty(1, 'a');
    int failures = 1;
    w.fails = [&failures](const Io &io) { return io.reads() && io.dev == kCache && failures-- > 0; };
    UserRequest &user = w.read(0, 4);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.data, std::string(4096, 'o') + std::string(4096, 'a') + std::string(8192, 'o'));
}

// What is read again is counted once, what follows it in the same request is counted, too.
TEST(Read, a_failed_hit_counts_once_and_does_not_hide_what_follows) {
    World w;
    w.make_clean(0, 2);
    w.write(0, 'a');
    w.no_pendings = 1;
    UserRequest &user = w.read(0, 6); // not cut short: there was no memory for a place in line
    const fc_u64 hits = w.stats[FC_STAT_read_hits];
    const fc_u64 misses = w.stats[FC_STAT_read_misses];
    const fc_u64 reads = w.stats[FC_STAT_reads];
    int failures = 1;
    w.fails = [&failures](const Io &io) { return io.reads() && io.dev == kCache && failures-- > 0; };
    w.finish();
    ASSERT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.accepted, 0u);
    EXPECT_EQ(user.data, std::string(4096, 'a') + std::string(5 * 4096, 'o'));
    EXPECT_EQ(w.stats[FC_STAT_uncached_io_requeue], 1u);
    EXPECT_EQ(w.stats[FC_STAT_reads] - reads, 6u);
    EXPECT_EQ(w.stats[FC_STAT_read_hits] - hits, 2u);
    EXPECT_EQ(w.stats[FC_STAT_read_misses] - misses, 4u);
}

TEST(Read, a_pinned_block_is_not_evicted_under_its_reader) {
    World w;
    w.make_clean(0, 8);
    fc_u64 other = 8;
    while (w.core->geo.place(other).set != w.core->geo.place(0).set)
        other += 8;
    UserRequest &reader = w.read(0);
    const fc_u64 sector = reader.req.target_sector;
    w.write(other, 'x', 8);
    for (const Io &io : w.trace)
        EXPECT_FALSE(io.op == Op::write && io.sector <= sector && io.sector + io.count > sector);
    w.finish();
    EXPECT_EQ(reader.data, std::string(4096, 'o'));
}

TEST(Read, no_memory_for_a_job_reads_the_origin_uncached) {
    World w;
    w.no_jobs = 1;
    UserRequest &user = w.read(0);
    EXPECT_EQ(user.action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(user.data, std::string(4096, 'o'));
    EXPECT_EQ(w.state(0), "none");
}

TEST(Read, no_memory_for_a_buffer_reads_the_origin_uncached) {
    World w;
    w.no_buffers = 1;
    UserRequest &user = w.submit(FC_OP_READ, 3, 7);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(user.data, std::string(7 * 512, 'o'));
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.stats[FC_STAT_fill_drops], 2u);
}

} // namespace
