// SPDX-License-Identifier: GPL-2.0-only
#include "legacy_cache.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "support/fake_device.h"

namespace tools::test {
namespace {

constexpr std::uint64_t kSectors = 65536; // 32 MiB

// An SSD as flashcache 3 left it, written at the offsets of its documentation.
class LegacyCacheTest : public testing::Test {
protected:
    LegacyCacheTest() : device_(kSectors) {
        put<std::uint64_t>(0, 7680); // 15 sets
        put<std::uint32_t>(8, 8);
        put<std::uint32_t>(12, 512);
        put<std::uint32_t>(16, 0xcafefeed);
        device_.poke(20, "oldcache", 9);
        put<std::uint64_t>(152, kSectors);
        device_.poke(160, "/dev/sdz", 9);
        put<std::uint64_t>(288, 1 << 20);
        put<std::uint32_t>(296, 4);
        put<std::uint32_t>(300, 8);
    }

    template <typename T> void put(std::uint64_t at, T value) {
        device_.poke(at, &value, sizeof(value));
    }

    void set_slot(unsigned slot, std::uint32_t state, unsigned metadata_sectors = 8) {
        put<std::uint32_t>(metadata_sectors * 512 + slot * 16 + 8, state);
    }

    FakeDevice device_;
};

TEST_F(LegacyCacheTest, an_empty_device_holds_none) {
    const FakeDevice empty(kSectors);
    EXPECT_FALSE(find_legacy_cache(empty.open()));
    const FakeDevice tiny(1);
    EXPECT_FALSE(find_legacy_cache(tiny.open()));
}

TEST_F(LegacyCacheTest, each_of_the_four_states_is_recognised) {
    for (const std::uint32_t state : {0xdeadbeefu, 0xfacecafeu, 0xcafefeedu, 0xc8249756u}) {
        put(16, state);
        const auto cache = find_legacy_cache(device_.open());
        ASSERT_TRUE(cache);
        EXPECT_EQ(cache->version, 4u);
        EXPECT_EQ(cache->nr_blocks, 7680u);
        EXPECT_EQ(cache->disk_path, "/dev/sdz");
    }
}

TEST_F(LegacyCacheTest, dirty_slots_are_counted_to_the_last_one) {
    set_slot(0, 0x42);
    set_slot(1, 0x02);
    set_slot(2, 0x01);
    set_slot(7679, 0x42);
    set_slot(7680, 0x42); // behind the last block: no slot
    const DeviceFile file = device_.open();
    EXPECT_EQ(count_legacy_dirty(file, *find_legacy_cache(file)), 2u);
}

TEST_F(LegacyCacheTest, metadata_blocks_of_version_1_are_one_sector) {
    put<std::uint32_t>(296, 1);
    put<std::uint32_t>(300, 0xffffffff);
    set_slot(0, 0x42, 1);
    const DeviceFile file = device_.open();
    EXPECT_EQ(count_legacy_dirty(file, *find_legacy_cache(file)), 1u);
}

TEST_F(LegacyCacheTest, contradictions_mean_that_dirty_blocks_cannot_be_excluded) {
    const struct {
        std::uint64_t at;
        std::uint32_t value;
    } lies[] = {{8, 0},   {8, 3},   {300, 0}, {300, 7}, {300, 1u << 31},
                {296, 5}, {296, 0}, {4, 1},   {0, 0},   {0, 60000}};
    for (const auto &lie : lies) {
        const std::string kept = device_.peek(lie.at, 4);
        put(lie.at, lie.value);
        const DeviceFile file = device_.open();
        const auto cache = find_legacy_cache(file);
        ASSERT_TRUE(cache);
        EXPECT_FALSE(count_legacy_dirty(file, *cache)) << lie.at << ": " << lie.value;
        device_.poke(lie.at, kept.data(), kept.size());
    }
}

TEST_F(LegacyCacheTest, an_unterminated_path_with_escapes_is_made_printable) {
    device_.poke(160, std::string(128, '\x1b').data(), 128);
    EXPECT_EQ(find_legacy_cache(device_.open())->disk_path, std::string(128, '?'));
}

TEST_F(LegacyCacheTest, destroying_it_clears_the_state_and_nothing_else) {
    std::string before = device_.peek(0, 8192);
    wipe_legacy_cache(device_.open());
    EXPECT_FALSE(find_legacy_cache(device_.open()));
    std::memset(&before[16], 0, 4);
    EXPECT_EQ(device_.peek(0, 8192), before);
}

} // namespace
} // namespace tools::test
