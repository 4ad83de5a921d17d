// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;

Shape volatile_cache() {
    Shape shape;
    shape.cache_volatile = true;
    return shape;
}

bool is_home(const World &w, const Io &io) {
    return io.op == Op::write && io.sector >= w.config.home_offset_sectors && io.sector < w.config.log_offset_sectors;
}

void checkpoint(World &w) {
    fc_core_checkpoint(w.core);
    w.finish();
}

TEST(Checkpoint, rule_7_writes_the_touched_units_then_flushes_then_moves_the_tail) {
    World w(volatile_cache());
    w.make_dirty(0, 'a');
    w.confirm();
    const fc_u64 tail = w.core->log.tail();
    checkpoint(w);
    ASSERT_GE(w.trace.size(), 2u);
    EXPECT_TRUE(is_home(w, w.trace[0]));
    EXPECT_LE(w.trace.back().sector, 8u);
    EXPECT_EQ(w.trace[w.trace.size() - 2].op, Op::flush) << "home units are durable before the superblock";
    EXPECT_EQ(w.trace.back().flags, FC_IO_FUA);
    EXPECT_GT(w.core->log.tail(), tail);
}

TEST(Checkpoint, rule_7_what_it_forgets_stands_in_the_home_table) {
    World w(volatile_cache());
    w.make_dirty(0, 'a', 4);
    w.flush(kCache);
    w.finish();
    w.confirm();
    checkpoint(w);
    EXPECT_LE(w.gauge(FC_GAUGE_LOG_USED), 1u);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 4u);
    EXPECT_EQ(w.read_letter(3), 'a');
}

TEST(Checkpoint, rule_7_the_tail_never_passes_an_unconfirmed_record) {
    World w;
    w.make_dirty(0, 'a');
    const fc_u64 tail = w.core->log.tail();
    checkpoint(w);
    EXPECT_EQ(w.core->log.tail(), tail);
    EXPECT_EQ(w.trace.size(), 0u) << "nothing to gain";
}

TEST(Checkpoint, rule_7_an_unconfirmed_record_behind_settled_ones_stays_in_the_log) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(1, 'b');
    checkpoint(w);
    EXPECT_EQ(w.core->log.tail(), w.core->log.settled_sequence() + 1);
    EXPECT_LT(w.core->log.tail(), w.core->log.next_sequence());
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 2u);
    EXPECT_EQ(w.read_letter(1), 'b');
}

TEST(Checkpoint, rule_7_home_units_do_not_say_more_than_is_durable) {
    World w(volatile_cache());
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(1, 'b'); // its record is not confirmed, its data volatile
    w.fails = [](const Io &io) { return io.dev == kCache && io.op == Op::flush; };
    checkpoint(w); // without its flush, so without its superblock
    w.fails = nullptr;
    std::set<fc_u64> home; // has reached the medium by itself
    for (fc_u64 s = w.config.home_offset_sectors; s < w.config.log_offset_sectors; s++)
        home.insert(s);
    w.device[kCache].flush(home);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.read_letter(0), 'a');
    EXPECT_EQ(w.read_letter(1), 'o') << "never flushed";
}

TEST(Checkpoint, rule_7_a_block_that_a_job_owns_is_written_at_the_next_one_too) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.write(1, 'b'); // in flight, in the same unit
    checkpoint(w);
    w.finish();
    w.confirm();
    w.trace.clear();
    checkpoint(w);
    EXPECT_TRUE(!w.trace.empty() && is_home(w, w.trace[0]));
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 2u);
}

TEST(Checkpoint, rule_7_may_be_cut_off_at_every_write) {
    for (int cut = 0; cut < 3; cut++) {
        World w(volatile_cache());
        w.make_dirty(0, 'a');
        w.make_dirty(9, 'b');
        w.flush(kCache);
        w.finish();
        w.confirm();
        int writes = 0;
        w.fails = [&](const Io &io) { return io.op != Op::read && writes++ >= cut; };
        fc_core_checkpoint(w.core);
        w.fails = nullptr;
        EXPECT_EQ(w.reopen_after_power_cut(), FC_OK) << cut;
        EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 2u) << cut;
    }
}

TEST(Checkpoint, writes_only_the_units_that_were_touched) {
    Shape shape;
    shape.sets = 64; // 512 slots, 17 units of 31
    shape.origin_sectors = 4096 * 8;
    World w(shape);
    w.make_dirty(0, 'a');
    w.confirm();
    checkpoint(w);
    unsigned units = 0;
    for (const Io &io : w.trace)
        units += is_home(w, io) ? io.count : 0;
    EXPECT_EQ(units, 1u);
}

TEST(Checkpoint, one_that_fails_degrades_the_cache_and_loses_nothing) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.fails = [&w](const Io &io) { return is_home(w, io); };
    checkpoint(w);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_TRUE(w.logged("a checkpoint failed"));
    w.fails = nullptr;
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Checkpoint, rule_7_with_a_log_nearly_full_writers_wait_and_nothing_fails) {
    Shape shape;
    shape.sets = 64;
    shape.origin_sectors = 8192 * 8;
    World w(shape);
    unsigned checkpoints = 0;
    for (fc_u64 round = 0; round < 1200; round++) {
        UserRequest &user = w.write((round * 8) % 4096 + round / 512, static_cast<char>('a' + round / 512));
        w.finish();
        w.pass(1);
        ASSERT_EQ(user.status, FC_OK) << round;
        checkpoints = static_cast<unsigned>(w.stats[FC_STAT_checkpoints]);
        ASSERT_LE(w.gauge(FC_GAUGE_LOG_USED), w.gauge(FC_GAUGE_LOG_UNITS));
    }
    EXPECT_GE(checkpoints, 4u);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(8), 'a');
}

// The worker sleeps while its flush fails; a user's, behind it, ends well before it has woken.
TEST(Checkpoint, rule_2_a_failed_flush_of_it_is_known_before_its_worker_wakes) {
    World w(volatile_cache());
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(9, 'b');
    UserRequest &user = w.flush(kCache);
    w.write(9, 'c'); // waits for a confirmation
    w.fails = [](const Io &io) { return io.op == Op::flush; };
    w.before_sleeper_wakes = [&] {
        w.fails = nullptr;
        w.trace.clear();
        w.complete(kCache, Op::flush, FC_OK);
        w.run();
        for (const Io &io : w.trace)
            EXPECT_NE(io.op, Op::write);
    };
    fc_core_checkpoint(w.core);
    EXPECT_EQ(user.status, FC_EIO);
    w.finish();
}

TEST(Checkpoint, rule_7_a_failed_flush_of_somebody_else_ends_it_before_the_tail_moves) {
    World w(volatile_cache());
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(9, 'b');
    const std::string before(w.device[kCache].at(w.config.home_offset_sectors), 512);
    w.flush(kCache);
    bool done = false;
    w.fails = [&](const Io &io) {
        if (is_home(w, io) && !done) {
            done = true;
            w.complete(kCache, Op::flush, FC_EIO);
        }
        return false;
    };
    const fc_u64 tail = w.core->log.tail();
    w.trace.clear();
    fc_core_checkpoint(w.core);
    ASSERT_TRUE(done);
    EXPECT_EQ(w.core->log.tail(), tail);
    for (const Io &io : w.trace)
        EXPECT_FALSE(io.op == Op::write && io.sector < 16) << "a superblock";
    w.finish();
    w.crash();
    before.copy(w.device[kCache].at(w.config.home_offset_sectors), 512); // what the flush has lost
    ASSERT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Checkpoint, does_nothing_while_the_cache_is_at_rest) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    EXPECT_EQ(fc_core_suspend(w.core), FC_OK);
    w.trace.clear();
    fc_core_checkpoint(w.core);
    EXPECT_EQ(w.trace.size(), 0u);
}

// A block whose slot lies in this home unit.
fc_u64 block_in_unit(World &w, fc_u64 unit) {
    const fc_u64 first = unit * w.core->home.slots_per_unit();
    return w.core->geo.origin_block(static_cast<fc::u32>(first / w.config.ways_per_set + 2), 0);
}

TEST(Checkpoint, takes_every_home_unit_that_was_touched) {
    for (const fc_u64 unit : {0u, 1u, 63u, 64u, 65u, 127u, 128u, 322u}) {
        World w(many_sets());
        ASSERT_EQ(w.config.home_units, 323u);
        const fc_u64 block = block_in_unit(w, unit);
        w.make_dirty(block, 'a');
        w.confirm();
        checkpoint(w);
        ASSERT_FALSE(w.trace.empty());
        EXPECT_TRUE(is_home(w, w.trace[0]));
        EXPECT_EQ(w.trace[0].sector, w.core->home.sector_of(unit));
        EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
        ASSERT_EQ(w.state(block), "dirty") << unit;
        EXPECT_EQ(w.read_letter(block), 'a');
    }
}

TEST(Checkpoint, takes_no_more_home_units_at_a_time_than_its_scratch_memory_holds) {
    constexpr fc_u64 kUnits = 300; // 128 fit
    World w(many_sets());
    for (fc_u64 unit = 0; unit < kUnits; unit++)
        w.write(block_in_unit(w, unit), 'a');
    w.finish();
    w.confirm();
    checkpoint(w); // the world looks at the buffers
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 0u);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), kUnits);
}

// Another CPU confirms and makes a checkpoint whenever it can.
TEST(Checkpoint, rule_7_passes_no_record_before_memory_says_dirty) {
    World w;
    w.write(0, 'a');
    w.complete_all([](const Io &io) { return io.kind == Io::kAsync; }); // the record
    std::function<void()> other_cpu = [&] {
        w.confirm();
        fc_core_checkpoint(w.core);
        w.on_unlock = other_cpu;
    };
    w.on_unlock = other_cpu;
    w.complete(kCache, Op::write, FC_OK); // the data
    w.on_unlock = nullptr;
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    ASSERT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.read_letter(0), 'a');
}

} // namespace
