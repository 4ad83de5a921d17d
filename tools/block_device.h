// SPDX-License-Identifier: GPL-2.0-only
//
// What the kernel says about a block device, all from sysfs and procfs: nothing is opened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace tools {

// Where sysfs, procfs and the device nodes are.  Tests put a tree of files in their place.
struct SystemRoots {
    std::string sys = "/sys";
    std::string proc = "/proc";
    std::string dev = "/dev";
};

struct BlockDevice {
    std::string path;        // as the user, or the superblock, gave it
    std::string kernel_name; // as in /sys/class/block: "sda1", "dm-3"
    std::string disk_name;   // of the whole disk: "sda"; equal to kernel_name if it is one
    dev_t number = 0;
    std::uint64_t sectors = 0;
    std::uint32_t logical_block_bytes = 512;
    std::uint32_t partition = 0; // 0: not a partition
    bool read_only = false;

    bool is_partition() const { return partition != 0; }
};

// The facts of the device that path leads to.  Throws Error if there is none.
BlockDevice inspect_block_device(const std::string &path, const SystemRoots &roots = {});

// The same for a name in /sys/class/block; path becomes device_node().
BlockDevice inspect_by_kernel_name(const std::string &kernel_name, const SystemRoots &roots = {});

// Every block device, by its name in /sys/class/block, sorted.
std::vector<std::string> all_kernel_names(const SystemRoots &roots = {});

// The path that everybody has for a device: /dev/sda1, /dev/mapper/<name> for device-mapper.
std::string device_node(const std::string &kernel_name, const SystemRoots &roots = {});

// A link in /dev/disk/by-id that leads to the device, "" if there is none.  Prefers names that
// come from the hardware or its contents (wwn-, nvme-eui., dm-uuid-, md-uuid-) to others.
std::string stable_link(const BlockDevice &device, const SystemRoots &roots = {});

// Who uses the device, for a message: "mounted on /mnt", "used by dm-0 (vg-root)", "swap space",
// the same for its partitions or the disk that it is a partition of; "" if nobody known does.
std::string known_user(const BlockDevice &device, const SystemRoots &roots = {});

// Throws Error if the kernel takes no writes to the device.
void require_writable(const BlockDevice &device);

// True if one is the other, or a partition of the other.
bool overlap(const BlockDevice &a, const BlockDevice &b);

// A sysfs attribute of a block device, trimmed; "" if it is not there.
std::string sysfs_attribute(const std::string &kernel_name, std::string_view attribute,
                            const SystemRoots &roots = {});

} // namespace tools
