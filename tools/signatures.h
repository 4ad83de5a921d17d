// SPDX-License-Identifier: GPL-2.0-only
//
// What libblkid recognises on a device: file systems, partition tables, LVM, MD, crypto, swap.
#pragma once

#include <string>
#include <vector>

namespace tools {

// A word for each signature: "ext4", "LVM2_member", "gpt partition table"; empty if there is none.
// Throws Error if the device cannot be read.
std::vector<std::string> find_signatures(int descriptor, const std::string &path);

// Overwrites the magic of every signature, so that nothing recognises the device any more.
// Throws Error.
void wipe_signatures(int descriptor, const std::string &path);

// The UUID that the partition table gives to this partition, "" if none or not readable.
std::string partition_uuid(const std::string &path);

} // namespace tools
