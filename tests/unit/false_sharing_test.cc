// SPDX-License-Identifier: GPL-2.0-only
//
// What processors share: a hit writes to the memory of its set, and to nothing else of the cache.  Else hits of
// different sets would take a cache line from each other.
#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

namespace {

constexpr std::uintptr_t kPage = 4096;

Shape shape_of(bool cache_volatile) {
    Shape shape;
    shape.sets = 4;
    shape.ways = shape.extent = 512; // a set is more than a page
    shape.block_sectors = 1;
    shape.cache_volatile = cache_volatile;
    shape.origin_sectors = 4096;
    return shape;
}

// The memory of the cache, without the pages of one set, may be read only.
void protect_all_but(const World &w, std::uintptr_t set, std::uintptr_t end) {
    const auto base = reinterpret_cast<std::uintptr_t>(w.core) / kPage * kPage;
    const std::uintptr_t pages_end = (base + fc_core_bytes(&w.config)) / kPage * kPage;
    const std::uintptr_t from = set / kPage * kPage;
    const std::uintptr_t to = (end + kPage - 1) / kPage * kPage;
    if (mprotect(reinterpret_cast<void *>(base), from - base, PROT_READ) != 0 ||
        mprotect(reinterpret_cast<void *>(to), pages_end - to, PROT_READ) != 0)
        std::abort();
}

// A hit, with everything else protected.  Status 0: it wrote to its set only.  Runs in a process of its own.
[[noreturn]] void hit_only(World &w, fc_u64 block, bool write) {
    const std::uint32_t nr = w.core->geo.place(block).set;
    const auto set = reinterpret_cast<std::uintptr_t>(w.core->sets) + nr * w.core->layout.bytes;
    const std::uintptr_t end = set + w.core->layout.bytes;
    const auto *around = reinterpret_cast<const char *>(set / kPage * kPage);
    const std::string before(around, (end + kPage - 1) / kPage * kPage - set / kPage * kPage);
    protect_all_but(w, set, end);
    UserRequest &user = write ? w.write(block, 'b') : w.read(block);
    if (user.action != FC_ACT_REMAP_CACHE)
        _exit(2);
    w.complete(0);
    if (user.status != FC_OK)
        _exit(3);
    for (std::size_t i = 0; i < before.size(); i++) {
        const auto at = reinterpret_cast<std::uintptr_t>(around) + i;
        if (around[i] != before[i] && (at < set || at >= end))
            _exit(4);
    }
    _exit(0);
}

bool fails(int status) {
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

class FalseSharing : public testing::TestWithParam<bool> {
protected:
    World w_{shape_of(GetParam())};
    void SetUp() override {
        GTEST_FLAG_SET(death_test_style, "fast");
        w_.make_dirty(1000, 'a');
        w_.make_clean(3000);
        w_.confirm();
    }
};

TEST_P(FalseSharing, a_read_hit_writes_to_its_set_only) {
    EXPECT_EXIT(hit_only(w_, 3000, false), testing::ExitedWithCode(0), "");
    EXPECT_EXIT(hit_only(w_, 1000, false), testing::ExitedWithCode(0), "");
}

TEST_P(FalseSharing, an_overwrite_writes_to_its_set_only) {
    w_.write(1000, 'b'); // the first one since a flush marks the device
    w_.finish();
    EXPECT_EXIT(hit_only(w_, 1000, true), testing::ExitedWithCode(0), "");
}

TEST_P(FalseSharing, would_be_noticed) {
    EXPECT_EXIT(hit_only(w_, 3000, true), fails, ""); // a first write has a record in the log
}

std::string name_of(const testing::TestParamInfo<bool> &device) {
    return device.param ? "with_a_write_cache" : "without_a_write_cache";
}

INSTANTIATE_TEST_SUITE_P(Devices, FalseSharing, testing::Bool(), name_of);

} // namespace
