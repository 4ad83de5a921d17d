// SPDX-License-Identifier: GPL-2.0-only
//
// Suspend, resume and reload of a cache that is in use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "fio.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::HasSubstr;

constexpr unsigned kNew = 2;

class Reload : public testing::Test {
protected:
    std::string line(const std::string &rest) const {
        return table_line(rig_.disk.sectors(), rig_.disk.path(), rig_.ssd.path(), "fc0 " + rest);
    }
    void load(const std::string &table) const {
        must({"dmsetup", "load", "fc0", "--table", table});
    }
    void resume() const { must({"dmsetup", "resume", "fc0"}); }
    void suspend() const { must({"dmsetup", "suspend", "fc0"}); }
    void change_mode(Mode mode) const {
        load(line(table_words(mode, 1)));
        resume();
        EXPECT_EQ(rig_.cache.status().word("mode"), status_word(mode));
    }

    // A writer that verifies, on the device or on a file.
    static Fio writer(const std::string &file) {
        return Fio(file, {"--rw=randwrite", "--bs=4k",
                          "--size=" + std::to_string(effort(24)) + "m", "--iodepth=16",
                          "--verify_backlog=64", "--loops=3"});
    }

    Rig rig_;
};

TEST_F(Reload, changes_the_mode_under_io) {
    rig_.create(Mode::kBack);
    Background fio(writer(rig_.cache.path()).arguments());
    unsigned changes = 0;
    while (fio.running() || changes < kModes.size())
        change_mode(kModes[++changes % kModes.size()]);
    Fio::check(fio.wait());
    EXPECT_GE(changes, kModes.size());
    std::printf("%u changes of the mode\n", changes);
}

TEST(ReloadAndCrash, the_load_is_in_the_mode_of_the_reload) {
    SwitchedRig rig;
    rig.create(Mode::kBack);
    must({"dmsetup", "load", "fc0", "--table",
          table_line(rig.disk.sectors(), rig.disk.path(), rig.ssd.path(),
                     "fc0 " + table_words(Mode::kThru, 1))});
    must({"dmsetup", "resume", "fc0"});
    rig.cut_power();
    rig.remove_dead();
    rig.load();
    EXPECT_EQ(rig.cache.status().word("mode"), status_word(Mode::kThru));
}

TEST_F(Reload, applies_the_options_of_a_new_table_but_not_again_after_a_suspend) {
    const std::string options = table_words(Mode::kBack, 1) + " 8 0 0 0 0 8 2 dirty_thresh_pct ";
    rig_.create(Mode::kBack);
    load(line(options + "30"));
    resume();
    EXPECT_EQ(rig_.cache.get("dirty_thresh_pct"), 30u);
    rig_.cache.set("dirty_thresh_pct", 50);
    suspend();
    resume();
    EXPECT_EQ(rig_.cache.get("dirty_thresh_pct"), 50u);
    load(line(options + "40"));
    resume();
    EXPECT_EQ(rig_.cache.get("dirty_thresh_pct"), 40u);
}

TEST_F(Reload, refuses_a_table_for_a_disk_that_has_grown) {
    const Switch disk("grows", rig_.disk.path(), rig_.disk.sectors() / 2);
    rig_.cache.create(Mode::kBack, rig_.ssd.path(), disk.path());
    must({"dmsetup", "load", "grows", "--table",
          "0 " + std::to_string(rig_.disk.sectors()) + " linear " + rig_.disk.path() + " 0"});
    must({"dmsetup", "resume", "grows"});
    KernelLog log;
    const auto table = table_line(rig_.disk.sectors(), disk.path(), rig_.ssd.path(), "fc0 1 1");
    EXPECT_NE(run({"dmsetup", "load", "fc0", "--table", table}).status, 0);
    EXPECT_THAT(log.new_lines(), HasSubstr("longer than the disk was"));
    rig_.cache.remove();
}

TEST_F(Reload, changes_the_mode_below_a_mounted_file_system) {
    load_module("ext4");
    rig_.create(Mode::kBack);
    must({"mkfs.ext4", "-q", rig_.cache.path()});
    must({"mount", "-t", "ext4", rig_.cache.path(), "/mnt"});
    {
        Background fio(writer("/mnt/file").arguments());
        for (unsigned changes = 0; fio.running();)
            change_mode(kModes[++changes % kModes.size()]);
        Fio::check(fio.wait());
    }
    must({"umount", "/mnt"});
    must({"e2fsck", "-fn", rig_.cache.path()});
    rig_.cache.remove();
    must({"e2fsck", "-fn", rig_.disk.path()});
}

TEST_F(Reload, of_a_mode_that_does_not_keep_dirty_blocks_loses_none) {
    rig_.create(Mode::kBack);
    rig_.cache.keep_dirty();
    BlockFile(rig_.cache.path()).put(0, 2 * kMiB, kNew);
    change_mode(Mode::kAround);
    const BlockFile file(rig_.cache.path());
    EXPECT_EQ(file.check(0, 2 * kMiB, kNew), "");
    file.put(kMiB, 2 * kMiB, kNew + 1); // over dirty blocks and others
    EXPECT_EQ(file.check(0, kMiB, kNew), "");
    EXPECT_EQ(file.check(kMiB, 2 * kMiB, kNew + 1), "");
    change_mode(Mode::kBack);
    EXPECT_EQ(file.check(0, kMiB, kNew), "");
    EXPECT_EQ(file.check(kMiB, 2 * kMiB, kNew + 1), "");
}

TEST_F(Reload, applies_the_options_of_the_new_table) {
    rig_.create(Mode::kBack);
    load(line("1 1 8 0 0 0 0 0 2 fallow_delay 123"));
    resume();
    EXPECT_EQ(rig_.cache.get("fallow_delay"), 123u);
}

TEST_F(Reload, with_the_printed_table_changes_nothing) {
    rig_.create(Mode::kWriteOnly);
    const std::string table = rig_.cache.table();
    load(table);
    resume();
    EXPECT_EQ(rig_.cache.table(), table);
    EXPECT_EQ(rig_.cache.status().word("mode"), status_word(Mode::kWriteOnly));
}

TEST_F(Reload, that_would_make_the_cache_anew_is_refused) {
    rig_.create(Mode::kBack);
    BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
    EXPECT_NE(run({"dmsetup", "load", "fc0", "--table", line("1 2")}).status, 0);
    EXPECT_NE(run({"dmsetup", "load", "fc0", "--table", line("1 3")}).status, 0);
    EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, kNew), "");
    EXPECT_EQ(rig_.cache.status().word("state"), "ok");
}

TEST_F(Reload, with_other_devices_or_another_target_is_refused) {
    NullDisk other("other", kDisk);
    rig_.create(Mode::kBack);
    rig_.cache.keep_dirty();
    BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
    const std::string sectors = std::to_string(rig_.disk.sectors());
    for (const std::string &table :
         {table_line(rig_.disk.sectors(), other.path(), rig_.ssd.path(), "fc0 1 1"),
          "0 " + sectors + " linear " + rig_.disk.path() + " 0"}) {
        const bool loaded = run({"dmsetup", "load", "fc0", "--table", table}).status == 0;
        EXPECT_FALSE(loaded && run({"dmsetup", "resume", "fc0"}).status == 0) << table;
        run({"dmsetup", "clear", "fc0"});
        resume();
        EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, kNew), "");
    }
}

TEST_F(Reload, that_is_dropped_leaves_the_live_table) {
    rig_.create(Mode::kBack);
    load(line("2 1"));
    must({"dmsetup", "clear", "fc0"});
    suspend();
    resume();
    EXPECT_EQ(rig_.cache.status().word("mode"), status_word(Mode::kBack));
}

TEST_F(Reload, or_suspend_can_come_at_any_time_under_io) {
    rig_.create(Mode::kBack);
    Background fio(writer(rig_.cache.path()).arguments());
    unsigned rounds = 0;
    for (; fio.running() || rounds < 3; rounds++) {
        suspend();
        pause_ms(rounds % 3 * 50);
        resume();
    }
    Fio::check(fio.wait());
    std::printf("%u times suspended\n", rounds);
}

TEST_F(Reload, nothing_is_written_while_suspended) {
    rig_.create(Mode::kBack);
    rig_.cache.keep_dirty();
    BlockFile(rig_.cache.path()).put(0, 8 * kMiB, kNew);
    suspend();
    rig_.cache.set("idle_delay_ms", 100);
    const auto ssd_before = io_of(rig_.ssd.name());
    const auto disk_before = io_of(rig_.disk.name());
    pause_ms(3000);
    EXPECT_EQ((io_of(rig_.ssd.name()) - ssd_before).all(), 0u);
    EXPECT_EQ((io_of(rig_.disk.name()) - disk_before).all(), 0u);
    EXPECT_GT(rig_.cache.status()["dirty"], 0u) << "the test shows nothing";
    resume();
    EXPECT_TRUE(eventually([this] { return rig_.cache.status()["dirty"] == 0; }));
}

TEST_F(Reload, a_suspended_cache_can_be_removed) {
    rig_.create(Mode::kBack);
    rig_.cache.keep_dirty();
    BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
    suspend();
    rig_.cache.remove(Seconds(60));
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(0, kMiB, kNew), "");
}

} // namespace
} // namespace vm
