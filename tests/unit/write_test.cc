// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

Shape in_mode(unsigned mode) {
    Shape shape;
    shape.mode = mode;
    return shape;
}

bool is_log(const World &w, const Io &io) {
    return io.dev == kCache && io.op == Op::write && io.sector >= w.config.log_offset_sectors &&
           io.sector < w.config.data_offset_sectors;
}

bool is_data(const World &w, const Io &io) {
    return io.dev == kCache && io.op == Op::write && io.sector >= w.config.data_offset_sectors;
}

int find(const World &w, bool (*which)(const World &, const Io &)) {
    for (std::size_t i = 0; i < w.ios.size(); i++)
        if (which(w, w.ios[i]))
            return static_cast<int>(i);
    return -1;
}

// ---- rule 1

TEST(Write, rule_1_a_first_write_ends_when_its_data_and_its_record_have_completed) {
    for (const bool data_first : {true, false}) {
        World w;
        UserRequest &user = w.write(0, 'a');
        EXPECT_EQ(w.ios.size(), 2u) << "both in flight at once: one round trip";
        w.complete(find(w, data_first ? is_data : is_log));
        w.run();
        EXPECT_FALSE(user.ended());
        EXPECT_EQ(w.state(0), "clean busy unconfirmed");
        w.complete(find(w, data_first ? is_log : is_data));
        EXPECT_EQ(user.status, FC_OK);
        w.finish();
        EXPECT_EQ(w.state(0), "dirty unconfirmed");
    }
}

TEST(Write, rule_1_a_write_to_a_clean_block_ends_with_its_record_too) {
    World w;
    w.make_clean(0);
    UserRequest &user = w.write(0, 'a');
    w.complete(find(w, is_data));
    EXPECT_FALSE(user.ended());
    w.complete(find(w, is_log));
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.stats[FC_STAT_write_hits], 1u);
}

TEST(Write, the_record_carries_the_checksum_of_what_is_written_whatever_the_user_does) {
    World w;
    UserRequest &user = w.write(0, 'a');
    user.data.assign(4096, '!'); // a page that changes under write
    w.finish();
    EXPECT_EQ(w.cached_letter(0), 'a');
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_VOID), 0u);
    EXPECT_EQ(w.read_letter(0), 'a');
}

// ---- rule 3

TEST(Write, rule_3_an_overwrite_waits_until_the_record_is_confirmed_on_the_cache_device) {
    World w;
    w.make_dirty(0, 'a');
    UserRequest &user = w.write(0, 'b');
    EXPECT_EQ(user.action, FC_ACT_TAKEN);
    EXPECT_EQ(find(w, is_data), -1);
    w.run();
    ASSERT_EQ(w.ios.size(), 1u) << "a log unit that confirms";
    EXPECT_TRUE(is_log(w, w.ios[0]));
    w.complete(0);
    w.run();
    EXPECT_GE(find(w, is_data), 0);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.cached_letter(0), 'b');
    EXPECT_EQ(w.stats[FC_STAT_confirm_waits], 1u);
}

TEST(Write, rule_3_one_log_unit_confirms_for_all_that_wait) {
    World w;
    w.make_dirty(0, 'a', 4);
    for (fc_u64 block = 0; block < 4; block++)
        w.write(block, 'b');
    w.run();
    ASSERT_EQ(w.ios.size(), 1u);
    w.finish();
    EXPECT_EQ(w.cached_letter(3), 'b');
}

TEST(Write, rule_3_a_torn_overwrite_after_the_confirmation_loses_no_acknowledged_write) {
    World w;
    w.make_dirty(0, 'a');
    w.write(0, 'b');
    w.run();
    w.complete(0);
    w.run();
    ASSERT_GE(find(w, is_data), 0);
    w.device[kCache].write(w.data_sector(0), std::string(512, 'b'), true); // one sector arrived
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.read_letter(0), 'b');
    EXPECT_EQ(w.device[kCache].read(w.data_sector(0) + 1, 1)[0], 'a');
}

// ---- part of a block

TEST(Write, part_of_a_dirty_block_goes_in_place) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    UserRequest &user = w.submit(FC_OP_WRITE, 3, 2, 'b');
    EXPECT_EQ(user.action, FC_ACT_REMAP_CACHE);
    EXPECT_EQ(user.req.target_sector, w.data_sector(0) + 3);
    w.finish();
    EXPECT_EQ(w.trace.size(), 1u);
}

TEST(Write, part_of_a_clean_block_is_read_modify_write_on_the_cache) {
    World w;
    w.make_clean(0);
    UserRequest &user = w.submit(FC_OP_WRITE, 3, 2, 'b');
    EXPECT_EQ(w.count(kCache, Op::read), 1u);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.traced(kOrigin, Op::read) + w.traced(kOrigin, Op::write), 0u);
    EXPECT_EQ(w.state(0), "dirty unconfirmed");
    UserRequest &back = w.read(0);
    w.finish();
    EXPECT_EQ(back.data, std::string(3 * 512, 'o') + std::string(1024, 'b') + std::string(3 * 512, 'o'));
}

TEST(Write, part_of_an_uncached_block_goes_to_the_origin) {
    World w;
    UserRequest &user = w.submit(FC_OP_WRITE, 3, 2, 'b');
    EXPECT_EQ(user.action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.trace.size(), 1u);
}

TEST(Write, a_run_with_parts_at_its_ends_is_taken_in_three) {
    World w;
    const std::string want = std::string(2 * 512, 'o') + std::string(20 * 512, 'b') + std::string(2 * 512, 'o');
    for (unsigned at = 2; at < 22;) {
        UserRequest &user = w.submit(FC_OP_WRITE, at, 22 - at, 'b');
        w.finish();
        EXPECT_EQ(user.status, FC_OK);
        at += user.req.nr_sectors;
    }
    UserRequest &back = w.read(0, 3);
    w.finish();
    EXPECT_TRUE(back.data.substr(0, back.req.nr_sectors * 512) == want.substr(0, back.req.nr_sectors * 512));
    EXPECT_EQ(w.state(1), "dirty unconfirmed");
}

TEST(Write, part_of_a_clean_block_that_cannot_be_read_goes_to_the_origin) {
    World w;
    w.make_clean(0);
    UserRequest &user = w.submit(FC_OP_WRITE, 3, 2, 'b');
    w.complete(kCache, Op::read, FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.device[kOrigin].read(2, 4), std::string(512, 'o') + std::string(1024, 'b') + std::string(512, 'o'));
}

// ---- failures

TEST(Write, failed_data_is_revoked_and_written_to_the_origin) {
    World w;
    UserRequest &user = w.write(0, 'a');
    w.complete(find(w, is_data), FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.origin_letter(0), 'a');
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 0u) << "an INVALID record has revoked it";
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Write, the_origin_is_not_written_before_the_revocation_is_durable) {
    World w;
    w.write(0, 'a');
    w.complete(find(w, is_data), FC_EIO);
    w.complete(find(w, is_log));
    w.run();
    EXPECT_EQ(w.count(kOrigin, Op::write), 0u);
    ASSERT_GE(find(w, is_log), 0);
    w.complete(find(w, is_log));
    w.run();
    EXPECT_EQ(w.count(kOrigin, Op::write), 1u);
    w.finish();
}

TEST(Write, rule_4_a_revocation_in_a_volatile_cache_is_not_enough) {
    Shape shape;
    shape.cache_volatile = true;
    World w(shape);
    w.write(0, 'a');
    w.complete(find(w, is_data), FC_EIO);
    w.complete(find(w, is_log));
    w.run();
    w.complete(find(w, is_log)); // the INVALID record
    w.run();
    EXPECT_EQ(w.count(kOrigin, Op::write), 0u);
    EXPECT_EQ(w.state(0), "clean busy unconfirmed") << "its slot is not free yet";
    w.complete(kCache, Op::flush, FC_OK);
    w.run();
    EXPECT_EQ(w.count(kOrigin, Op::write), 1u);
    w.finish();
}

TEST(Write, that_falls_back_to_the_origin_is_as_durable_there_as_was_asked_for) {
    for (const unsigned fua : {0u, FC_REQ_FUA}) {
        Shape shape;
        shape.origin_volatile = true;
        World w(shape);
        w.flush(kOrigin); // nobody knew what it held when the cache was opened
        w.finish();
        UserRequest &user = w.write(0, 'a', 1, fua);
        w.complete(find(w, is_data), FC_EIO);
        for (w.run(); find(w, is_log) >= 0; w.run())
            w.complete(find(w, is_log));
        const int fallback = w.find(kOrigin, Op::write);
        ASSERT_GE(fallback, 0);
        EXPECT_EQ(w.ios[static_cast<std::size_t>(fallback)].flags, fua ? FC_IO_FUA : 0);
        w.finish();
        EXPECT_EQ(user.status, FC_OK);
        EXPECT_EQ(w.flush(kOrigin).action, fua ? FC_ACT_COMPLETE : FC_ACT_REMAP_ORIGIN);
        w.finish();
        w.power_cut();
        EXPECT_EQ(w.origin_letter(0), 'a');
    }
}

TEST(Write, failed_data_and_a_failed_origin_are_an_error) {
    World w;
    UserRequest &user = w.write(0, 'a');
    w.complete(find(w, is_data), FC_EIO);
    w.fails = [](const Io &io) { return io.dev == kOrigin; };
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_EQ(w.state(0), "none");
}

TEST(Write, a_log_write_that_fails_once_is_repeated) {
    World w;
    UserRequest &user = w.write(0, 'a');
    w.complete(find(w, is_log), FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 0u);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

// The write of data to this sector of the cache device.
int data_to(const World &w, fc_u64 sector) {
    for (std::size_t i = 0; i < w.ios.size(); i++)
        if (is_data(w, w.ios[i]) && w.ios[i].sector == sector)
            return static_cast<int>(i);
    return -1;
}

// A log unit with two records: the data of block 0 fails, and its record is revoked; that of block 1
// takes its time, so that the unit cannot be confirmed.  Where block 0 was to be cached.
fc_u64 revoke_one_of_two(World &w) {
    w.write(16, 'z'); // its record is on the way while two others come
    w.write(0, 'a');
    w.write(1, 'y');
    const fc_u64 sector = w.data_sector(0);
    w.complete(find(w, is_log));
    w.run();
    w.complete(find(w, is_log)); // the two records
    w.complete(data_to(w, sector), FC_EIO);
    for (w.run(); find(w, is_log) >= 0 || w.count(kOrigin, Op::write) != 0; w.run())
        w.complete(find(w, is_log) >= 0 ? find(w, is_log) : w.find(kOrigin, Op::write));
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.origin_letter(0), 'a');
    return sector;
}

TEST(Write, rule_2_what_was_written_after_a_revocation_survives_though_neither_is_confirmed) {
    World w;
    const fc_u64 sector = revoke_one_of_two(w);
    UserRequest &user = w.write(0, 'b');
    ASSERT_EQ(w.data_sector(0), sector);
    w.complete(data_to(w, sector));
    w.complete(find(w, is_log));
    ASSERT_EQ(user.status, FC_OK);
    ASSERT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'b') << "the last record of the slot is the one that counts";
}

TEST(Write, rule_3_a_revoked_record_confirms_nothing_of_the_next_in_its_slot) {
    World w;
    const fc_u64 sector = revoke_one_of_two(w);
    const fc_u64 slow = w.data_sector(1);
    fc_u64 other = 8; // a block that goes to the same place
    while (w.core->geo.place(other).set != w.core->geo.place(0).set)
        other += 8;
    w.write(other, 'c');
    ASSERT_EQ(w.data_sector(other), sector);
    w.complete(find(w, is_log));
    w.complete(data_to(w, w.data_sector(16)));
    w.complete(data_to(w, slow)); // the unit of the revoked record may be confirmed now
    {
        const fc::LogGuard guard(*w.core);
        w.core->log.want_confirm();
    }
    w.kick(FC_WORK_RUN, 0);
    for (w.run(); find(w, is_log) >= 0; w.run())
        w.complete(find(w, is_log));
    EXPECT_EQ(w.state(1), "dirty");
    w.complete(data_to(w, sector));
    EXPECT_EQ(w.state(other), "dirty unconfirmed");
    w.finish();
}

TEST(Write, a_failed_record_leaves_its_blocks_in_doubt) {
    World w;
    UserRequest &user = w.write(0, 'a');
    w.fails = [&w](const Io &io) { return is_log(w, io); };
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_TRUE(w.logged("blocks 0..0 cannot be used"));
    EXPECT_EQ(w.read_letter(0), '\0');
    UserRequest &again = w.write(0, 'b');
    w.finish();
    EXPECT_EQ(again.status, FC_EIO) << "nobody knows what a recovery would find";
    EXPECT_EQ(w.read_letter(1), 'o') << "others are served";
    w.crash();
}

TEST(Write, an_overwrite_that_fails_is_an_error_and_the_block_stays_dirty) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    UserRequest &user = w.write(0, 'b');
    w.complete(kCache, Op::write, FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.stats[FC_STAT_ssd_write_errors], 1u);
}

// ---- write-through

TEST(Write, write_through_writes_the_same_bytes_to_both_devices) {
    World w(in_mode(FC_MODE_WRITE_THROUGH));
    UserRequest &user = w.write(0, 'a', 2);
    w.complete(kOrigin, Op::write, FC_OK);
    EXPECT_FALSE(user.ended());
    user.data.assign(8192, '!');
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.cached_letter(1), 'a');
    EXPECT_EQ(w.origin_letter(1), 'a');
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 0u);
}

TEST(Write, write_through_an_error_of_the_cache_is_not_the_users) {
    World w(in_mode(FC_MODE_WRITE_THROUGH));
    UserRequest &user = w.write(0, 'a');
    w.complete(kCache, Op::write, FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Write, write_through_an_error_of_the_origin_is_the_users_and_nothing_stays_cached) {
    World w(in_mode(FC_MODE_WRITE_THROUGH));
    w.make_clean(0);
    UserRequest &user = w.write(0, 'a');
    w.complete(kOrigin, Op::write, FC_EIO);
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.read_letter(0), 'o');
}

TEST(Write, write_through_part_of_a_clean_block_goes_to_both) {
    World w(in_mode(FC_MODE_WRITE_THROUGH));
    w.make_clean(0, 3);
    w.submit(FC_OP_WRITE, 3, 16, 'b');
    w.finish();
    EXPECT_EQ(w.trace.size(), 2u);
    const std::string want = std::string(3 * 512, 'o') + std::string(16 * 512, 'b') + std::string(5 * 512, 'o');
    UserRequest &back = w.read(0, 3);
    EXPECT_EQ(back.action, FC_ACT_REMAP_CACHE);
    w.finish();
    EXPECT_TRUE(back.data == want);
    EXPECT_TRUE(w.device[kOrigin].read(0, 24) == want);
}

TEST(Write, write_through_fua_is_asked_of_the_origin) {
    World w(in_mode(FC_MODE_WRITE_THROUGH));
    w.write(0, 'a', 1, FC_REQ_FUA);
    EXPECT_EQ(w.ios.at(static_cast<std::size_t>(w.find(kOrigin, Op::write))).flags, FC_IO_FUA);
    w.finish();
}

// ---- memory

TEST(Write, without_memory_it_waits_and_then_succeeds) {
    for (const unsigned mode : {FC_MODE_WRITE_BACK, FC_MODE_WRITE_THROUGH, FC_MODE_WRITE_AROUND}) {
        World w(in_mode(mode));
        w.no_jobs = 2;
        w.no_buffers = 2;
        UserRequest &user = w.write(0, 'a');
        for (int i = 0; i < 20 && !user.ended(); i++)
            w.pass(2);
        EXPECT_EQ(user.status, FC_OK) << mode;
        EXPECT_EQ(w.read_letter(0), 'a');
        EXPECT_GE(w.stats[FC_STAT_memory_alloc_errors], 2u);
    }
}

TEST(Write, part_of_a_clean_block_waits_for_memory_too) {
    World w;
    w.make_clean(0);
    w.no_buffers = 3;
    UserRequest &user = w.submit(FC_OP_WRITE, 1, 1, 'b');
    for (int i = 0; i < 20 && !user.ended(); i++)
        w.pass(2);
    EXPECT_EQ(user.status, FC_OK);
}

} // namespace
