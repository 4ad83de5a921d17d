// SPDX-License-Identifier: GPL-2.0-only
//
// How a cache knows its disk again: "<kind>:<value>", taken from what survives a reboot.
//
//   dm-uuid   device-mapper UUID (LVM, crypt, multipath)
//   md-uuid   UUID of an MD array
//   partuuid  of a partition, from the partition table
//   wwid      world wide name of a whole disk (SCSI, ATA, NVMe)
//   serial    serial number of a whole disk (virtio, MMC)
//   loop      the file behind a loop device
//   part      a partition without a UUID: "part:<number>:<identity of its disk>"
#pragma once

#include <cstdint>
#include <string>

#include "block_device.h"

namespace tools {

// The identity, at most FC_DISK_ID_BYTES - 1 printable characters; "" if the device has none
// (a RAM disk, null_blk, a virtual disk without serial number).
std::string origin_identity(const BlockDevice &device, const SystemRoots &roots = {});

// What a superblock says about the disk.
struct RecordedOrigin {
    std::string identity;
    std::string path;
    std::uint64_t sectors = 0;
};

// How the device differs from what was recorded, as the end of a sentence; "" if it does not.
std::string difference(const RecordedOrigin &recorded, const BlockDevice &device,
                       const SystemRoots &roots = {});

// The recorded disk: at its recorded path if that matches, else wherever a device with its
// identity and size is.  Throws Error if there is none, or more than one.
BlockDevice find_origin(const RecordedOrigin &recorded, const SystemRoots &roots = {});

// The path to record for a device: a stable link if the user gave the kernel's own name and there
// is a link; "" if no path fits the superblock.
std::string path_to_record(const BlockDevice &device, const SystemRoots &roots = {});

// The path to give to the kernel: links in /dev/disk are followed to the device's own node,
// so that names in /proc/flashcache stay the same whichever link was used; others are kept.
std::string path_for_table(const BlockDevice &device, const SystemRoots &roots = {});

} // namespace tools
