// SPDX-License-Identifier: GPL-2.0-only
//
// Each allocation, and each request, that a call makes fails once.  Needs a checked kernel, whose
// kmemleak also says that nothing is lost.
//
// The kernel prints a trace when it cannot make a slab cache, and then loses the cache's name, of
// at most 8 bytes (6.1: sysfs_slab_add(); for a bioset of dm itself, too):
// run-vm(Fault): --allow Call.Trace:|size.8.:|new.suspected.memory.leaks
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include "block_file.h"
#include "faults.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr unsigned kNew = 7;

// One after the other at first.  Tables fill reserves by a thousand like allocations: of these,
// some. FAULT_EVERY=N in the environment: only every Nth, for a quick look.
unsigned next(unsigned nth) {
    static const char *const every = std::getenv("FAULT_EVERY");
    return nth + (every == nullptr ? 1 : std::max(1, std::atoi(every))) + nth / 64;
}

class Fault : public testing::Test {
protected:
    void SetUp() override {
        if (!Faults::available())
            GTEST_SKIP() << "this kernel has no fault injection";
        rig_.create(Mode::kBack);
        rig_.cache.keep_dirty();
        BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
        table_ = rig_.cache.table();
        rig_.cache.fast_remove();
    }

    // The life of a device: each call is one step.
    int step(int which) const {
        switch (which) {
        case kCreate:
            return mapper_.create();
        case kLoad:
            return mapper_.load(table_);
        case kResume:
            return mapper_.resume();
        case kSuspend:
            return mapper_.suspend();
        default:
            return mapper_.remove();
        }
    }
    // It may be there or not; what is dirty stays so.
    void take_down() const {
        try_write_file(rig_.cache.sysctl_path("idle_delay_ms"), "0");
        try_write_file(rig_.cache.sysctl_path("fast_remove"), "1");
        const int error = mapper_.remove();
        ASSERT_TRUE(error == 0 || error == ENXIO) << std::strerror(error);
    }
    void sweep(int which) {
        std::set<int> errors;
        unsigned failed = 0;
        unsigned nth = 1;
        for (bool reached = true; reached; nth = next(nth)) {
            for (int before = kCreate; before < which; before++)
                ASSERT_EQ(step(before), 0) << "without a fault, before " << nth;
            if (which == kRemove)
                try_write_file(rig_.cache.sysctl_path("fast_remove"), "1");
            int error = 0;
            {
                const Faults faults;
                reached = faults.in(nth, [&] { error = step(which); });
            }
            if (error != 0) {
                errors.insert(error);
                failed++;
            }
            EXPECT_TRUE(reached || error == 0) << "without a fault: " << std::strerror(error);
            take_down();
            if (HasFatalFailure())
                return;
        }
        std::printf("faults up to %u, %u calls failed\n", nth, failed);
        for (const int error : errors)
            EXPECT_EQ(error, ENOMEM) << std::strerror(error);
        check_data();
    }
    // What was written is there, whatever happened; and cleaning brings it to the disk.
    void check_data() {
        rig_.load();
        EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, kNew), "");
        rig_.cache.remove();
        EXPECT_EQ(BlockFile(rig_.disk.path()).check(0, kMiB, kNew), "");
    }

    enum { kCreate, kLoad, kResume, kSuspend, kRemove };

    Rig rig_;
    const Mapper mapper_{"fc0"};
    std::string table_;
};

TEST_F(Fault, in_load_of_a_table_is_an_error_and_nothing_else) {
    sweep(kLoad);
}

TEST_F(Fault, in_resume_is_an_error_and_nothing_else) {
    sweep(kResume);
}

TEST_F(Fault, in_suspend_is_an_error_and_nothing_else) {
    sweep(kSuspend);
}

TEST_F(Fault, in_removal_is_an_error_and_nothing_else) {
    sweep(kRemove);
}

// Reads and writes whose nth allocation or request fails.
class FaultyIo : public Fault {
protected:
    void SetUp() override {
        Fault::SetUp();
        if (IsSkipped())
            return;
        rig_.load();
        rig_.cache.keep_dirty();
        for (const NullDisk *disk : {&rig_.ssd, &rig_.disk})
            write_file("/sys/block/" + disk->name() + "/make-it-fail", "1");
    }

    // The call returns errno; it is repeated until no fault is reached.  How many failed.
    template <typename Call> unsigned each(Call call) {
        unsigned failed = 0;
        const Faults faults;
        bool reached = true;
        for (unsigned nth = 1; reached; nth++) {
            int error = 0;
            reached = faults.in(nth, [&] { error = call(nth); });
            failed += error != 0;
            EXPECT_TRUE(error == 0 || error == EIO || error == ENOMEM) << std::strerror(error);
            EXPECT_TRUE(reached || error == 0) << "without a fault: " << std::strerror(error);
        }
        return failed;
    }
};

TEST_F(FaultyIo, loses_no_other_block_and_can_be_repeated) {
    const std::uint64_t fresh = 4 * kMiB;
    {
        const BlockFile file(rig_.cache.path());
        Buffer buffer(64 * kKiB);
        const unsigned reads = each([&](unsigned) { return file.try_read(0, buffer); });
        const unsigned misses =
            each([&](unsigned nth) { return file.try_read((16 + nth % 100) * kMiB, buffer); });
        const unsigned overwrites =
            each([&](unsigned) { return file.try_write(0, pattern(0, 64 * kKiB, kNew)); });
        const unsigned writes = each([&](unsigned nth) {
            const std::uint64_t at = fresh + nth % 32 * 64 * kKiB;
            return file.try_write(at, pattern(at, 64 * kKiB, kNew));
        });
        std::printf("failed: %u reads of hits, %u of misses, %u overwrites, %u first writes\n",
                    reads, misses, overwrites, writes);
        EXPECT_GT(reads + misses + overwrites + writes, 0u) << "no fault was seen";
        file.put(fresh, 2 * kMiB, kNew);
        EXPECT_EQ(file.check(fresh, 2 * kMiB, kNew), "");
        EXPECT_EQ(file.check(0, kMiB, kNew), "");
    }
    rig_.cache.remove();
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(0, kMiB, kNew), "");
    EXPECT_EQ(BlockFile(rig_.disk.path()).check(fresh, 2 * kMiB, kNew), "");
}

} // namespace
} // namespace vm
