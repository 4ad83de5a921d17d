// SPDX-License-Identifier: GPL-2.0-only
//
// Reads that the SSD's queue merges into one request, which fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kReads = 8;
constexpr unsigned kOnDisk = 1;

std::uint64_t reads_merged(const std::string &disk) {
    std::istringstream words(read_file("/sys/block/" + disk + "/stat"));
    std::uint64_t reads = 0, merged = 0;
    words >> reads >> merged;
    return merged;
}

// So many reads of a block each, submitted with one call, which holds them back until all are there.
std::array<Buffer, kReads> read_at_once(const std::string &path) {
    std::array<Buffer, kReads> buffers = {Buffer(kBlock), Buffer(kBlock), Buffer(kBlock), Buffer(kBlock),
                                          Buffer(kBlock), Buffer(kBlock), Buffer(kBlock), Buffer(kBlock)};
    std::array<iocb, kReads> calls = {};
    std::array<iocb *, kReads> list = {};
    std::array<io_event, kReads> events = {};
    aio_context_t context = 0;
    const int file = ::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (file < 0 || ::syscall(SYS_io_setup, kReads, &context) != 0)
        throw Failure(path + ": " + std::strerror(errno));
    for (std::size_t i = 0; i < kReads; i++) {
        calls[i].aio_lio_opcode = IOCB_CMD_PREAD;
        calls[i].aio_fildes = static_cast<unsigned>(file);
        calls[i].aio_buf = reinterpret_cast<std::uintptr_t>(buffers[i].data());
        calls[i].aio_nbytes = kBlock;
        calls[i].aio_offset = static_cast<std::int64_t>(i * kBlock);
        list[i] = &calls[i];
    }
    EXPECT_EQ(::syscall(SYS_io_submit, context, kReads, list.data()), static_cast<long>(kReads));
    EXPECT_EQ(::syscall(SYS_io_getevents, context, kReads, kReads, events.data(), nullptr),
              static_cast<long>(kReads));
    for (const io_event &event : events)
        EXPECT_EQ(event.res, static_cast<std::int64_t>(kBlock));
    ::syscall(SYS_io_destroy, context);
    ::close(file);
    return buffers;
}

// The clones are still linked to each other when they go on to the origin one by one, by a worker and
// to a device that must not find a list: dm, as LVM.
TEST(MergedReads, that_fail_are_repeated_on_the_origin_one_by_one) {
    const NullDisk ssd("ssd0", kSmallSsd);
    const NullDisk below("disk0", kDisk);
    const Switch disk("disk", below.path(), below.sectors());
    BlockFile(disk.path()).put(0, kReads * kBlock, kOnDisk);
    Cache cache;
    cache.create(Mode::kBack, ssd.path(), disk.path());
    EXPECT_EQ(BlockFile(cache.path()).check(0, kReads * kBlock, kOnDisk), ""); // fills, side by side
    cache.settle();
    cache.set("cache_all", 0);
    const auto before = reads_merged("ssd0");
    read_at_once(cache.path());
    ASSERT_GT(reads_merged("ssd0"), before);

    const auto place = find_pattern(ssd.path(), ssd.sectors() * 512, kBlock, 0, kOnDisk);
    ssd.go_bad(place / 512, kReads * kBlock / 512);
    const auto buffers = read_at_once(cache.path());
    for (std::size_t i = 0; i < kReads; i++)
        EXPECT_EQ(differs(buffers[i], i * kBlock, kOnDisk), "");
    EXPECT_GE(cache.status()["ssd_read_errors"], kReads);
}

} // namespace
} // namespace vm
