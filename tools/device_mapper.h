// SPDX-License-Identifier: GPL-2.0-only
//
// The only file that uses libdevmapper.
#pragma once

#include <cstdint>
#include <string>

namespace tools {

struct DeviceMapperTable {
    std::uint64_t sectors = 0;
    std::string target;
    std::string arguments;
};

// True if the running kernel has the target.  Throws Error if it has no device-mapper.
bool kernel_has_target(const std::string &target);

// True if a device-mapper device has this name.  Throws Error.
bool device_exists(const std::string &name);

// What the target of a running device says of itself ("dmsetup status"); "" if the device has not just
// one target, of this type.  Throws Error if there is no such device.
std::string device_status(const std::string &name, const std::string &target);

// Sends a message to the target of a running device ("dmsetup message"), and returns the reply, if
// there is one.  Throws Error with what the kernel said if it refuses.
std::string send_message(const std::string &name, const std::string &target,
                         const std::string &message);

// Creates and activates a device with one target, and waits for its node in /dev/mapper (made by
// udev, or by libdevmapper itself where no udev runs).  Throws Error with what the kernel said;
// no device is left then.
void create_device(const std::string &name, const std::string &uuid,
                   const DeviceMapperTable &table);

} // namespace tools
