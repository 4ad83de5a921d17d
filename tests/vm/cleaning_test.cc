// SPDX-License-Identifier: GPL-2.0-only
//
// Dirty blocks reach the disk: by themselves, when asked for, and when the cache is removed.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::HasSubstr;

constexpr unsigned kNew = 2;
constexpr std::size_t kBlock = 4096;

// Blocks that are no neighbours: each is cleaned by a copy of its own.
void put_scattered(const BlockFile &file, unsigned blocks) {
    for (unsigned i = 0; i < blocks; i++)
        file.put(i * 2 * kBlock, kBlock, kNew);
}

std::string check_scattered(const BlockFile &file, unsigned blocks) {
    std::string wrong;
    for (unsigned i = 0; i < blocks && wrong.empty(); i++)
        wrong = file.check(i * 2 * kBlock, kBlock, kNew);
    return wrong;
}

TEST(Cleaning, of_an_idle_cache_comes_by_itself) {
    Rig rig;
    rig.create(Mode::kBack);
    BlockFile(rig.cache.path()).put(0, 4 * kMiB, kNew);
    EXPECT_GT(rig.cache.status()["dirty"], 0u);
    EXPECT_TRUE(eventually([&] { return rig.cache.status()["dirty"] == 0; }, Seconds(60)));
    EXPECT_EQ(BlockFile(rig.disk.path(), BlockFile::kReadOnly).check(0, 4 * kMiB, kNew), "");
    EXPECT_EQ(rig.cache.status()["cached"], 4 * kMiB / kBlock) << "clean blocks stay cached";
}

TEST(Cleaning, of_a_cache_that_is_never_idle_comes_when_blocks_are_old) {
    Rig rig;
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    const BlockFile file(rig.cache.path());
    file.put(0, 4 * kMiB, kNew);
    rig.cache.set("fallow_delay", 2);
    EXPECT_TRUE(eventually([&] {
        file.read(64 * kMiB, kBlock);
        return rig.cache.status()["dirty"] == 0;
    }));
    EXPECT_EQ(rig.cache.status()["fallow_cleanings"], 4 * kMiB / kBlock);
}

TEST(Cleaning, keeps_each_set_below_its_threshold) {
    Rig rig;
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    const BlockFile file(rig.cache.path());
    file.put(0, 24 * kMiB, kNew);
    const auto blocks = rig.cache.status()["blocks"];
    EXPECT_GT(rig.cache.status()["dirty"], blocks / 2);
    rig.cache.set("dirty_thresh_pct", 10);
    EXPECT_TRUE(eventually([&] {
        file.put(64 * kMiB, kBlock, kNew);
        return rig.cache.status()["dirty"] <= blocks / 10;
    }));
}

TEST(Cleaning, leaves_sets_below_their_threshold_alone) {
    Rig rig;
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    const BlockFile file(rig.cache.path());
    put_scattered(file, 64); // 32 in each of two sets of 512
    rig.cache.set("dirty_thresh_pct", 10);
    file.put(65 * kMiB, kMiB / 4, kNew); // an extent: 64 in another set, above the threshold
    EXPECT_TRUE(eventually([&] { return rig.cache.status()["dirty"] <= 64; }));
    pause_ms(2000);
    EXPECT_EQ(rig.cache.status()["dirty"], 64u) << "not what was asked for";
}

TEST(Cleaning, by_do_sync_and_by_message_cleans_everything) {
    Rig rig;
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    const BlockFile file(rig.cache.path());
    file.put(0, 2 * kMiB, kNew);
    rig.cache.sync();
    file.put(2 * kMiB, 2 * kMiB, kNew);
    rig.cache.message("sync");
    EXPECT_TRUE(eventually([&] { return rig.cache.status()["dirty"] == 0; }));
    EXPECT_EQ(BlockFile(rig.disk.path(), BlockFile::kReadOnly).check(0, 4 * kMiB, kNew), "");
}

TEST(Cleaning, is_stopped_by_stop_sync) {
    Rig rig(kSmallSsd, {.mib = 128, .delay_us = 20000, .queue_depth = 1});
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    put_scattered(BlockFile(rig.cache.path()), 2000);
    rig.cache.set("do_sync", 1);
    EXPECT_EQ(rig.cache.get("do_sync"), 1u);
    ASSERT_TRUE(eventually([&] { return rig.cache.status()["dirty"] < 2000; }));
    rig.cache.set("stop_sync", 1);
    EXPECT_TRUE(eventually([&] { return rig.cache.get("do_sync") == 0; }));
    pause_ms(2000); // what is in flight
    const auto dirty = rig.cache.status()["dirty"];
    EXPECT_GT(dirty, 0u);
    pause_ms(2000);
    EXPECT_EQ(rig.cache.status()["dirty"], dirty);
    rig.cache.fast_remove();
}

TEST(Cleaning, merges_neighbours_into_one_copy) {
    Rig rig;
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    BlockFile(rig.cache.path()).put(0, 4 * kMiB, kNew);
    const auto before = io_of(rig.disk.name());
    rig.cache.sync();
    const auto io = io_of(rig.disk.name()) - before;
    std::printf("4 MiB of dirty neighbours: %s to the disk\n", to_text(io).c_str());
    EXPECT_EQ(io.write_sectors, 4 * kMiB / 512);
    EXPECT_LE(io.writes, 4 * kMiB / (128 * kKiB));
}

TEST(Removal, says_how_far_it_is_and_a_signal_ends_it_without_loss) {
    constexpr unsigned kBlocks = 2000;
    Rig rig(kSmallSsd, {.mib = 128, .delay_us = 50000, .queue_depth = 1});
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    rig.cache.set("max_clean_ios_total", 1);
    put_scattered(BlockFile(rig.cache.path()), kBlocks);
    KernelLog log;
    Background removal({"dmsetup", "remove", "fc0"});
    std::string said;
    EXPECT_TRUE(eventually([&] {
        said += log.new_lines();
        return said.find("Dirty blocks, Dirty Blocks pct") != std::string::npos;
    })) << said;
    EXPECT_THAT(said, HasSubstr("please WAIT"));
    EXPECT_TRUE(removal.running());
    removal.signal(SIGINT);
    EXPECT_NE(removal.wait(Seconds(20)).status, kTimedOut);
    EXPECT_TRUE(eventually([&] { return !rig.cache.exists(); }));
    rig.load();
    rig.cache.keep_dirty();
    EXPECT_GT(rig.cache.status()["dirty"], 0u);
    EXPECT_LT(rig.cache.status()["dirty"], kBlocks);
    EXPECT_EQ(check_scattered(BlockFile(rig.cache.path()), kBlocks), "");
    rig.cache.fast_remove();
}

TEST(Removal, is_not_cut_short_by_a_stop) {
    constexpr unsigned kBlocks = 100;
    Rig rig(kSmallSsd, {.mib = 128, .delay_us = 50000, .queue_depth = 1});
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    rig.cache.set("max_clean_ios_total", 1);
    put_scattered(BlockFile(rig.cache.path()), kBlocks);
    Background removal({"dmsetup", "remove", "fc0"});
    pause_ms(1000);
    ASSERT_TRUE(removal.running());
    removal.signal(SIGSTOP);
    pause_ms(200);
    removal.signal(SIGCONT);
    EXPECT_EQ(removal.wait().status, 0);
    EXPECT_EQ(check_scattered(BlockFile(rig.disk.path(), BlockFile::kReadOnly), kBlocks), "");
}

TEST(Removal, does_not_wait_for_dirty_blocks_after_fast_remove) {
    Rig rig(kSmallSsd, {.mib = 128, .delay_us = 50000, .queue_depth = 1});
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    put_scattered(BlockFile(rig.cache.path()), 1000);
    const auto disk_before = io_of(rig.disk.name());
    rig.cache.fast_remove();
    EXPECT_EQ((io_of(rig.disk.name()) - disk_before).writes, 0u);
    rig.load();
    EXPECT_EQ(rig.cache.status()["unclean_load"], 0u);
    EXPECT_EQ(check_scattered(BlockFile(rig.cache.path()), 1000), "");
    rig.cache.fast_remove();
}

} // namespace
} // namespace vm
