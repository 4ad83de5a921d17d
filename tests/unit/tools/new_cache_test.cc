// SPDX-License-Identifier: GPL-2.0-only
#include "new_cache.h"

#include <cstring>

#include <gtest/gtest.h>

#include "core_host.h"
#include "error.h"
#include "support/fake_device.h"

namespace tools::test {
namespace {

constexpr std::uint64_t kSectors = 131072; // 64 MiB

BlockDevice disk(const char *name, dev_t number, std::uint64_t sectors) {
    BlockDevice device;
    device.path = std::string("/dev/") + name;
    device.kernel_name = device.disk_name = name;
    device.number = number;
    device.sectors = sectors;
    return device;
}

class NewCacheTest : public testing::Test {
protected:
    NewCacheTest() : ssd_(disk("sda", 1, kSectors)), disk_(disk("sdb", 2, 10 * kSectors)) {
        options_.mode = FC_MODE_WRITE_BACK;
        options_.cache_name = "cachedev";
    }
    int plan_status() {
        try {
            plan_cache(options_, ssd_, disk_);
            return 0;
        } catch (const Error &error) {
            return error.exit_status();
        }
    }
    int pair_status() {
        try {
            check_pair(ssd_, disk_);
            return 0;
        } catch (const Error &error) {
            return error.exit_status();
        }
    }
    CreateOptions options_;
    BlockDevice ssd_;
    BlockDevice disk_;
};

TEST_F(NewCacheTest, defaults_are_4k_blocks_in_sets_of_512_and_extents_of_256k) {
    const fc_config config = plan_cache(options_, ssd_, disk_);
    EXPECT_EQ(config.block_sectors, 8u);
    EXPECT_EQ(config.ways_per_set, 512u);
    EXPECT_EQ(config.extent_blocks, 64u);
    EXPECT_GT(metadata_bytes(config), 0u);
    EXPECT_LE(config.data_offset_sectors + config.nr_blocks * 8, kSectors);
}

TEST_F(NewCacheTest, options_that_the_devices_do_not_allow_are_refused) {
    options_.cache_sectors = kSectors + 1;
    EXPECT_EQ(plan_status(), kExitRefused);
    options_.cache_sectors = 0;
    options_.associativity = 8192;
    options_.block_sectors = 128;
    EXPECT_EQ(plan_status(), kExitRefused); // not one set fits
}

TEST_F(NewCacheTest, the_disk_associativity_is_between_a_block_and_a_set) {
    options_.associativity = 2;
    options_.disk_associativity_sectors = 16;
    EXPECT_EQ(plan_status(), 0);
    options_.disk_associativity_sectors = 32;
    EXPECT_EQ(plan_status(), kExitUsage);
    options_.disk_associativity_sectors = 4;
    EXPECT_EQ(plan_status(), kExitUsage);
}

TEST_F(NewCacheTest, blocks_are_not_smaller_than_the_logical_blocks_of_either_device) {
    options_.block_sectors = 1;
    EXPECT_EQ(plan_status(), 0);
    disk_.logical_block_bytes = 4096;
    EXPECT_EQ(plan_status(), kExitRefused);
    disk_.logical_block_bytes = 512;
    ssd_.logical_block_bytes = 4096;
    EXPECT_EQ(plan_status(), kExitRefused);
    options_.block_sectors = 8;
    EXPECT_EQ(plan_status(), 0);
}

TEST_F(NewCacheTest, the_two_devices_must_be_two_and_writable) {
    EXPECT_EQ(pair_status(), 0);
    disk_.number = ssd_.number;
    EXPECT_EQ(pair_status(), kExitRefused);
    disk_.number = 2;
    disk_.partition = 1;
    disk_.disk_name = ssd_.disk_name;
    EXPECT_EQ(pair_status(), kExitRefused);
    disk_.disk_name = "sdb";
    disk_.read_only = true;
    EXPECT_EQ(pair_status(), kExitRefused);
    disk_.read_only = false;
    ssd_.sectors = 0;
    EXPECT_EQ(pair_status(), kExitRefused);
}

TEST_F(NewCacheTest, uuids_are_random_and_texts_are_recorded) {
    fc_config one = plan_cache(options_, ssd_, disk_);
    fc_config two = one;
    add_identity(one, options_, disk_);
    add_identity(two, options_, disk_);
    EXPECT_NE(std::memcmp(one.cache_uuid, two.cache_uuid, sizeof(one.cache_uuid)), 0);
    EXPECT_STREQ(one.cache_name, "cachedev");
    EXPECT_STREQ(one.origin_path, "/dev/sdb");
    EXPECT_NE(one.created_s, 0u);
}

std::string refusal(const FakeDevice &device, bool force) {
    try {
        check_ssd_contents(device.open(), force);
        return "";
    } catch (const Error &error) {
        return error.what();
    }
}

TEST(SsdContents, an_empty_device_is_free) {
    EXPECT_EQ(refusal(FakeDevice(kSectors), false), "");
}

TEST(SsdContents, force_overrides_a_signature) {
    const FakeDevice device(kSectors);
    const unsigned header[129] = {1, 4000};
    device.poke(1024, header, sizeof(header));
    device.poke(4086, "SWAPSPACE2", 10);
    EXPECT_NE(refusal(device, false).find("holds: swap"), std::string::npos);
    EXPECT_EQ(refusal(device, true), "");
}

TEST(SsdContents, force_does_not_override_a_cache) {
    const FakeDevice device(kSectors);
    format_cache(device.open(), planned_config(kSectors));
    EXPECT_EQ(refusal(device, true).find("Valid Flashcache already exists on "), 0u);
    EXPECT_NE(refusal(device, true).find("Use flashcache_destroy first and then create again "),
              std::string::npos);
}

TEST(SsdContents, force_does_not_override_a_damaged_or_an_old_cache) {
    const FakeDevice damaged(kSectors);
    format_cache(damaged.open(), planned_config(kSectors));
    damaged.poke(4096 + 100, "x", 1);
    EXPECT_NE(refusal(damaged, true).find("Use flashcache_destroy -f"), std::string::npos);
    const FakeDevice old(kSectors);
    old.poke(16, "\xfe\xca\xce\xfa", 4);
    EXPECT_EQ(refusal(old, true).find("Valid Flashcache already exists on "), 0u);
}

} // namespace
} // namespace tools::test
