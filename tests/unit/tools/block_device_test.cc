// SPDX-License-Identifier: GPL-2.0-only
#include "block_device.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/fake_device.h"

namespace tools::test {
namespace {

class BlockDeviceTest : public testing::Test {
protected:
    BlockDeviceTest() {
        system_.add_disk("sda", 1000);
        system_.add_partition("sda", 1, 400);
        system_.add_partition("sda", 2, 500);
        system_.add_disk("sdb", 2000);
    }
    BlockDevice device(const std::string &name) {
        return inspect_by_kernel_name(name, system_.roots());
    }
    std::string user(const std::string &name) { return known_user(device(name), system_.roots()); }

    FakeSystem system_;
};

TEST_F(BlockDeviceTest, a_disk_is_its_own_disk) {
    EXPECT_EQ(device("sda").sectors, 1000u);
    EXPECT_EQ(device("sda").disk_name, "sda");
    EXPECT_FALSE(device("sda").is_partition());
    EXPECT_EQ(device("sda").path, system_.roots().dev + "/sda");
}

TEST_F(BlockDeviceTest, a_partition_knows_its_disk_and_has_its_logical_blocks) {
    system_.set("sda", "queue/logical_block_size", "4096\n");
    EXPECT_EQ(device("sda2").partition, 2u);
    EXPECT_EQ(device("sda2").disk_name, "sda");
    EXPECT_EQ(device("sda2").logical_block_bytes, 4096u);
}

TEST_F(BlockDeviceTest, a_read_only_device_says_so) {
    system_.set("sdb", "ro", "1\n");
    EXPECT_TRUE(device("sdb").read_only);
    EXPECT_FALSE(device("sda").read_only);
}

TEST_F(BlockDeviceTest, device_mapper_devices_go_by_their_names) {
    system_.add_disk("dm-3", 10);
    system_.set("dm-3", "dm/name", "vg-root\n");
    EXPECT_EQ(device_node("dm-3", system_.roots()), system_.roots().dev + "/mapper/vg-root");
    EXPECT_EQ(device_node("cciss!c0d0", system_.roots()), system_.roots().dev + "/cciss/c0d0");
}

TEST_F(BlockDeviceTest, a_disk_overlaps_itself_and_its_partitions_only) {
    EXPECT_TRUE(overlap(device("sda"), device("sda")));
    EXPECT_TRUE(overlap(device("sda"), device("sda1")));
    EXPECT_TRUE(overlap(device("sda2"), device("sda")));
    EXPECT_FALSE(overlap(device("sda1"), device("sda2")));
    EXPECT_FALSE(overlap(device("sda"), device("sdb")));
}

TEST_F(BlockDeviceTest, mounts_are_found_by_number) {
    system_.write_proc("self/mountinfo",
                       "22 1 250:1 / /mnt/with\\040space rw,relatime shared:1 - ext4 /dev/x rw\n");
    EXPECT_EQ(user("sda1"), "mounted on /mnt/with space");
    EXPECT_EQ(user("sda"), "partly in use: sda1 is mounted on /mnt/with space");
    EXPECT_EQ(user("sda2"), "");
    EXPECT_EQ(user("sdb"), "");
}

TEST_F(BlockDeviceTest, holders_are_named) {
    system_.add_disk("dm-0", 10);
    system_.set("dm-0", "dm/name", "cachedev\n");
    system_.add_holder("sdb", "dm-0");
    EXPECT_EQ(user("sdb"), "used by dm-0 (cachedev)");
}

TEST_F(BlockDeviceTest, a_partition_of_a_used_disk_is_in_use) {
    system_.add_holder("sda", "md0");
    EXPECT_EQ(user("sda1"), "part of sda, which is used by md0");
}

TEST_F(BlockDeviceTest, broken_lines_in_mountinfo_and_swaps_do_no_harm) {
    system_.write_proc("self/mountinfo",
                       "\n22\n22 1 250:1\n- - - - - - - -\n22 1 250:9 / /m rw -\n");
    system_.write_proc("swaps", "Filename\tType\n/\n/dev/nonexistent\\0\n");
    EXPECT_EQ(user("sda"), "");
}

TEST_F(BlockDeviceTest, the_best_stable_link_comes_from_the_hardware) {
    system_.add_by_id_link("ata-DISK_123", "sdb");
    EXPECT_EQ(stable_link(device("sdb"), system_.roots()),
              system_.roots().dev + "/disk/by-id/ata-DISK_123");
    system_.add_by_id_link("wwn-0x5000", "sdb");
    EXPECT_EQ(stable_link(device("sdb"), system_.roots()),
              system_.roots().dev + "/disk/by-id/wwn-0x5000");
    EXPECT_EQ(stable_link(device("sda"), system_.roots()), "");
}

TEST(InspectBlockDevice, refuses_what_is_no_block_device) {
    for (const char *path : {"/nonexistent", "/dev/null", "/tmp", "/etc/passwd", ""})
        EXPECT_THROW(inspect_block_device(path), Error) << path;
}

} // namespace
} // namespace tools::test
