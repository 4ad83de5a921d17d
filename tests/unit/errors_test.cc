// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

// The cache device is gone: everything sent to it fails, until mended.
void pull_cache_device(World &w) {
    w.fails = [](const Io &io) { return io.dev == kCache && io.kind != Io::kSync; };
    for (fc_u64 block = 100; block < 120 && !w.gauge(FC_GAUGE_DEGRADED); block++) {
        w.read(block);
        w.finish();
    }
    ASSERT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    w.trace.clear();
}

TEST(Errors, a_single_one_does_not_degrade_the_cache) {
    World w;
    w.make_clean(0);
    w.read(0);
    w.complete(kCache, Op::read, FC_EIO);
    w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 0u);
}

TEST(Errors, sixteen_in_a_row_do) {
    World w;
    pull_cache_device(w);
    EXPECT_EQ(w.stats[FC_STAT_ssd_write_errors], 16u);
    EXPECT_TRUE(w.logged("too many I/O errors in a row"));
}

// Then clear_errors will refuse, and the administrator must know why.
TEST(Errors, of_the_log_are_told_when_the_cache_is_degraded_already) {
    World w;
    w.make_dirty(9, 'a');
    w.make_dirty(40, 'b');
    pull_cache_device(w);
    w.log.clear();
    fc_core_sync_failed(w.core, kCache, 1);
    EXPECT_TRUE(w.logged("metadata log has failed, too"));
    w.log.clear();
    fc_core_sync_failed(w.core, kCache, 1);
    EXPECT_FALSE(w.logged("metadata log has failed")) << "once";
    EXPECT_EQ(fc_core_clear_errors(w.core), -1);
}

TEST(Errors, cannot_be_cleared_when_a_flush_fails_meanwhile) {
    World w;
    w.make_dirty(9, 'a');
    pull_cache_device(w);
    w.on_lock = [&] { fc_core_sync_failed(w.core, kCache, 1); };
    EXPECT_EQ(fc_core_clear_errors(w.core), -1);
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
}

TEST(Errors, a_success_in_between_ends_the_row) {
    World w;
    w.make_clean(0, 8);
    for (int i = 0; i < 40; i++) {
        w.make_clean(16, 1);
        w.read(16);
        w.complete(kCache, Op::read, FC_EIO);
        w.finish();
        w.read(0);
        w.finish();
    }
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 0u);
}

TEST(Errors, degraded_it_reads_and_writes_the_origin_without_a_try) {
    World w;
    w.make_clean(0);
    pull_cache_device(w);
    EXPECT_EQ(w.read_letter(0), 'o');
    EXPECT_EQ(w.read(2).action, FC_ACT_REMAP_ORIGIN);
    EXPECT_EQ(w.write(3, 'n').action, FC_ACT_REMAP_ORIGIN);
    w.finish();
    EXPECT_EQ(w.read_letter(3), 'n');
    for (const Io &io : w.trace)
        EXPECT_EQ(io.dev, kOrigin);
}

TEST(Errors, degraded_it_invalidates_a_clean_block_that_is_written) {
    World w;
    w.make_clean(0);
    pull_cache_device(w);
    w.write(0, 'n');
    w.finish();
    w.fails = nullptr;
    EXPECT_EQ(fc_core_clear_errors(w.core), 0);
    EXPECT_EQ(w.read_letter(0), 'n');
}

TEST(Errors, degraded_it_answers_dirty_blocks_with_errors_and_keeps_them) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    pull_cache_device(w);
    EXPECT_EQ(w.read_letter(0), '\0');
    UserRequest &user = w.write(0, 'b');
    w.finish();
    EXPECT_EQ(user.status, FC_EIO);
    EXPECT_EQ(w.traced(kOrigin, Op::read) + w.traced(kOrigin, Op::write), 0u) << "the origin has old data";
    w.fails = nullptr;
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Errors, degraded_it_still_writes_back_what_can_be_read) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    pull_cache_device(w);
    w.fails = nullptr;
    w.clean_all();
    EXPECT_EQ(w.origin_letter(0), 'a');
}

TEST(Errors, clearing_them_forgets_clean_blocks_and_caches_again) {
    World w;
    w.make_clean(0);
    w.make_dirty(9, 'a');
    w.confirm();
    pull_cache_device(w);
    w.fails = nullptr;
    EXPECT_EQ(fc_core_clear_errors(w.core), 0);
    EXPECT_EQ(w.state(0), "none") << "the device may have lost it";
    EXPECT_EQ(w.state(9), "dirty");
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 0u);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 1u);
    w.make_clean(0);
    w.make_dirty(1, 'b');
}

TEST(Errors, clearing_none_changes_nothing) {
    World w;
    w.make_clean(0);
    EXPECT_EQ(fc_core_clear_errors(w.core), 0);
    EXPECT_EQ(w.state(0), "clean");
}

TEST(Errors, a_failed_log_cannot_be_cleared) {
    World w;
    w.make_clean(30);
    w.fails = [&w](const Io &io) {
        return io.dev == kCache && io.op == Op::write && io.sector < w.config.data_offset_sectors;
    };
    w.write(0, 'a');
    w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_DEGRADED), 1u);
    EXPECT_EQ(fc_core_clear_errors(w.core), -1);
    EXPECT_EQ(w.read_letter(30), 'o');
    UserRequest &user = w.write(40, 'n');
    w.finish();
    EXPECT_EQ(user.status, FC_OK) << "writes go to the origin where no dirty block forbids it";
}

TEST(Errors, with_a_failed_log_dirty_blocks_are_overwritten_only_if_confirmed) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.make_dirty(1, 'a');
    w.fails = [&w](const Io &io) {
        return io.dev == kCache && io.op == Op::write && io.sector < w.config.data_offset_sectors;
    };
    UserRequest &confirmed = w.write(0, 'b');
    UserRequest &unconfirmed = w.write(1, 'b');
    w.finish();
    EXPECT_EQ(confirmed.status, FC_OK);
    EXPECT_EQ(unconfirmed.status, FC_EIO) << "and it does not wait for ever";
}

} // namespace
