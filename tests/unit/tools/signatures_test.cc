// SPDX-License-Identifier: GPL-2.0-only
#include "signatures.h"

#include <cstring>

#include <gtest/gtest.h>

#include "support/fake_device.h"

namespace tools::test {
namespace {

constexpr std::uint64_t kSectors = 32768;

std::vector<std::string> found(const FakeDevice &device) {
    const DeviceFile file = device.open();
    return find_signatures(file.descriptor(), file.path());
}

void wipe(const FakeDevice &device) {
    const DeviceFile file = device.open();
    wipe_signatures(file.descriptor(), file.path());
}

// The header of a swap area with 4 KiB pages.
void make_swap(const FakeDevice &device) {
    unsigned header[129] = {1, 4000};
    device.poke(1024, header, sizeof(header));
    device.poke(4086, "SWAPSPACE2", 10);
}

// A DOS partition table with one Linux partition.
void make_dos_table(const FakeDevice &device) {
    unsigned char entry[16] = {0, 0, 2, 0, 0x83, 0, 0, 0};
    const unsigned start = 2048;
    const unsigned size = 4096;
    std::memcpy(entry + 8, &start, 4);
    std::memcpy(entry + 12, &size, 4);
    device.poke(446, entry, sizeof(entry));
    device.poke(510, "\x55\xaa", 2);
}

TEST(Signatures, an_empty_device_has_none) {
    EXPECT_TRUE(found(FakeDevice(kSectors)).empty());
}

TEST(Signatures, a_partition_table_is_found_and_wiped) {
    const FakeDevice device(kSectors);
    make_dos_table(device);
    EXPECT_EQ(found(device), std::vector<std::string>{"dos partition table"});
    wipe(device);
    EXPECT_TRUE(found(device).empty());
}

TEST(Signatures, several_at_once_are_all_found_and_all_wiped) {
    const FakeDevice device(kSectors);
    make_dos_table(device);
    make_swap(device);
    EXPECT_EQ(found(device).size(), 2u);
    wipe(device);
    EXPECT_TRUE(found(device).empty());
}

TEST(Signatures, wiping_an_empty_device_changes_nothing) {
    const FakeDevice device(kSectors);
    device.poke(5000, "data", 4);
    wipe(device);
    EXPECT_EQ(device.peek(5000, 4), "data");
}

TEST(PartitionUuid, of_what_is_no_partition_is_empty) {
    EXPECT_EQ(partition_uuid("/nonexistent"), "");
    EXPECT_EQ(partition_uuid(FakeDevice(kSectors).path()), "");
}

} // namespace
} // namespace tools::test
