// SPDX-License-Identifier: GPL-2.0-only
//
// What is cached and who has to go: scans, long streams, second sight, policies changed under load.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "block_file.h"
#include "command.h"
#include "fio.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kHotBytes = 16 * kMiB; // of a cache of 32 MiB

std::uint64_t stat(const Rig &rig, const std::string &key) {
    return rig.cache.status()[key];
}

void read_all(const BlockFile &file, std::uint64_t from, std::uint64_t bytes,
              std::size_t at_a_time) {
    for (std::uint64_t at = from; at < from + bytes; at += at_a_time)
        file.read(at, at_a_time);
}

// Share of the hot set's blocks that are hits, in per cent.
double hot_share(const Rig &rig, const BlockFile &file) {
    const std::uint64_t before = stat(rig, "read_hits");
    read_all(file, 0, kHotBytes, kBlock);
    return 100.0 * static_cast<double>(stat(rig, "read_hits") - before) / (kHotBytes / kBlock);
}

// A hot set that was read three times, with other reads between.
void heat(const Rig &rig, const BlockFile &file) {
    for (int i = 0; i < 3; i++) {
        read_all(file, 0, kHotBytes, kBlock);
        rig.cache.settle();
        read_all(file, 32 * kMiB + i * 4 * kMiB, 4 * kMiB, 64 * kKiB);
        rig.cache.settle();
    }
}

constexpr DiskOptions kLargeDisk = {.mib = 1280};
constexpr std::uint64_t kScanFrom = 128 * kMiB;
const std::uint64_t kScanBytes = effort(1024) * kMiB;

TEST(SequentialScan, of_a_gigabyte_leaves_the_hot_set_alone_with_a_threshold) {
    Rig rig(kSmallSsd, kLargeDisk);
    rig.create(Mode::kBack);
    const BlockFile file(rig.cache.path());
    heat(rig, file);
    const double before = hot_share(rig, file);
    rig.cache.set("skip_seq_thresh_kb", 1024);
    const auto skipped = stat(rig, "uncached_sequential_reads");
    read_all(file, kScanFrom, kScanBytes / 2, 256 * kKiB);
    const double during = hot_share(rig, file);
    read_all(file, kScanFrom + kScanBytes / 2, kScanBytes / 2, 256 * kKiB);
    const double after = hot_share(rig, file);
    std::printf("hot set: %.1f %% before, %.1f %% during, %.1f %% after the scan\n", before, during,
                after);
    EXPECT_GE(before, 99);
    EXPECT_GE(during, 99);
    EXPECT_GE(after, 99);
    EXPECT_GE(stat(rig, "uncached_sequential_reads") - skipped, (kScanBytes - 4 * kMiB) / kBlock);
}

TEST(SequentialScan, of_a_gigabyte_leaves_the_hot_set_alone_without_one_under_the_default_policy) {
    Rig rig(kSmallSsd, kLargeDisk);
    rig.create(Mode::kBack);
    const BlockFile file(rig.cache.path());
    heat(rig, file);
    const double before = hot_share(rig, file);
    read_all(file, kScanFrom, kScanBytes, 256 * kKiB);
    rig.cache.settle();
    const double after = hot_share(rig, file);
    std::printf("hot set: %.1f %% before, %.1f %% after the scan\n", before, after);
    EXPECT_GE(after, 90);
    rig.cache.set("reclaim_policy", 0); // fifo has no defence
    heat(rig, file);
    read_all(file, kScanFrom, kScanBytes, 256 * kKiB);
    rig.cache.settle();
    EXPECT_LE(hot_share(rig, file), 10);
}

TEST(SequentialScan, of_writes_has_a_threshold_of_its_own) {
    Rig rig(kSmallSsd, kLargeDisk);
    rig.create(Mode::kBack);
    rig.cache.keep_dirty();
    rig.cache.set("skip_seq_write_thresh_kb", 1024);
    const BlockFile file(rig.cache.path());
    for (std::uint64_t at = 0; at < 16 * kMiB; at += 256 * kKiB)
        file.put(at, 256 * kKiB, 3);
    EXPECT_GE(stat(rig, "uncached_sequential_writes"), 14 * kMiB / kBlock);
    EXPECT_LE(stat(rig, "dirty"), 2 * kMiB / kBlock);
    EXPECT_EQ(file.check(0, 16 * kMiB, 3), "");
    rig.cache.sync();
    EXPECT_EQ(BlockFile(rig.disk.path(), BlockFile::kReadOnly).check(0, 16 * kMiB, 3), "");
}

TEST(SecondMiss, brings_a_block_in_where_that_is_asked_for) {
    Rig rig;
    rig.create(Mode::kBack);
    rig.cache.set("admission", 1);
    const BlockFile file(rig.cache.path());
    read_all(file, 0, kMiB, kBlock);
    rig.cache.settle();
    EXPECT_EQ(stat(rig, "cached"), 0u);
    EXPECT_EQ(stat(rig, "admission_refusals"), kMiB / kBlock);
    read_all(file, 0, kMiB, kBlock);
    rig.cache.settle();
    EXPECT_GE(stat(rig, "cached"), kMiB / kBlock * 9 / 10) << "but for ghosts that were pushed out";
}

// Policies follow each other while fio writes and verifies.
class Policies : public testing::TestWithParam<Mode> {};
INSTANTIATE_TEST_SUITE_P(, Policies, testing::ValuesIn(kModes));

TEST_P(Policies, may_change_under_load) {
    Rig rig;
    rig.create(GetParam());
    std::atomic<bool> stop = false;
    unsigned changes = 0;
    std::thread changer([&] {
        for (unsigned i = 0; !stop; i++, changes++) {
            rig.cache.set("reclaim_policy", i % 3);
            rig.cache.set("lru_hot_pct", i * 7 % 101);
            rig.cache.set("admission", i % 2);
        }
    });
    Fio(rig.cache.path(), {"--rw=randrw", "--bs=4k", "--size=96m", "--io_size=24m", "--iodepth=16",
                           "--ioengine=libaio", "--direct=1", "--verify=crc32c"})
        .run();
    stop = true;
    changer.join();
    std::printf("%u changes\n", changes);
    EXPECT_GE(changes, 20u);
    EXPECT_EQ(stat(rig, "waiting"), 0u);
    rig.cache.set("reclaim_policy", 2);
    EXPECT_EQ(stat(rig, "lru_hot_blocks"), 0u);
}

} // namespace
} // namespace vm
