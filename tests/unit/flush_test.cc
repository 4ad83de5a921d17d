// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

// A flush request of both devices, as device-mapper sends it.
void flush_both(World &w) {
    UserRequest &cache = w.flush(kCache);
    UserRequest &origin = w.flush(kOrigin);
    w.finish();
    EXPECT_EQ(cache.status, FC_OK);
    EXPECT_EQ(origin.status, FC_OK);
}

// The devices of a cache that was just opened are flushed once: nobody knows what they hold.
class Flush : public ::testing::Test {
protected:
    explicit Flush(const Shape &shape = volatile_devices()) : w(shape) {
        w.make_dirty(63, 'z');
        flush_both(w);
        w.trace.clear();
    }
    World w;
};

TEST_F(Flush, goes_nowhere_if_nothing_was_written) {
    flush_both(w);
    EXPECT_EQ(w.trace.size(), 0u);
}

TEST_F(Flush, of_a_write_back_write_goes_to_the_cache_device_alone) {
    w.make_dirty(0, 'a');
    flush_both(w);
    EXPECT_EQ(w.traced(kCache, Op::flush), 1u);
    EXPECT_EQ(w.traced(kOrigin, Op::flush), 0u);
}

TEST_F(Flush, of_a_bypassing_write_goes_to_the_origin_alone) {
    w.submit(FC_OP_WRITE, 3, 1, 'a');
    w.finish();
    w.trace.clear();
    flush_both(w);
    EXPECT_EQ(w.traced(kCache, Op::flush), 0u);
    EXPECT_EQ(w.traced(kOrigin, Op::flush), 1u);
}

TEST_F(Flush, of_an_overwrite_goes_to_the_cache_device) {
    w.make_dirty(0, 'a');
    flush_both(w);
    w.confirm();
    flush_both(w);
    w.write(0, 'b');
    w.finish();
    w.trace.clear();
    flush_both(w);
    EXPECT_EQ(w.traced(kCache, Op::flush), 1u);
}

TEST_F(Flush, is_not_repeated_for_what_is_durable) {
    w.make_dirty(0, 'a');
    flush_both(w);
    w.trace.clear();
    flush_both(w);
    EXPECT_EQ(w.trace.size(), 0u);
}

TEST_F(Flush, that_failed_is_an_error_and_no_later_one_makes_up_for_it) {
    w.make_dirty(0, 'a');
    UserRequest &first = w.flush(kCache);
    w.complete(kCache, Op::flush, FC_EIO);
    EXPECT_EQ(first.status, FC_EIO);
    EXPECT_EQ(w.flush_status(kCache), FC_EIO) << "the device has dropped what the first one should have covered";
    EXPECT_EQ(w.flush_status(kOrigin), FC_OK);
}

TEST_F(Flush, of_the_origin_that_failed_covers_nothing_and_the_next_one_is_sent) {
    w.submit(FC_OP_WRITE, 83, 1, 'b');
    w.finish();
    UserRequest &first = w.flush(kOrigin);
    w.complete(kOrigin, Op::flush, FC_EIO);
    EXPECT_EQ(first.status, FC_EIO);
    EXPECT_EQ(w.flush(kOrigin).action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(w.flush(kOrigin).action, FC_ACT_COMPLETE);
}

TEST_F(Flush, that_failed_leaves_what_was_not_confirmed_to_the_next_load) {
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(1, 'b');
    UserRequest &first = w.flush(kCache);
    w.complete(kCache, Op::flush, FC_EIO);
    EXPECT_EQ(first.status, FC_EIO);
    EXPECT_EQ(w.read_letter(0), 'a');
    EXPECT_EQ(w.read_letter(1), 0) << "it may be another block's bytes";
    w.crash();
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(1), 'b');
}

TEST_F(Flush, of_a_suspend_after_another_one_failed_covers_nothing) {
    w.make_dirty(0, 'a');
    w.flush(kCache);
    w.complete(kCache, Op::flush, FC_EIO);
    w.finish();
    EXPECT_EQ(fc_core_suspend(w.core), FC_EIO);
    fc_core_resume(w.core);
}

TEST_F(Flush, that_ends_well_after_another_one_failed_covers_nothing) {
    w.make_dirty(0, 'a');
    UserRequest &user = w.flush(kCache);
    UserRequest &failed = w.flush(kCache);
    w.complete(static_cast<int>(w.ios.size()) - 1, FC_EIO);
    EXPECT_EQ(failed.status, FC_EIO);
    w.complete(kCache, Op::flush, FC_OK);
    EXPECT_EQ(user.status, FC_EIO);
    w.finish();
}

TEST_F(Flush, rule_2_that_overtakes_the_logs_and_fails_leaves_nothing_confirmed) {
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(1, 'b');
    UserRequest &over = w.write(1, 'c'); // waits for a confirmation
    w.run();
    for (const Io &io : w.ios)
        EXPECT_NE(io.op, Op::write) << "what it confirms is not durable yet";
    w.flush(kCache);
    w.complete(static_cast<int>(w.ios.size()) - 1, FC_EIO);
    w.finish(); // the log's ends well
    EXPECT_EQ(over.status, FC_EIO);
    *w.device[kCache].at(w.data_sector(1)) = 'x';
    w.crash();
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(1), 'o') << "the origin's: its data is lost";
}

TEST_F(Flush, of_the_origin_by_the_cleaner_that_failed_is_told_once) {
    w.make_dirty(0, 'a');
    w.confirm();
    w.submit(FC_OP_WRITE, 83, 1, 'b'); // on the origin, acknowledged, and flushed by nobody
    w.finish();
    int failures = 1;
    w.fails = [&](const Io &io) { return io.op == Op::flush && io.dev == kOrigin && failures-- > 0; };
    fc_core_start_sync(w.core);
    w.finish();
    w.fails = nullptr;
    EXPECT_EQ(w.flush_status(kOrigin), FC_EIO);
    EXPECT_EQ(w.flush_status(kOrigin), FC_OK);
}

// Another CPU ends the log's flush before the log hears of the failure.
TEST_F(Flush, rule_2_that_fails_keeps_the_log_from_going_on_at_once) {
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(1, 'b');
    w.write(1, 'c'); // waits for a confirmation
    w.run();
    ASSERT_EQ(w.count(kCache, Op::flush), 1u) << "the log's";
    w.flush(kCache);
    w.on_lock = [&] {
        w.complete(kCache, Op::flush, FC_OK);
        w.run();
    };
    w.trace.clear();
    w.complete(static_cast<int>(w.ios.size()) - 1, FC_EIO);
    for (const Io &io : w.trace)
        EXPECT_NE(io.op, Op::write);
    w.finish();
}

// Another CPU ends one that covers nothing of what has just been lost.
TEST_F(Flush, that_fails_counts_as_failed_before_it_counts_as_ended) {
    w.make_dirty(0, 'a');
    UserRequest &failed = w.flush(kCache);
    UserRequest &other = w.flush(kCache);
    w.on_unlock = [&] { w.complete(kCache, Op::flush, FC_OK); };
    w.complete(kCache, Op::flush, FC_EIO);
    EXPECT_EQ(failed.status, FC_EIO);
    EXPECT_EQ(other.status, FC_EIO);
    w.finish();
}

TEST_F(Flush, of_the_origin_by_the_cleaner_that_failed_is_told_to_who_wrote_before_it) {
    w.make_dirty(0, 'a');
    w.confirm();
    w.submit(FC_OP_WRITE, 83, 1, 'b');
    w.finish();
    UserRequest &early = w.flush(kOrigin);
    w.submit(FC_OP_WRITE, 83, 1, 'c');
    for (int i = w.find(kOrigin, Op::write); i >= 0; i = w.find(kOrigin, Op::write))
        w.complete(i);
    fc_core_sync_failed(w.core, kOrigin, 1);
    w.complete(kOrigin, Op::flush, FC_OK);
    EXPECT_EQ(early.status, FC_EIO);
    EXPECT_EQ(w.flush_status(kOrigin), FC_EIO) << "the second write may be lost";
    EXPECT_EQ(w.flush_status(kOrigin), FC_OK);
}

// Most disks have no FUA: the kernel flushes behind the write, and that may be what has failed.
TEST_F(Flush, behind_a_fua_overwrite_that_failed_loses_what_is_not_confirmed) {
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(1, 'b');
    w.write(0, 'c', 1, FC_REQ_FUA);
    w.complete(kCache, Op::write, FC_EIO);
    EXPECT_EQ(w.flush_status(kCache), FC_EIO);
    EXPECT_EQ(w.read_letter(1), 0);
}

TEST_F(Flush, behind_a_fua_record_that_failed_loses_what_is_not_confirmed) {
    w.make_dirty(0, 'a');
    flush_both(w);
    w.write(1, 'c', 1, FC_REQ_FUA);
    w.trace.clear();
    for (std::size_t i = 0; i < w.ios.size(); i++)
        if (w.ios[i].kind == Io::kAsync && w.ios[i].flags & FC_IO_FUA)
            w.complete(static_cast<int>(i), FC_EIO);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_EQ(w.trace.size(), 0u) << "not repeated";
    EXPECT_EQ(w.flush_status(kCache), FC_EIO);
}

TEST_F(Flush, behind_a_fua_write_to_the_origin_that_failed_has_copies_made_again) {
    w.make_dirty(0, 'a');
    w.confirm();
    fc_core_start_sync(w.core);
    w.run();
    w.submit(FC_OP_WRITE, 83, 1, 'b', FC_REQ_FUA);
    ASSERT_GE(w.find(kOrigin, Op::copy), 0);
    w.complete_all([](const Io &io) { return io.op == Op::copy; });
    w.complete(kOrigin, Op::write, FC_EIO);
    w.finish();
    EXPECT_EQ(w.state(0), "dirty");
    w.clean_all();
    EXPECT_EQ(w.state(0), "clean");
}

// A CLEAN record has to become durable, of which the user hears nothing.
TEST_F(Flush, of_the_log_that_failed_is_an_error_of_the_users_next_one) {
    w.make_dirty(0, 'a');
    w.make_dirty(9, 'b');
    w.confirm();
    w.submit(FC_OP_DISCARD, 0, 8);
    for (int i = 0; i < 10 && w.find(kCache, Op::flush) < 0; i++) {
        w.run();
        w.complete_all([](const Io &io) { return io.op != Op::flush || io.dev != kCache; });
    }
    ASSERT_GE(w.find(kCache, Op::flush), 0);
    w.complete(kCache, Op::flush, FC_EIO);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_EQ(w.flush_status(kCache), FC_EIO);
}

TEST_F(Flush, that_was_issued_before_a_write_does_not_cover_it) {
    w.make_dirty(0, 'a');
    w.make_dirty(1, 'a');
    w.flush(kCache);
    UserRequest &writer = w.write(2, 'b');
    for (int i = w.find(kCache, Op::write); i >= 0; i = w.find(kCache, Op::write))
        w.complete(i);
    EXPECT_EQ(writer.status, FC_OK);
    w.complete(kCache, Op::flush, FC_OK);
    EXPECT_EQ(w.flush(kCache).action, FC_ACT_REMAP_CACHE);
    w.finish();
}

TEST_F(Flush, a_second_one_does_not_trust_the_one_in_flight) {
    w.make_dirty(0, 'a');
    w.flush(kCache);
    UserRequest &second = w.flush(kCache);
    EXPECT_EQ(second.action, FC_ACT_REMAP_CACHE) << "the first may still fail";
    w.finish();
}

TEST_F(Flush, leaves_every_acknowledged_write_durable) {
    w.make_dirty(0, 'a');
    w.submit(FC_OP_WRITE, 9 * 8 + 3, 1, 'b'); // part of an uncached block: on the origin
    w.finish();
    flush_both(w);
    w.make_dirty(1, 'c'); // after the flush: may go
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
    EXPECT_EQ(w.device[kOrigin].read(9 * 8 + 3, 1)[0], 'b');
    EXPECT_EQ(w.read_letter(63), 'z');
    EXPECT_EQ(w.read_letter(1), 'o');
}

TEST_F(Flush, of_an_overwrite_makes_it_durable) {
    w.make_dirty(0, 'a');
    w.confirm();
    w.write(0, 'b');
    w.finish();
    flush_both(w);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'b');
}

TEST_F(Flush, fua_of_a_first_write_leaves_it_and_all_records_before_it_durable) {
    w.write(0, 'a'); // acknowledged, volatile
    w.finish();
    UserRequest &user = w.write(1, 'b', 1, FC_REQ_FUA);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.traced(kOrigin, Op::flush), 0u);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(1), 'b') << "recovery stops at the first gap in the log";
}

TEST_F(Flush, fua_asks_for_the_earlier_log_units_only_if_they_are_volatile) {
    w.write(0, 'a', 1, FC_REQ_FUA);
    unsigned with_flush = 0, with_fua = 0;
    for (const Io &io : w.trace) {
        with_flush += io.op == Op::flush;
        with_fua += (io.flags & FC_IO_FUA) != 0;
    }
    EXPECT_EQ(with_fua, 2u) << "data and record";
    EXPECT_EQ(with_flush, 0u) << "everything before was durable";
    w.finish();
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST_F(Flush, fua_of_an_overwrite_goes_in_place_with_fua) {
    w.make_dirty(0, 'a');
    w.confirm();
    flush_both(w);
    w.trace.clear();
    w.write(0, 'b', 1, FC_REQ_FUA);
    w.finish();
    ASSERT_EQ(w.trace.size(), 1u);
    EXPECT_EQ(w.trace[0].flags, FC_IO_FUA);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'b');
}

TEST_F(Flush, a_fua_write_needs_no_flush_after_it) {
    w.write(0, 'a', 1, FC_REQ_FUA);
    w.finish();
    w.trace.clear();
    flush_both(w);
    EXPECT_EQ(w.trace.size(), 0u);
}

TEST_F(Flush, goes_to_the_origin_after_the_cleaner_only_for_acknowledged_data) {
    w.make_dirty(0, 'a');
    flush_both(w);
    w.clean_all();
    flush_both(w);
    EXPECT_EQ(w.traced(kOrigin, Op::flush), 0u) << "the cleaner flushed it itself";
}

TEST(FlushWriteThrough, goes_to_the_origin_alone) {
    World w(volatile_devices(FC_MODE_WRITE_THROUGH));
    w.write(0, 'a');
    w.finish();
    w.trace.clear();
    flush_both(w);
    EXPECT_EQ(w.traced(kCache, Op::flush), 0u) << "the cache holds nothing that the origin has not";
    EXPECT_EQ(w.traced(kOrigin, Op::flush), 1u);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(FlushStable, goes_nowhere_without_volatile_caches) {
    World w;
    w.make_dirty(0, 'a');
    flush_both(w);
    w.submit(FC_OP_WRITE, 83, 1, 'b');
    w.finish();
    flush_both(w);
    EXPECT_EQ(w.traced(kCache, Op::flush) + w.traced(kOrigin, Op::flush), 0u);
    EXPECT_EQ(w.stats[FC_STAT_flushes], 2u);
}

TEST(FlushOfChangedDevice, a_device_that_gets_a_write_cache_is_flushed_from_then_on) {
    World w;
    w.make_dirty(0, 'a');
    UserRequest &before = w.flush(kCache);
    EXPECT_EQ(before.status, FC_OK);
    EXPECT_EQ(w.count(kCache, Op::flush), 0u);
    for (const int dev : {kCache, kOrigin})
        fc_core_set_volatile(w.core, dev);
    UserRequest &after = w.flush(kCache);
    EXPECT_EQ(w.count(kCache, Op::flush), 1u);
    w.finish();
    EXPECT_EQ(after.status, FC_OK);

    // Rule 4 holds for the origin, and the log asks for flushes.
    fc_core_start_sync(w.core);
    const fc_u64 of_ssd = w.stats[FC_STAT_flush_ssd];
    w.clean_all();
    EXPECT_GE(w.stats[FC_STAT_flush_disk], 1u);
    EXPECT_GT(w.stats[FC_STAT_flush_ssd], of_ssd);
    EXPECT_EQ(w.state(0), "clean");
}

} // namespace
