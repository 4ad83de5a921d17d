// SPDX-License-Identifier: GPL-2.0-only
//
// run-vm(Memory): --mem 3072
//
// Main memory of a large cache.
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr unsigned kSsdMib = 66 * 1024; // 64 GiB of blocks and the metadata
constexpr unsigned kDiskMib = 256 * 1024;
constexpr double kMostPerBlock = 12;

// Bytes that the module has from vmalloc(): of each area, /proc/vmallocinfo says who asked.
std::uint64_t vmalloc_bytes() {
    std::uint64_t sum = 0;
    for (const std::string &line : lines(read_file("/proc/vmallocinfo")))
        if (const auto word = words(line);
            word.size() > 2 && line.find("[flashcache]") != std::string::npos)
            sum += number(word[1]);
    return sum;
}

// Bytes in the slabs of the module.
std::uint64_t slab_bytes() {
    std::uint64_t sum = 0;
    for (const std::string &line : lines(read_file("/proc/slabinfo")))
        if (const auto word = words(line);
            word.size() > 3 && (word[0] == "kcached-jobs" || word[0] == "pending-jobs"))
            sum += number(word[2]) * number(word[3]);
    return sum;
}

TEST(Memory, of_a_cache_of_64_gib_is_at_most_12_bytes_a_block) {
    // Disks in memory that take only what is written: the metadata.
    Rig rig({.mib = kSsdMib}, {.mib = kDiskMib});
    const std::uint64_t vmalloc_before = vmalloc_bytes();
    const std::uint64_t slab_before = slab_bytes();
    const unsigned gib = effort(64);
    rig.create(Mode::kBack, {"-s", std::to_string(gib) + "g"});
    const std::uint64_t blocks = rig.cache.status()["blocks"];
    EXPECT_EQ(blocks, std::uint64_t{gib} * 1024 * kMiB / 4096);
    const std::uint64_t vmalloc = vmalloc_bytes() - vmalloc_before;
    const std::uint64_t slab = slab_bytes() - slab_before;
    const double per_block = static_cast<double>(vmalloc + slab) / static_cast<double>(blocks);
    std::printf("%llu blocks: %llu bytes by vmalloc, %llu in slabs, %.2f per block\n",
                (unsigned long long)blocks, (unsigned long long)vmalloc, (unsigned long long)slab,
                per_block);
    EXPECT_GT(vmalloc, blocks) << "too little to be true";
    EXPECT_LE(per_block, kMostPerBlock);

    const BlockFile file(rig.cache.path());
    const std::uint64_t far = std::uint64_t{kDiskMib} * kMiB - kMiB;
    file.put(far, kMiB, 1);
    EXPECT_EQ(file.check(far, kMiB, 1), "");
}

} // namespace
} // namespace vm
