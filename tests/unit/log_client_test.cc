// SPDX-License-Identifier: GPL-2.0-only
//
// Between jobs and the log.
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;

bool is_log(const World &w, const Io &io) {
    return io.op == Op::write && io.dev == kCache && io.sector >= w.config.log_offset_sectors &&
           io.sector < w.config.data_offset_sectors;
}

bool all(const Io &) {
    return true;
}

unsigned log_writes(const World &w) {
    unsigned n = 0;
    for (const Io &io : w.trace)
        n += is_log(w, io);
    return n;
}

TEST(LogClient, records_share_a_write_while_another_is_in_flight) {
    World w;
    UserRequest *users[10];
    for (unsigned i = 0; i < 10; i++)
        users[i] = &w.write(i * 3, 'a');
    w.finish();
    for (const UserRequest *user : users)
        EXPECT_EQ(user->status, FC_OK);
    EXPECT_EQ(log_writes(w), 2u);
    EXPECT_EQ(w.stats[FC_STAT_metadata_batch], 8u);
    EXPECT_EQ(w.stats[FC_STAT_metadata_dirties], 10u);
}

TEST(LogClient, a_record_counts_only_with_all_records_before_it) {
    World w;
    w.write(0, 'a');
    UserRequest &second = w.write(9, 'b');
    std::size_t logs = 0;
    for (const Io &io : w.ios)
        logs += is_log(w, io);
    EXPECT_EQ(logs, 1u) << "the second one gathers until the first is complete";
    EXPECT_FALSE(second.ended());
    w.finish();
    EXPECT_EQ(second.status, FC_OK);
}

TEST(LogClient, a_worker_that_finds_nothing_to_do_writes_nothing) {
    World w;
    fc_core_run(w.core);
    w.finish();
    EXPECT_EQ(w.trace.size(), 0u);
}

TEST(LogClient, rule_2_a_confirmation_makes_blocks_free_to_overwrite) {
    World w;
    w.make_dirty(0, 'a', 3);
    EXPECT_EQ(w.state(2), "dirty unconfirmed");
    w.confirm();
    EXPECT_EQ(w.state(2), "dirty");
    EXPECT_TRUE(w.core->log.all_settled());
}

TEST(LogClient, a_flush_of_the_user_serves_those_that_wait_for_durability_too) {
    Shape shape;
    shape.cache_volatile = true;
    World w(shape);
    w.make_dirty(0, 'a');
    w.make_dirty(9, 'a');
    w.confirm();
    w.submit(FC_OP_DISCARD, 0, 8);
    w.run();
    w.complete(FC_DEV_ORIGIN, Op::discard, FC_OK);
    w.run();
    ASSERT_EQ(w.ios.size(), 1u);
    w.complete(0); // the INVALID record, volatile
    EXPECT_EQ(w.state(0), "dirty busy");
    w.flush(kCache);
    w.complete(kCache, Op::flush, FC_OK);
    EXPECT_EQ(w.state(0), "none");
    w.finish();
}

TEST(LogClient, a_flush_for_the_log_that_fails_ends_the_log_and_tells_all) {
    Shape shape;
    shape.cache_volatile = true;
    World w(shape);
    w.make_dirty(0, 'a');
    w.confirm();
    w.fails = [](const Io &io) { return io.op == Op::flush && io.dev == kCache; };
    UserRequest &user = w.submit(FC_OP_DISCARD, 0, 8);
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_TRUE(w.logged("cannot be flushed"));
}

// A log without room, and requests that wait for it.
std::vector<UserRequest *> fill_log(World &w) {
    std::vector<UserRequest *> users;
    for (fc_u64 block = 0; block < 3000; block++) {
        users.push_back(&w.write(block, 'a'));
        for (int i = w.find(kCache, Op::write); i >= 0; i = w.find(kCache, Op::write))
            w.complete(i); // but nothing that a worker does
    }
    EXPECT_GT(w.stats[FC_STAT_log_waits], 0u);
    return users;
}

TEST(LogClient, requests_that_wait_for_room_go_on_after_a_checkpoint) {
    World w(shape_for_full_logs());
    const std::vector<UserRequest *> users = fill_log(w);
    for (int i = 0; i < 100; i++)
        w.pass(10);
    for (const UserRequest *user : users)
        ASSERT_EQ(user->status, FC_OK);
    EXPECT_GT(w.stats[FC_STAT_checkpoints], 0u);
}

TEST(LogClient, a_log_that_fills_is_confirmed_and_forgotten_in_few_steps) {
    Shape shape = shape_for_full_logs();
    shape.cache_volatile = true;
    World w(shape);
    const uint64_t capacity = w.config.log_units;
    for (unsigned i = 0; i < capacity; i++)
        w.make_dirty(i, 'a'); // each in a unit of its own
    // Every quarter is confirmed, every second confirmation makes a checkpoint worth while.
    EXPECT_LE(w.stats[FC_STAT_flush_ssd], 3u * 4 + 3u * 2);
    EXPECT_GE(w.stats[FC_STAT_checkpoints], 1u);
    EXPECT_LE(w.stats[FC_STAT_checkpoints], 2u);
    EXPECT_EQ(w.stats[FC_STAT_log_waits], 0u);
}

// While a checkpoint writes its first home unit, others write, and what they write is settled.
TEST(LogClient, a_checkpoint_under_load_is_not_followed_by_another_at_once) {
    World w(shape_for_full_logs());
    const auto goes_on = [&w](fc_u64 block) {
        for (int i = 0; i < 3; i++)
            w.write(block + static_cast<fc_u64>(i), 'x');
        w.complete_all(all);
        w.write(block, 'y'); // asks for a confirmation
        for (int i = 0; i < 6; i++) {
            fc_core_run(w.core); // the worker that makes checkpoints is busy
            w.complete_all(all);
        }
    };
    bool during = false;
    w.fails = [&](const Io &io) {
        if (io.kind == Io::kSync && io.op == Op::write && io.dev == kCache && !during) {
            during = true;
            goes_on(4000);
        }
        return false;
    };
    for (unsigned i = 0; i < w.config.log_units && !during; i++)
        w.make_dirty(i, 'a');
    ASSERT_TRUE(during);
    w.finish();
    EXPECT_EQ(w.stats[FC_STAT_checkpoints], 1u);
    w.fails = nullptr;
    for (unsigned i = 1000; i < 1000 + w.config.log_units; i++)
        w.make_dirty(i, 'a');
    EXPECT_GT(w.stats[FC_STAT_checkpoints], 1u) << "but when it is due again";
}

// There are more batches than the core remembers, and the log is far from full.
TEST(LogClient, many_unconfirmed_batches_need_no_checkpoint) {
    Shape shape;
    shape.sets = 512;
    shape.ways = shape.extent = 64;
    shape.cache_volatile = true;
    shape.origin_sectors = 2 * 16384 * 8;
    World w(shape);
    ASSERT_GT(w.config.log_units, 4000u);
    const auto not_flush = [](const Io &io) { return io.op != Op::flush; };
    w.make_dirty(0, 'a');
    w.confirm(); // a checkpoint would give this back
    // Writers go on while the device flushes, until they wait.
    for (fc_u64 block = 1; !w.stats[FC_STAT_log_waits] && block < 16384; block++) {
        w.write(block, 'a');
        w.run();
        w.complete_all(not_flush);
        w.run();
    }
    EXPECT_EQ(w.stats[FC_STAT_log_waits], 1u);
    w.finish();
    EXPECT_LT(w.gauge(FC_GAUGE_LOG_USED), w.config.log_units * 3 / 8);
    EXPECT_EQ(w.stats[FC_STAT_checkpoints], 0u);
}

// Data that arrives late, block by block: each confirmation takes a unit and settles one.
TEST(LogClient, a_log_full_of_confirmations_makes_a_checkpoint) {
    World w(shape_for_full_logs());
    ASSERT_EQ(w.config.log_units, 256u);
    const auto of_log = [&w](const Io &io) { return is_log(w, io); };
    std::vector<UserRequest *> users;
    for (fc_u64 block = 0; block < 224; block++) {
        users.push_back(&w.write(block, 'a'));
        w.complete_all(of_log);
    }
    for (fc_u64 block = 0; block < 224; block++) {
        for (std::size_t i = 0; i < w.ios.size(); i++)
            if (w.ios[i].sector == w.data_sector(block)) {
                w.complete(static_cast<int>(i));
                break;
            }
        ASSERT_EQ(users[block]->status, FC_OK);
        users.push_back(&w.write(block, 'b')); // waits for the confirmation
        for (int i = 0; i < 20; i++) {
            w.run();
            w.complete_all(of_log);
        }
    }
    for (int i = w.find(kCache, Op::write); i >= 0; i = w.find(kCache, Op::write)) {
        w.complete(i);
        w.run();
    }
    for (const UserRequest *user : users)
        ASSERT_EQ(user->status, FC_OK);
}

TEST(LogClient, requests_that_wait_for_room_go_on_when_the_log_fails) {
    World w(shape_for_full_logs());
    const std::vector<UserRequest *> users = fill_log(w);
    w.fails = [](const Io &io) { return io.dev == kCache && !io.reads(); };
    for (int i = 0; i < 100; i++)
        w.pass(10);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    for (const UserRequest *user : users)
        ASSERT_TRUE(user->ended());
}

// A log without room, full of records whose data is on its way.
std::vector<UserRequest *> fill_log_without_data(World &w) {
    std::vector<UserRequest *> users;
    for (fc_u64 block = 0; !w.stats[FC_STAT_log_waits] && block < 300; block++) {
        users.push_back(&w.write(block, 'a'));
        w.complete_all([&w](const Io &io) { return is_log(w, io); });
    }
    EXPECT_GT(w.stats[FC_STAT_log_waits], 0u);
    return users;
}

// The write of the block's data.
int data_of(const World &w, fc_u64 block) {
    for (std::size_t i = 0; i < w.ios.size(); i++)
        if (w.ios[i].dev == kCache && w.ios[i].sector == w.data_sector(block))
            return static_cast<int>(i);
    return -1;
}

void fail_data_of(World &w, fc_u64 block) {
    w.complete(data_of(w, block), FC_EIO);
    w.run();
    w.complete_all([&w](const Io &io) { return is_log(w, io); });
    w.run();
}

void expect_all_end(World &w, const std::vector<UserRequest *> &users) {
    for (int i = 0; i < 100; i++)
        w.pass(10);
    for (const UserRequest *user : users)
        ASSERT_TRUE(user->ended());
}

// A checkpoint gives it a little room, but not to the others; and no other one can, without the revocation.
TEST(LogClient, a_revocation_does_not_wait_behind_others_for_room) {
    World w(shape_for_full_logs());
    std::vector<UserRequest *> users = fill_log_without_data(w);
    users.push_back(&w.write(400, 'a'));
    users.push_back(&w.write(500, 'a'));
    for (fc_u64 block = 10; w.gauge(FC_GAUGE_LOG_USED) + 1 < w.config.log_units; block++)
        fail_data_of(w, block); // until what is reserved for revocations is used up
    for (fc_u64 block = 0; block < 5; block++)
        w.complete(data_of(w, block));
    fail_data_of(w, 5);
    expect_all_end(w, users);
    for (const UserRequest *user : users)
        EXPECT_EQ(user->status, FC_OK);
    EXPECT_FALSE(w.core->log.failed());
}

// With a flush between the data and the unit that confirms it, nothing may be in flight for a moment.
TEST(LogClient, a_revocation_that_waits_for_a_confirmation_does_not_end_the_log) {
    Shape shape = shape_for_full_logs();
    shape.cache_volatile = true;
    World w(shape);
    w.flushes_at_once = true;
    std::vector<UserRequest *> users = fill_log_without_data(w);
    for (fc_u64 block = 10; w.gauge(FC_GAUGE_LOG_USED) + 1 < w.config.log_units; block++)
        fail_data_of(w, block);
    for (fc_u64 block = 0; block < 5; block++)
        w.complete(data_of(w, block));
    fail_data_of(w, 5);
    expect_all_end(w, users);
    EXPECT_FALSE(w.core->log.failed());
}

TEST(LogClient, a_log_without_room_for_the_records_of_failed_writes_gives_up) {
    World w(shape_for_full_logs());
    std::vector<UserRequest *> users = fill_log_without_data(w);
    users.push_back(&w.write(400, 'a'));
    users.push_back(&w.write(500, 'a'));
    for (fc_u64 block = 1; block < 60; block++) // one by one, so that each takes a unit
        fail_data_of(w, block);
    fail_data_of(w, 0);
    expect_all_end(w, users);
    EXPECT_TRUE(w.core->log.failed());
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
}

} // namespace
