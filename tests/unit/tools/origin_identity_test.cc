// SPDX-License-Identifier: GPL-2.0-only
#include "origin_identity.h"

#include <gtest/gtest.h>

#include "core/abi.h"
#include "error.h"
#include "support/fake_device.h"

namespace tools::test {
namespace {

class OriginIdentityTest : public testing::Test {
protected:
    OriginIdentityTest() { system_.add_disk("sda", 1000); }
    BlockDevice device(const std::string &name) {
        return inspect_by_kernel_name(name, system_.roots());
    }
    std::string identity(const std::string &name) {
        return origin_identity(device(name), system_.roots());
    }
    std::string refusal(const RecordedOrigin &recorded) {
        try {
            return "found " + find_origin(recorded, system_.roots()).kernel_name;
        } catch (const Error &error) {
            return error.what();
        }
    }
    FakeSystem system_;
};

TEST_F(OriginIdentityTest, the_best_source_wins) {
    EXPECT_EQ(identity("sda"), "");
    system_.set("sda", "loop/backing_file", "/img\n");
    EXPECT_EQ(identity("sda"), "loop:/img");
    system_.set("sda", "serial", "S1\n");
    EXPECT_EQ(identity("sda"), "serial:S1");
    system_.set("sda", "device/wwid", "naa.5\n");
    EXPECT_EQ(identity("sda"), "wwid:naa.5");
    system_.set("sda", "md/uuid", "0a:1\n");
    EXPECT_EQ(identity("sda"), "md-uuid:0a:1");
    system_.set("sda", "dm/uuid", "LVM-x\n");
    EXPECT_EQ(identity("sda"), "dm-uuid:LVM-x");
}

TEST_F(OriginIdentityTest, empty_and_zero_values_identify_nothing) {
    system_.set("sda", "dm/uuid", "\n");
    system_.set("sda", "md/uuid", "00000000:00000000:00000000:00000000\n");
    system_.set("sda", "serial", std::string(20, '\0'));
    EXPECT_EQ(identity("sda"), "");
}

TEST_F(OriginIdentityTest, the_serial_number_of_an_nvme_controller_is_not_that_of_a_disk) {
    system_.add_disk("nvme0n1", 10);
    system_.set("nvme0n1", "device/serial", "CTRL\n");
    EXPECT_EQ(identity("nvme0n1"), "");
    system_.set("sda", "device/serial", "MMC\n");
    EXPECT_EQ(identity("sda"), "serial:MMC");
}

TEST_F(OriginIdentityTest, a_partition_without_uuid_is_known_by_its_disk_and_number) {
    system_.set("sda", "wwid", "naa.5\n");
    system_.add_partition("sda", 2, 500);
    EXPECT_EQ(identity("sda2"), "part:2:wwid:naa.5");
}

TEST_F(OriginIdentityTest, odd_bytes_are_made_printable_and_long_values_fit) {
    system_.set("sda", "serial", "a\x1b\xff z\n");
    const std::string odd = identity("sda");
    EXPECT_TRUE(odd.starts_with("serial:") && odd.ends_with("..a?? z")) << odd;
    system_.set("sda", "serial", "a\x1b\xfe z\n");
    EXPECT_NE(identity("sda"), odd); // another disk
    system_.add_disk("loop0", 10);
    system_.set("loop0", "loop/backing_file", "/" + std::string(200, 'a') + "/one\n");
    const std::string one = identity("loop0");
    EXPECT_EQ(one.size(), static_cast<std::size_t>(FC_DISK_ID_BYTES - 1));
    EXPECT_TRUE(one.ends_with("a/one"));
    system_.set("loop0", "loop/backing_file", "/b" + std::string(199, 'a') + "/one\n");
    EXPECT_NE(identity("loop0"), one); // the difference was cut off; the checksum shows it
}

TEST_F(OriginIdentityTest, parts_of_one_file_are_different_disks) {
    system_.set("sda", "loop/backing_file", "/img\n");
    system_.set("sda", "loop/offset", "0\n");
    EXPECT_EQ(identity("sda"), "loop:/img");
    system_.set("sda", "loop/offset", "1048576\n");
    EXPECT_EQ(identity("sda"), "loop:/img+1048576");
}

TEST_F(OriginIdentityTest, memory_cards_without_a_serial_number_have_none) {
    system_.set("sda", "device/serial", "0x00000000\n");
    EXPECT_EQ(identity("sda"), "");
}

TEST_F(OriginIdentityTest, paths_of_a_multipath_device_are_not_found) {
    system_.set("sda", "wwid", "naa.7\n");
    system_.add_disk("nvme0c0n1", 1000);
    system_.set("nvme0c0n1", "wwid", "naa.7\n");
    system_.set("nvme0c0n1", "dev", "\n"); // it has no node
    EXPECT_EQ(refusal({"wwid:naa.7", "/dev/nonexistent", 1000}), "found sda");
}

TEST_F(OriginIdentityTest, a_disk_that_moved_is_found_by_its_identity) {
    system_.add_disk("sdq", 1000);
    system_.set("sdq", "wwid", "naa.7\n");
    EXPECT_EQ(refusal({"wwid:naa.7", "/dev/nonexistent", 1000}), "found sdq");
}

TEST_F(OriginIdentityTest, a_disk_of_another_size_or_identity_is_refused) {
    system_.set("sda", "wwid", "naa.7\n");
    EXPECT_NE(difference({"wwid:naa.7", "", 999}, device("sda"), system_.roots()), "");
    EXPECT_NE(difference({"wwid:naa.8", "", 1000}, device("sda"), system_.roots()), "");
    EXPECT_EQ(difference({"wwid:naa.7", "", 1000}, device("sda"), system_.roots()), "");
    EXPECT_NE(refusal({"wwid:naa.7", "/dev/nonexistent", 999}).find("no other device"),
              std::string::npos);
}

TEST_F(OriginIdentityTest, without_a_recorded_identity_the_size_must_do) {
    EXPECT_EQ(difference({"", "", 1000}, device("sda"), system_.roots()), "");
    EXPECT_NE(difference({"", "", 1001}, device("sda"), system_.roots()), "");
    EXPECT_NE(refusal({"", "/dev/nonexistent", 1000}).find("--disk"), std::string::npos);
}

TEST_F(OriginIdentityTest, two_disks_of_one_identity_are_not_guessed_between) {
    system_.add_disk("sdb", 1000);
    system_.set("sda", "wwid", "naa.7\n");
    system_.set("sdb", "wwid", "naa.7\n");
    EXPECT_NE(refusal({"wwid:naa.7", "", 1000}).find("choose with --disk"), std::string::npos);
}

TEST_F(OriginIdentityTest, a_hostile_path_is_never_opened) {
    for (const char *path : {"/etc/passwd", "/dev/../etc/passwd", "x; reboot", "/dev/\x1b[2J"})
        EXPECT_NE(refusal({"", path, 1000}).find("is not one of a device"), std::string::npos)
            << path;
}

TEST_F(OriginIdentityTest, the_stable_link_is_recorded_for_a_kernel_name_only) {
    system_.add_by_id_link("wwn-0x5", "sda");
    const std::string link = system_.roots().dev + "/disk/by-id/wwn-0x5";
    EXPECT_EQ(path_to_record(device("sda"), system_.roots()), link);
    BlockDevice named = device("sda");
    named.path = "/dev/vg/root";
    EXPECT_EQ(path_to_record(named, system_.roots()), "/dev/vg/root");
    named.path = "/dev/" + std::string(200, 'x');
    EXPECT_EQ(path_to_record(named, system_.roots()), system_.roots().dev + "/sda");
}

TEST_F(OriginIdentityTest, the_table_gets_the_node_behind_a_stable_link) {
    BlockDevice linked = device("sda");
    linked.path = system_.roots().dev + "/disk/by-id/wwn-0x5";
    EXPECT_EQ(path_for_table(linked, system_.roots()), system_.roots().dev + "/sda");
    linked.path = "/dev/vg/root";
    EXPECT_EQ(path_for_table(linked, system_.roots()), "/dev/vg/root");
}

} // namespace
} // namespace tools::test
