// SPDX-License-Identifier: GPL-2.0-only
//
// Devices that fail or are pulled: what the caller sees, what survives, and that nothing hangs.
#include <cerrno>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rig.h"
#include "system.h"
#include "traffic.h"

namespace vm {
namespace {

constexpr unsigned kOld = 1;
constexpr unsigned kNew = 2;
constexpr std::size_t kBlock = 4096;
constexpr Seconds kRemoveLimit{90};
constexpr std::uint64_t kCleanPlace = 32 * kMiB; // read through the cache, never written

class FailingDevice : public testing::TestWithParam<Mode> {
protected:
    // A cache with blocks that were written (in write-back dirty), and blocks that were read.
    void create() {
        BlockFile(rig_.disk.path()).put(kCleanPlace, kMiB, kOld);
        rig_.create(GetParam());
        rig_.cache.keep_dirty();
        const BlockFile file(rig_.cache.path());
        file.put(0, kMiB, kNew);
        EXPECT_EQ(file.check(kCleanPlace, kMiB, kOld), "");
        rig_.cache.settle();
    }
    const BlockFile &open() { return file_.emplace(rig_.cache.path()); }
    void remove() {
        file_.reset();
        rig_.cache.remove(kRemoveLimit);
    }
    void abandon() {
        file_.reset();
        rig_.cache.abandon();
    }
    static bool back() { return keeps_dirty(GetParam()); }

    // Whatever failed is well again: load and look at what was acknowledged.
    void expect_all_there_after_load() {
        rig_.load();
        rig_.cache.keep_dirty();
        EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, kNew), "");
        EXPECT_EQ(BlockFile(rig_.cache.path()).check(kCleanPlace, kMiB, kOld), "");
        remove();
        EXPECT_EQ(BlockFile(rig_.disk.path()).check(0, kMiB, kNew), "");
        EXPECT_EQ(BlockFile(rig_.disk.path()).check(kCleanPlace, kMiB, kOld), "");
    }

    // Either the right data or an error.
    static void expect_right_or_error(const BlockFile &file, std::uint64_t offset,
                                      unsigned generation, bool error_expected) {
        Buffer buffer(kBlock);
        const int error = file.try_read(offset, buffer);
        EXPECT_EQ(error, error_expected ? EIO : 0) << "at " << offset;
        if (error == 0) {
            EXPECT_EQ(differs(buffer, offset, generation), "");
        }
    }

    SwitchedRig rig_;
    std::optional<BlockFile> file_;
};
INSTANTIATE_TEST_SUITE_P(, FailingDevice, testing::ValuesIn(kModes),
                         testing::PrintToStringParamName());

// ---- the SSD

TEST_P(FailingDevice, reads_of_clean_blocks_survive_the_ssd) {
    create();
    rig_.ssd.pull();
    const BlockFile &file = open();
    EXPECT_EQ(file.check(kCleanPlace, kMiB, kOld), "");
    for (std::uint64_t at = 0; at < kMiB; at += kMiB / 4)
        expect_right_or_error(file, at, kNew, back());
    if (GetParam() != Mode::kWriteOnly) { // which has not tried often enough
        EXPECT_EQ(rig_.cache.status().word("state"), "degraded");
    }
    const auto errors = key_values(rig_.cache.proc("flashcache_errors"));
    EXPECT_GT(number(errors.at("ssd_read_errors")), 0u);
    abandon();
    rig_.ssd.plug();
    expect_all_there_after_load();
}

TEST_P(FailingDevice, writes_go_on_without_the_ssd_where_nothing_dirty_is_lost) {
    create();
    rig_.ssd.pull();
    const BlockFile &file = open();
    if (back()) {
        // The first ones may fail: nobody can know any more what the SSD would say of them.
        for (unsigned i = 0; i < 64; i++)
            file.try_write(96 * kMiB + i * kBlock, pattern(96 * kMiB + i * kBlock, kBlock, kNew));
        EXPECT_EQ(rig_.cache.status().word("state"), "degraded");
        EXPECT_EQ(file.try_write(0, pattern(0, kBlock, kOld)), EIO) << "over a dirty block";
    }
    file.put(64 * kMiB, kMiB, kNew);
    EXPECT_EQ(file.check(64 * kMiB, kMiB, kNew), "");
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(64 * kMiB, kMiB, kNew), "");
    EXPECT_EQ(file.try_flush(), 0);
    abandon();
    rig_.ssd.plug();
    expect_all_there_after_load();
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(64 * kMiB, kMiB, kNew), "");
}

TEST_P(FailingDevice, what_was_written_without_the_ssd_is_not_hidden_by_its_old_blocks) {
    create();
    rig_.ssd.pull();
    const BlockFile &file = open();
    for (unsigned i = 0; i < 64; i++) // until it is known to have failed
        file.try_write(96 * kMiB + i * kBlock, pattern(96 * kMiB + i * kBlock, kBlock, kNew));
    file.put(kCleanPlace, kMiB, kNew);
    rig_.ssd.plug();
    EXPECT_EQ(file.check(kCleanPlace, kMiB, kNew), "") << "the SSD still has generation 1";
    run({"dmsetup", "message", "fc0", "0", "clear_errors"});
    EXPECT_EQ(file.check(kCleanPlace, kMiB, kNew), "");
    rig_.ssd.pull();
    abandon();
    rig_.ssd.plug();
    rig_.load();
    EXPECT_EQ(BlockFile(rig_.cache.path()).check(kCleanPlace, kMiB, kNew), "");
    EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, kNew), "");
}

TEST_P(FailingDevice, a_mended_ssd_caches_again_after_clear_errors) {
    create();
    rig_.ssd.pull();
    const BlockFile &file = open();
    for (std::uint64_t at = 0; at < kMiB; at += kBlock) { // reads only: the log has not failed
        Buffer buffer(kBlock);
        EXPECT_EQ(file.try_read(kCleanPlace + at, buffer), 0);
    }
    for (std::uint64_t at = 0; at < 32 * kBlock; at += kBlock) {
        Buffer buffer(kBlock);
        file.try_read(at, buffer);
    }
    EXPECT_EQ(rig_.cache.status().word("state"), "degraded");
    rig_.ssd.plug();
    rig_.cache.message("clear_errors");
    EXPECT_EQ(rig_.cache.status().word("state"), "ok");
    file.put(64 * kMiB, kMiB, kNew);
    EXPECT_EQ(file.check(64 * kMiB, kMiB, kNew), "");
    EXPECT_EQ(file.check(0, kMiB, kNew), "");
    rig_.cache.settle();
    const auto before = io_of(rig_.disk.kernel_name()).reads;
    EXPECT_EQ(file.check(64 * kMiB, kMiB, kNew), "");
    EXPECT_EQ(io_of(rig_.disk.kernel_name()).reads, before) << "not cached";
    remove();
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(0, kMiB, kNew), "");
}

TEST_P(FailingDevice, an_ssd_that_only_reads_keeps_what_is_dirty) {
    create();
    rig_.ssd.fail_writes();
    const BlockFile &file = open();
    for (unsigned i = 0; i < 64; i++) {
        const std::uint64_t at = 64 * kMiB + i * kBlock;
        const int error = file.try_write(at, pattern(at, kBlock, kNew));
        if (!back()) {
            EXPECT_EQ(error, 0) << i;
        }
        if (error == 0) {
            EXPECT_EQ(file.check(at, kBlock, kNew), "") << i;
        }
    }
    EXPECT_EQ(file.check(0, kMiB, kNew), "");
    EXPECT_EQ(file.check(kCleanPlace, kMiB, kOld), "");
    abandon();
    rig_.ssd.plug();
    expect_all_there_after_load();
}

// ---- the disk

TEST_P(FailingDevice, a_cache_serves_what_it_has_without_the_disk) {
    create();
    rig_.disk.pull();
    const BlockFile &file = open();
    Buffer buffer(kBlock);
    EXPECT_EQ(file.try_read(96 * kMiB, buffer), EIO) << "not cached";
    expect_right_or_error(file, kCleanPlace, kOld, GetParam() == Mode::kWriteOnly);
    expect_right_or_error(file, 0, kNew, GetParam() == Mode::kAround);
    EXPECT_EQ(file.try_write(64 * kMiB, pattern(64 * kMiB, kBlock, kNew)), back() ? 0 : EIO);
    if (back()) {
        EXPECT_EQ(file.check(64 * kMiB, kBlock, kNew), "");
    }
    rig_.disk.plug();
    if (!back())
        file.put(64 * kMiB, kBlock, kNew);
    EXPECT_EQ(file.check(64 * kMiB, kBlock, kNew), "");
    remove();
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(64 * kMiB, kBlock, kNew), "");
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(0, kMiB, kNew), "");
}

TEST_P(FailingDevice, removal_without_the_disk_ends_and_keeps_what_is_dirty) {
    create();
    rig_.disk.pull();
    remove();
    EXPECT_FALSE(rig_.cache.exists());
    rig_.disk.plug();
    expect_all_there_after_load();
}

TEST_P(FailingDevice, cleaning_goes_on_when_the_disk_is_back) {
    create();
    rig_.disk.pull();
    rig_.cache.set("do_sync", 1);
    pause_ms(3000);
    EXPECT_EQ(rig_.cache.status()["dirty"], back() ? kMiB / kBlock : 0u);
    rig_.disk.plug();
    rig_.cache.set("do_sync", 1);
    EXPECT_TRUE(eventually([this] { return rig_.cache.status()["dirty"] == 0; }, Seconds(70)));
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(0, kMiB, kNew), "");
}

// ---- both, and under load

TEST_P(FailingDevice, removal_without_any_device_ends) {
    create();
    rig_.ssd.pull();
    rig_.disk.pull();
    remove();
    rig_.ssd.plug();
    rig_.disk.plug();
    expect_all_there_after_load();
}

class PulledDevice : public testing::TestWithParam<Mode> {
protected:
    // Traffic while a device goes and comes back; then all that was acknowledged is looked for.
    void pull_under_load(Switch &device) {
        rig_.create(GetParam(), {"-s", "4m"});
        rig_.cache.set("idle_delay_ms", 20);
        Ledger ledger(8192, 1024);
        Traffic traffic(rig_.cache.path(), ledger,
                        {.writers = 4, .readers = 3, .longest = 64, .errors_allowed = true});
        pause_ms(2000);
        device.pull();
        pause_ms(3000);
        EXPECT_EQ(traffic.complaint(), "");
        EXPECT_GT(traffic.errors(), 0u) << "the test shows nothing";
        traffic.stop();
        std::printf("%s: %llu writes, %llu reads, %llu errors\n", status_word(GetParam()).c_str(),
                    (unsigned long long)traffic.writes(), (unsigned long long)traffic.reads(),
                    (unsigned long long)traffic.errors());
        rig_.cache.remove(kRemoveLimit);
        device.plug();
        rig_.load();
        EXPECT_EQ(ledger.check(BlockFile(rig_.cache.path()), Ledger::kAcknowledged), "");
        rig_.cache.remove(kRemoveLimit);
        EXPECT_EQ(ledger.check(BlockFile(rig_.disk.path()), Ledger::kAcknowledged), "");
    }

    SwitchedRig rig_;
};
INSTANTIATE_TEST_SUITE_P(, PulledDevice, testing::ValuesIn(kModes),
                         testing::PrintToStringParamName());

TEST_P(PulledDevice, ssd_under_load_takes_no_acknowledged_write_along) {
    if (!keeps_dirty(GetParam())) {
        GTEST_SKIP() << "without the SSD this mode has no errors: see the next test";
    }
    pull_under_load(rig_.ssd);
}

TEST_P(PulledDevice, disk_under_load_takes_no_acknowledged_write_along) {
    pull_under_load(rig_.disk);
}

TEST_P(PulledDevice, ssd_is_not_noticed_by_callers_of_a_cache_without_dirty_blocks) {
    if (keeps_dirty(GetParam()))
        GTEST_SKIP() << "dirty blocks are noticed";
    rig_.create(GetParam(), {"-s", "4m"});
    Ledger ledger(8192, 1024);
    Traffic traffic(rig_.cache.path(), ledger, {.writers = 4, .readers = 3, .longest = 64});
    for (unsigned round = 0; round < 3; round++) {
        pause_ms(1000);
        rig_.ssd.pull();
        pause_ms(1000);
        rig_.ssd.plug();
        run({"dmsetup", "message", "fc0", "0", "clear_errors"});
    }
    traffic.stop();
    EXPECT_EQ(traffic.complaint(), "");
    EXPECT_EQ(ledger.check(BlockFile(rig_.cache.path()), Ledger::kAcknowledged), "");
    rig_.cache.remove(kRemoveLimit);
    EXPECT_EQ(ledger.check(BlockFile(rig_.disk.path()), Ledger::kAcknowledged), "");
}

TEST_P(PulledDevice, that_only_pauses_is_waited_for) {
    rig_.create(GetParam());
    Ledger ledger(2048, 4096);
    Traffic traffic(rig_.cache.path(), ledger, {.writers = 3, .readers = 3, .longest = 16});
    for (Switch *device : {&rig_.ssd, &rig_.disk}) {
        pause_ms(500);
        device->hold();
        pause_ms(2000);
        device->release();
    }
    traffic.stop();
    EXPECT_EQ(traffic.complaint(), "");
    EXPECT_EQ(ledger.check(BlockFile(rig_.cache.path()), Ledger::kAcknowledged), "");
}

} // namespace
} // namespace vm
