// SPDX-License-Identifier: GPL-2.0-only
//
// Discards, write-zeroes and flushes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr unsigned kNew = 2;
constexpr std::size_t kBlock = 4096;

bool is_zero(const Buffer &buffer) {
    return buffer == Buffer(buffer.size());
}

// On loop devices, which know discard and write-zeroes.
class Range : public testing::TestWithParam<Mode> {
protected:
    void create() {
        cache_.create(GetParam(), ssd_.path(), disk_.path());
        cache_.keep_dirty();
        const BlockFile file(cache_.path());
        file.put(0, 4 * kMiB, kNew);
        file.read(0, 4 * kMiB);
        cache_.settle();
    }
    void expect_hole(std::uint64_t from, std::uint64_t to) const {
        const BlockFile file(cache_.path());
        EXPECT_EQ(file.check(0, from, kNew), "");
        EXPECT_TRUE(is_zero(file.read(from, to - from)));
        EXPECT_EQ(file.check(to, 4 * kMiB - to, kNew), "");
    }

    LoopDisk ssd_{"ssd", 40};
    LoopDisk disk_{"disk", 64};
    Cache cache_;
};
INSTANTIATE_TEST_SUITE_P(, Range, testing::ValuesIn(kModes), testing::PrintToStringParamName());

TEST_P(Range, that_is_discarded_is_gone_from_cache_and_disk_for_good) {
    create();
    const auto cached = cache_.status()["cached"];
    const auto before = io_of(disk_.name());
    BlockFile(cache_.path()).discard(kMiB, 2 * kMiB);
    EXPECT_GT((io_of(disk_.name()) - before).discards, 0u);
    EXPECT_EQ(cache_.status()["cached"],
              GetParam() == Mode::kWriteOnly || cached != 0 ? cached - 2 * kMiB / kBlock : cached);
    expect_hole(kMiB, 3 * kMiB);
    cache_.fast_remove();
    EXPECT_TRUE(is_zero(BlockFile(disk_.path(), BlockFile::kReadOnly).read(kMiB, 2 * kMiB)));
    cache_.load(ssd_.path());
    expect_hole(kMiB, 3 * kMiB);
}

TEST_P(Range, that_is_zeroed_reads_as_zeroes) {
    create();
    const auto before = cache_.status()["discards"];
    BlockFile(cache_.path()).punch_hole(kMiB, 2 * kMiB);
    EXPECT_GT(cache_.status()["discards"], before) << "no write-zeroes came to the cache";
    expect_hole(kMiB, 3 * kMiB);
    // Files of tmpfs cannot be zeroed without being unmapped: the kernel is told, and writes.
    BlockFile(cache_.path()).zero_out(3 * kMiB, kMiB / 2);
    expect_hole(kMiB, 3 * kMiB + kMiB / 2);
    cache_.remove();
    EXPECT_TRUE(is_zero(BlockFile(disk_.path(), BlockFile::kReadOnly).read(kMiB, 2 * kMiB)));
    cache_.load(ssd_.path());
    expect_hole(kMiB, 3 * kMiB + kMiB / 2);
}

TEST_P(Range, that_begins_and_ends_within_blocks_leaves_their_other_parts) {
    create();
    BlockFile(cache_.path()).punch_hole(kMiB + 512, 2 * kMiB + 1024);
    expect_hole(kMiB + 512, 3 * kMiB + 1536);
    BlockFile(cache_.path()).punch_hole(kBlock + 1024, 512); // within one block
    {
        const BlockFile file(cache_.path());
        EXPECT_EQ(file.check(kBlock, 1024, kNew), "");
        EXPECT_TRUE(is_zero(file.read(kBlock + 1024, 512)));
        EXPECT_EQ(file.check(kBlock + 1536, kBlock - 1536, kNew), "");
    }
    cache_.remove();
    cache_.load(ssd_.path());
    EXPECT_TRUE(is_zero(BlockFile(cache_.path()).read(kBlock + 1024, 512)));
}

TEST_P(Range, that_is_discarded_can_be_written_again) {
    create();
    const BlockFile file(cache_.path());
    for (unsigned round = 1; round <= 8; round++) {
        file.discard(0, 4 * kMiB);
        EXPECT_TRUE(is_zero(file.read(0, kMiB)));
        file.put(0, 4 * kMiB, round);
        EXPECT_EQ(file.check(0, 4 * kMiB, round), "");
    }
    EXPECT_GE(cache_.status()["discards"], 8u);
}

TEST_P(Range, cannot_be_discarded_where_the_disk_cannot) {
    Rig rig;
    rig.create(GetParam());
    EXPECT_EQ(
        number(read_file("/sys/block/" + rig.cache.kernel_name() + "/queue/discard_max_bytes")),
        0u);
    EXPECT_THROW(BlockFile(rig.cache.path()).discard(0, kMiB), Failure);
    BlockFile(rig.cache.path()).put(0, kMiB, kNew);
    BlockFile(rig.cache.path()).zero_out(0, kMiB); // the kernel then writes zeroes
    EXPECT_TRUE(is_zero(BlockFile(rig.cache.path()).read(0, kMiB)));
}

// ---- flushes

class Flush : public testing::TestWithParam<Mode> {
protected:
    struct Count {
        std::uint64_t ssd, disk;
    };
    // Flushes and the like that reach the devices while something is done.
    template <typename Function> Count count(Function function) const {
        const auto ssd = io_of(rig_.ssd.name()).flushes;
        const auto disk = io_of(rig_.disk.name()).flushes;
        function();
        return {io_of(rig_.ssd.name()).flushes - ssd, io_of(rig_.disk.name()).flushes - disk};
    }
    // Write-through data is safe on the disk: what the SSD has of it need not be flushed.
    static void expect_where_data_is(const Count &got) {
        EXPECT_EQ(got.disk, keeps_dirty(GetParam()) ? 0u : 1u);
        EXPECT_EQ(got.ssd, keeps_dirty(GetParam()) ? 1u : 0u);
    }

    Rig rig_{{.mib = 40, .cache_mib = 16}, {.mib = 128, .cache_mib = 16}};
};
INSTANTIATE_TEST_SUITE_P(, Flush, testing::ValuesIn(kModes), testing::PrintToStringParamName());

TEST_P(Flush, goes_where_unflushed_data_is_and_nowhere_else) {
    rig_.create(GetParam());
    rig_.cache.keep_dirty();
    const BlockFile file(rig_.cache.path());
    file.flush();
    Count got = count([&] { file.flush(); });
    EXPECT_EQ(got.ssd, 0u) << "nothing was written";
    EXPECT_EQ(got.disk, 0u) << "nothing was written";
    file.put(0, kMiB, kNew);
    got = count([&] { file.flush(); });
    expect_where_data_is(got);
    got = count([&] { file.flush(); });
    EXPECT_EQ(got.ssd + got.disk, 0u) << "all is flushed";
    file.put(0, kBlock, kNew + 1); // over a dirty block
    got = count([&] { file.flush(); });
    expect_where_data_is(got);
}

TEST_P(Flush, is_counted) {
    rig_.create(GetParam());
    rig_.cache.keep_dirty();
    const BlockFile file(rig_.cache.path());
    const Status before = rig_.cache.status();
    for (unsigned i = 0; i < 10; i++) {
        file.put(i * kBlock, kBlock, kNew);
        file.flush();
    }
    const Status after = rig_.cache.status();
    EXPECT_EQ(after["flushes"] - before["flushes"], 10u);
    EXPECT_EQ(after[keeps_dirty(GetParam()) ? "flush_ssd" : "flush_disk"] -
                  before[keeps_dirty(GetParam()) ? "flush_ssd" : "flush_disk"],
              10u);
}

TEST_P(Flush, does_not_reach_devices_without_a_write_cache) {
    Rig rig(kSmallSsd, kDisk, "1");
    rig.create(GetParam());
    const auto before = io_of(rig.ssd.name()).flushes + io_of(rig.disk.name()).flushes;
    const BlockFile file(rig.cache.path());
    for (unsigned i = 0; i < 10; i++) {
        file.put(i * kBlock, kBlock, kNew);
        file.flush();
    }
    EXPECT_EQ(io_of(rig.ssd.name()).flushes + io_of(rig.disk.name()).flushes, before);
}

} // namespace
} // namespace vm
