// SPDX-License-Identifier: GPL-2.0-only
#include "core_host.h"

#include <cstring>

#include <gtest/gtest.h>

#include "error.h"
#include "support/fake_device.h"

namespace tools::test {
namespace {

constexpr std::uint64_t kSectors = 32768; // 16 MiB

TEST(CoreHost, the_checksum_is_the_usual_crc32c) {
    EXPECT_EQ(fc_os_crc32c(0, "123456789", 9), 0xe3069283u);
    // In pieces, of any alignment, it is the same.
    const char text[] = "The quick brown fox jumps over the lazy dog";
    const unsigned whole = fc_os_crc32c(0, text, sizeof(text));
    for (unsigned long split = 0; split <= sizeof(text); split++)
        EXPECT_EQ(fc_os_crc32c(fc_os_crc32c(0, text, split), text + split, sizeof(text) - split),
                  whole);
}

TEST(CoreHost, what_was_formatted_is_found_with_every_field) {
    const FakeDevice device(kSectors);
    const DeviceFile file = device.open();
    const fc_config written = planned_config(kSectors);
    format_cache(file, written);

    fc_config read = {};
    read.cache_device_sectors = file.sectors();
    ASSERT_EQ(probe_cache(file, read), FC_OK);
    EXPECT_EQ(read.nr_blocks, written.nr_blocks);
    EXPECT_EQ(read.data_offset_sectors, written.data_offset_sectors);
    EXPECT_EQ(read.origin_sectors, written.origin_sectors);
    EXPECT_EQ(read.flags, FC_DISK_FLAG_CLEAN);
    EXPECT_STREQ(read.cache_name, written.cache_name);
    EXPECT_STREQ(read.origin_path, written.origin_path);
    EXPECT_STREQ(read.origin_id, written.origin_id);
    EXPECT_EQ(std::memcmp(read.cache_uuid, written.cache_uuid, sizeof(read.cache_uuid)), 0);
}

TEST(CoreHost, after_a_wipe_there_is_no_cache) {
    const FakeDevice device(kSectors);
    const DeviceFile file = device.open();
    format_cache(file, planned_config(kSectors));
    wipe_cache(file, fc_config{});
    fc_config config = {};
    config.cache_device_sectors = file.sectors();
    EXPECT_EQ(probe_cache(file, config), FC_E_NO_SUPERBLOCK);
}

TEST(CoreHost, a_device_too_small_for_a_superblock_has_none) {
    for (const std::uint64_t sectors : {0, 1, 8, 15}) {
        const FakeDevice device(sectors);
        fc_config config = {};
        config.cache_device_sectors = sectors;
        EXPECT_EQ(probe_cache(device.open(), config), FC_E_NO_SUPERBLOCK) << sectors;
    }
}

TEST(CoreHost, formatting_beyond_the_end_of_the_device_is_an_error_and_leaves_no_cache) {
    const FakeDevice device(64);
    const DeviceFile file = device.open();
    EXPECT_THROW(format_cache(file, planned_config(kSectors)), Error);
    fc_config config = {};
    config.cache_device_sectors = file.sectors();
    EXPECT_EQ(probe_cache(file, config), FC_E_NO_SUPERBLOCK);
}

TEST(CoreHost, the_core_reaches_no_other_device) {
    const FakeDevice device(kSectors);
    const DeviceFile file = device.open();
    CoreHost host(file);
    AlignedBuffer buffer(4096);
    EXPECT_EQ(fc_os_sync_io(&host, FC_DEV_ORIGIN, FC_IO_READ, 0, buffer.data(), 8, 0), FC_EIO);
    EXPECT_EQ(fc_os_sync_io(&host, FC_DEV_CACHE, FC_IO_READ, kSectors - 4, buffer.data(), 8, 0),
              FC_EIO);
    EXPECT_EQ(fc_os_sync_io(&host, FC_DEV_CACHE, FC_IO_READ, ~0ull, buffer.data(), 8, 0), FC_EIO);
}

} // namespace
} // namespace tools::test
