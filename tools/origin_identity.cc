// SPDX-License-Identifier: GPL-2.0-only
#include "origin_identity.h"

#include <algorithm>
#include <vector>

#include "core/abi.h"
#include "error.h"
#include "signatures.h"
#include "text.h"

namespace tools {
namespace {

// An attribute and the kind of identity that it makes.  The first that is not empty counts.
struct Source {
    const char *kind;
    const char *attribute;
};

constexpr Source kWholeDiskSources[] = {
    {"dm-uuid", "dm/uuid"},  {"md-uuid", "md/uuid"}, {"wwid", "wwid"},
    {"wwid", "device/wwid"}, {"serial", "serial"},   {"loop", "loop/backing_file"},
};

// No UUID at all, as MD shows it for arrays without superblock, or memory cards ("0x00000000").
bool is_void(const std::string &value) {
    return value.empty() || value.find_first_not_of("0x:-") == std::string::npos;
}

// Fits the superblock.  Values that do not (file names) keep their end, and a checksum of the whole:
// what is long, and what cannot be printed.
std::string fitted(const std::string &identity) {
    constexpr std::size_t kMax = FC_DISK_ID_BYTES - 1;
    const std::string text = printable(identity);
    if (text == identity && text.size() <= kMax)
        return text;
    const auto colon = text.find(':') + 1;
    const std::string mark =
        fmt::format("{:08x}..", fc_os_crc32c(0, identity.data(), identity.size()));
    const auto kept = std::min(text.size() - colon, kMax - colon - mark.size());
    return text.substr(0, colon) + mark + text.substr(text.size() - kept);
}

std::string md_link_uuid(const BlockDevice &device, const SystemRoots &roots) {
    const std::string link = stable_link(device, roots);
    const auto at = link.find("/md-uuid-");
    return at == std::string::npos ? "" : link.substr(at + 9);
}

// Two loop devices may show different parts of one file.
std::string loop_offset(const BlockDevice &device, const SystemRoots &roots) {
    const auto offset = sysfs_attribute(device.kernel_name, "loop/offset", roots);
    return is_void(offset) ? "" : "+" + offset;
}

std::string whole_disk_identity(const BlockDevice &device, const SystemRoots &roots) {
    for (const Source &source : kWholeDiskSources)
        if (const auto value = sysfs_attribute(device.kernel_name, source.attribute, roots);
            !is_void(value))
            return fmt::format("{}:{}{}", source.kind, value, loop_offset(device, roots));
    if (device.kernel_name.starts_with("md"))
        if (const auto value = md_link_uuid(device, roots); !value.empty())
            return "md-uuid:" + value;
    // An NVMe controller's serial number is shared by its namespaces (which have a wwid).
    if (device.kernel_name.starts_with("nvme"))
        return {};
    const auto serial = sysfs_attribute(device.kernel_name, "device/serial", roots);
    return is_void(serial) ? "" : "serial:" + serial;
}

std::string partition_identity(const BlockDevice &device, const SystemRoots &roots) {
    if (const auto uuid = partition_uuid(device_node(device.kernel_name, roots)); !is_void(uuid))
        return "partuuid:" + uuid;
    const auto disk = whole_disk_identity(inspect_by_kernel_name(device.disk_name, roots), roots);
    return disk.empty() ? "" : fmt::format("part:{}:{}", device.partition, disk);
}

std::string shown(const std::string &identity) {
    return identity.empty() ? std::string("no identity") : "'" + printable(identity) + "'";
}

std::vector<BlockDevice> matching_devices(const RecordedOrigin &recorded,
                                          const SystemRoots &roots) {
    std::vector<BlockDevice> found;
    for (const std::string &name : all_kernel_names(roots)) {
        BlockDevice device = inspect_by_kernel_name(name, roots);
        // Without a number: a path of a multipath device, which cannot be opened.
        if (device.number != 0 && device.sectors == recorded.sectors && difference(recorded, device, roots).empty())
            found.push_back(std::move(device));
    }
    return found;
}

// The device at the recorded path and what is wrong with it ("" if nothing).
std::string try_recorded_path(const RecordedOrigin &recorded, const SystemRoots &roots,
                              BlockDevice &device) {
    if (recorded.path.empty())
        return "its path was not recorded";
    if (!is_plain_device_path(recorded.path))
        return fmt::format("its recorded path '{}' is not one of a device", recorded.path);
    try {
        device = inspect_block_device(recorded.path, roots);
    } catch (const Error &error) {
        return error.what();
    }
    const std::string differs = difference(recorded, device, roots);
    return differs.empty() ? "" : fmt::format("{} {}", recorded.path, differs);
}

} // namespace

std::string origin_identity(const BlockDevice &device, const SystemRoots &roots) {
    return fitted(device.is_partition() ? partition_identity(device, roots)
                                        : whole_disk_identity(device, roots));
}

std::string difference(const RecordedOrigin &recorded, const BlockDevice &device,
                       const SystemRoots &roots) {
    if (!recorded.identity.empty())
        if (const std::string identity = origin_identity(device, roots);
            identity != recorded.identity)
            return fmt::format("is another disk: the cache belongs to {}, this one has {}",
                               shown(recorded.identity), shown(identity));
    if (device.sectors != recorded.sectors)
        return fmt::format("has {} sectors, but had {} when the cache was created", device.sectors,
                           recorded.sectors);
    return {};
}

BlockDevice find_origin(const RecordedOrigin &recorded, const SystemRoots &roots) {
    BlockDevice device;
    const std::string problem = try_recorded_path(recorded, roots, device);
    if (problem.empty())
        return device;
    if (recorded.identity.empty())
        refuse("cannot find the disk: {}; its identity was not recorded, name it with --disk",
               problem);
    const std::vector<BlockDevice> found = matching_devices(recorded, roots);
    if (found.size() == 1)
        return found.front();
    if (found.empty())
        refuse("cannot find the disk: {}, and no other device is {} with {} sectors; attach the "
               "disk of this cache",
               problem, shown(recorded.identity), recorded.sectors);
    refuse("{} and {} both look like the disk of this cache ({}); choose with --disk",
           found[0].path, found[1].path, shown(recorded.identity));
}

std::string path_to_record(const BlockDevice &device, const SystemRoots &roots) {
    const std::string link = stable_link(device, roots);
    const bool kernels_own_name = device.path == roots.dev + "/" + device.kernel_name;
    const std::string &path = kernels_own_name && !link.empty() ? link : device.path;
    if (path.size() < FC_DISK_PATH_BYTES && path.starts_with('/') && path == printable(path))
        return path;
    const std::string node = device_node(device.kernel_name, roots);
    return node.size() < FC_DISK_PATH_BYTES ? node : "";
}

std::string path_for_table(const BlockDevice &device, const SystemRoots &roots) {
    return device.path.starts_with(roots.dev + "/disk/") ? device_node(device.kernel_name, roots)
                                                         : device.path;
}

} // namespace tools
