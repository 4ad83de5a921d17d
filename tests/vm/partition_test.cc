// SPDX-License-Identifier: GPL-2.0-only
//
// A cache device that is a partition: no I/O may miss the partition's offset.
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"

namespace vm {
namespace {

constexpr unsigned kOld = 1;
constexpr unsigned kNew = 2;
constexpr std::uint64_t kFirstSector = 4096;
constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kRun = 64 * kKiB;

TEST(CacheOnPartition, repeats_a_failed_read_at_the_right_place) {
    const NullDisk ssd("ssd0", {.mib = 16});
    const NullDisk disk("disk0", {.mib = 32});
    const Partition partition(ssd, kFirstSector);
    BlockFile(disk.path()).put(0, kRun, kOld);
    Cache cache;
    cache.create(Mode::kBack, partition.path(), disk.path(), {"-s", "4m"});
    cache.keep_dirty();
    {
        const BlockFile file(cache.path());
        EXPECT_EQ(file.check(0, kRun, kOld), ""); // now they lie side by side
        cache.settle();
        for (std::uint64_t at = 0; at < kRun; at += kBlock)
            if (at != 8 * kBlock)
                file.put(at, kBlock, kNew);
        cache.settle();
    }
    ssd.go_bad(find_pattern(ssd.path(), ssd.sectors() * 512, kBlock, 8 * kBlock, kOld) / 512, 1);
    {
        // One request: it fails, and is repeated block by block, here and on the disk.
        const Buffer run = BlockFile(cache.path()).read(0, kRun);
        for (std::uint64_t at = 0; at < kRun; at += kBlock) {
            Buffer block(kBlock);
            std::copy_n(run.data() + at, kBlock, block.data());
            EXPECT_EQ(differs(block, at, at == 8 * kBlock ? kOld : kNew), "") << at;
        }
    }
    EXPECT_GT(cache.status()["ssd_read_errors"], 0u);
    cache.remove();
    EXPECT_EQ(BlockFile(disk.path()).check(0, 8 * kBlock, kNew), "");
}

} // namespace
} // namespace vm
