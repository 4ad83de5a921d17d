// SPDX-License-Identifier: GPL-2.0-only
//
// A cache is created, removed and loaded.
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr unsigned kOld = 1;
constexpr unsigned kNew = 2;

class Lifecycle : public testing::TestWithParam<Mode> {};
INSTANTIATE_TEST_SUITE_P(, Lifecycle, testing::ValuesIn(kModes), testing::PrintToStringParamName());

TEST_P(Lifecycle, the_device_has_the_size_of_the_disk_and_the_mode_asked_for) {
    Rig rig;
    rig.create(GetParam());
    EXPECT_EQ(number(read_file("/sys/block/" + rig.cache.kernel_name() + "/size")),
              rig.disk.sectors());
    EXPECT_EQ(rig.cache.status().word("mode"), status_word(GetParam()));
    EXPECT_EQ(rig.cache.status().word("state"), "ok");
    rig.cache.remove();
    EXPECT_FALSE(rig.cache.exists());
}

TEST_P(Lifecycle, what_was_written_is_read_and_is_on_the_disk_after_removal) {
    Rig rig;
    BlockFile(rig.disk.path()).put(0, 2 * kMiB, kOld);
    rig.create(GetParam());
    {
        const BlockFile file(rig.cache.path());
        EXPECT_EQ(file.check(0, 2 * kMiB, kOld), "");
        file.put(kMiB, 2 * kMiB, kNew);
        EXPECT_EQ(file.check(0, kMiB, kOld), "");
        EXPECT_EQ(file.check(kMiB, 2 * kMiB, kNew), "");
    }
    rig.cache.remove();
    const BlockFile disk(rig.disk.path());
    EXPECT_EQ(disk.check(0, kMiB, kOld), "");
    EXPECT_EQ(disk.check(kMiB, 2 * kMiB, kNew), "");
}

TEST_P(Lifecycle, a_loaded_cache_has_its_mode_and_its_blocks_again) {
    Rig rig;
    rig.create(GetParam());
    {
        const BlockFile file(rig.cache.path());
        file.put(0, kMiB, kNew);
        EXPECT_EQ(file.check(0, kMiB, kNew), ""); // around: cached now
    }
    rig.cache.settle();
    const auto cached = rig.cache.status()["cached"];
    EXPECT_EQ(cached, kMiB / 4096);
    rig.cache.remove();
    rig.load();
    EXPECT_EQ(rig.cache.status().word("mode"), status_word(GetParam()));
    EXPECT_EQ(rig.cache.status()["cached"], cached);
    EXPECT_EQ(rig.cache.status()["unclean_load"], 0u);
    const auto before = io_of(rig.disk.name());
    EXPECT_EQ(BlockFile(rig.cache.path()).check(0, kMiB, kNew), "");
    EXPECT_EQ((io_of(rig.disk.name()) - before).reads, 0u) << "the cache is not warm";
}

TEST_P(Lifecycle, a_fast_removal_keeps_what_is_dirty_on_the_ssd) {
    Rig rig;
    rig.create(GetParam());
    rig.cache.keep_dirty();
    BlockFile(rig.cache.path()).put(0, kMiB, kNew);
    const auto dirty = rig.cache.status()["dirty"];
    EXPECT_EQ(dirty, keeps_dirty(GetParam()) ? kMiB / 4096 : 0u);
    rig.cache.fast_remove();
    EXPECT_EQ(BlockFile(rig.disk.path()).check(0, kMiB, kNew) != "", keeps_dirty(GetParam()));
    rig.load();
    rig.cache.keep_dirty();
    EXPECT_EQ(rig.cache.status()["dirty"], dirty);
    EXPECT_EQ(BlockFile(rig.cache.path()).check(0, kMiB, kNew), "");
    rig.cache.remove();
    EXPECT_EQ(BlockFile(rig.disk.path()).check(0, kMiB, kNew), "");
}

TEST_P(Lifecycle, after_a_power_cut_everything_flushed_is_there) {
    SwitchedRig rig({.mib = 40, .cache_mib = 32}, {.mib = 128, .cache_mib = 32});
    rig.create(GetParam());
    rig.cache.keep_dirty();
    {
        const BlockFile file(rig.cache.path());
        file.put(0, kMiB, kOld);
        file.put(kMiB / 2, kMiB, kNew);
        file.flush();
        file.put(8 * kMiB, kMiB, kNew); // not flushed: may be lost
    }
    rig.cut_power();
    rig.remove_dead();
    rig.load();
    EXPECT_EQ(rig.cache.status()["unclean_load"], 1u);
    {
        const BlockFile file(rig.cache.path());
        EXPECT_EQ(file.check(0, kMiB / 2, kOld), "");
        EXPECT_EQ(file.check(kMiB / 2, kMiB, kNew), "");
    }
    rig.cache.remove();
    const BlockFile disk(rig.disk.path());
    EXPECT_EQ(disk.check(0, kMiB / 2, kOld), "");
    EXPECT_EQ(disk.check(kMiB / 2, kMiB, kNew), "");
}

TEST(Removal, waits_until_the_disk_has_everything) {
    Rig rig(kSmallSsd, {.mib = 128, .delay_us = 2000, .queue_depth = 1});
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    BlockFile(rig.cache.path()).put(0, 8 * kMiB, kNew);
    EXPECT_EQ(rig.cache.status()["dirty"], 8 * kMiB / 4096);
    rig.cache.remove();
    EXPECT_EQ(BlockFile(rig.disk.path()).check(0, 8 * kMiB, kNew), "");
}

TEST(Module, cannot_be_unloaded_while_a_cache_lives_and_can_afterwards) {
    {
        Rig rig;
        rig.create(Mode::kBack);
        EXPECT_NE(run({"rmmod", "flashcache"}).status, 0);
        rig.cache.remove();
    }
    must({"rmmod", "flashcache"});
    EXPECT_FALSE(exists("/proc/flashcache"));
    must({"modprobe", "flashcache"});
    EXPECT_TRUE(exists("/proc/flashcache/flashcache_version"));
}

} // namespace
} // namespace vm
