// SPDX-License-Identifier: GPL-2.0-only
#include "block_device.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "error.h"
#include "text.h"

namespace tools {
namespace {

namespace fs = std::filesystem;

// The start of a file; sysfs attributes are never longer.
std::string read_small_file(const fs::path &path) {
    constexpr std::size_t kMaxBytes = 4096;
    std::ifstream file(path, std::ios::binary);
    std::string text(kMaxBytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

std::uint64_t to_number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

fs::path class_directory(const std::string &kernel_name, const SystemRoots &roots) {
    return fs::path(roots.sys) / "class" / "block" / kernel_name;
}

// The names in a directory, sorted; none if it cannot be read.
std::vector<std::string> names_in(const fs::path &directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
        names.push_back(it->path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

// In sysfs a partition's directory stands in that of its disk.
std::string disk_of(const std::string &kernel_name, const SystemRoots &roots) {
    std::error_code error;
    const fs::path real = fs::canonical(class_directory(kernel_name, roots), error);
    return error ? std::string() : real.parent_path().filename().string();
}

std::vector<std::string> partitions_of(const std::string &disk_name, const SystemRoots &roots) {
    std::vector<std::string> partitions;
    for (const std::string &name : names_in(class_directory(disk_name, roots)))
        if (fs::exists(class_directory(disk_name, roots) / name / "partition"))
            partitions.push_back(name);
    return partitions;
}

std::string number_text(dev_t number) {
    return fmt::format("{}:{}", gnu_dev_major(number), gnu_dev_minor(number));
}

dev_t parse_number(const std::string &text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos)
        return 0;
    return gnu_dev_makedev(
        static_cast<unsigned>(to_number(text)),
        static_cast<unsigned>(to_number(std::string_view(text).substr(colon + 1))));
}

// The number of the block device that path leads to, 0 if it leads to none.
dev_t block_number(const std::string &path) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISBLK(facts.st_mode))
        return 0;
    return facts.st_rdev;
}

// "\040" and the like, as the kernel writes spaces in /proc/*/mountinfo and /proc/swaps.
std::string unescaped(const std::string &text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); i++) {
        unsigned code = 0;
        const char *digits = text.data() + i + 1;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3 && code < 256) {
            result += static_cast<char>(code);
            i += 3;
        } else {
            result += text[i];
        }
    }
    return result;
}

// Where the device is mounted, by its number or by the mount's source (btrfs has numbers of its
// own); "" if nowhere.
std::string mount_point(dev_t number, const SystemRoots &roots) {
    std::ifstream mounts(roots.proc + "/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        const std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
        const auto dash = std::find(word.begin(), word.end(), "-");
        if (word.size() < 6 || std::distance(dash, word.end()) < 3)
            continue;
        const std::string source = unescaped(*(dash + 2));
        if (word[2] == number_text(number) ||
            (source.starts_with('/') && block_number(source) == number))
            return unescaped(word[4]);
    }
    return {};
}

bool is_swap(dev_t number, const SystemRoots &roots) {
    std::ifstream swaps(roots.proc + "/swaps");
    for (std::string line; std::getline(swaps, line);)
        if (const auto end = line.find_first_of(" \t"); line.starts_with('/'))
            if (block_number(unescaped(line.substr(0, end))) == number)
                return true;
    return false;
}

std::string holder(const std::string &kernel_name, const SystemRoots &roots) {
    for (const std::string &name : names_in(class_directory(kernel_name, roots) / "holders")) {
        const std::string dm_name = sysfs_attribute(name, "dm/name", roots);
        return dm_name.empty() ? name : fmt::format("{} ({})", name, dm_name);
    }
    return {};
}

// The user of exactly this device.
std::string own_user(const std::string &kernel_name, const SystemRoots &roots) {
    const dev_t number = parse_number(sysfs_attribute(kernel_name, "dev", roots));
    if (const std::string where = mount_point(number, roots); !where.empty())
        return "mounted on " + where;
    if (const std::string by = holder(kernel_name, roots); !by.empty())
        return "used by " + by;
    return is_swap(number, roots) ? "swap space" : "";
}

unsigned link_rank(const std::string &name) {
    constexpr std::string_view kBest[] = {"dm-uuid-", "md-uuid-", "nvme-eui.", "nvme-nvme.",
                                          "wwn-"};
    for (const std::string_view prefix : kBest)
        if (name.starts_with(prefix))
            return 0;
    return name.starts_with("lvm-pv-") ? 2 : 1;
}

} // namespace

std::string sysfs_attribute(const std::string &kernel_name, std::string_view attribute,
                            const SystemRoots &roots) {
    return trimmed(read_small_file(class_directory(kernel_name, roots) / attribute));
}

std::vector<std::string> all_kernel_names(const SystemRoots &roots) {
    return names_in(fs::path(roots.sys) / "class" / "block");
}

std::string device_node(const std::string &kernel_name, const SystemRoots &roots) {
    const std::string dm_name = sysfs_attribute(kernel_name, "dm/name", roots);
    if (!dm_name.empty())
        return roots.dev + "/mapper/" + dm_name;
    std::string node = kernel_name;
    std::replace(node.begin(), node.end(), '!', '/'); // sysfs has no '/' in names: cciss!c0d0
    return roots.dev + "/" + node;
}

BlockDevice inspect_by_kernel_name(const std::string &kernel_name, const SystemRoots &roots) {
    BlockDevice device;
    device.path = device_node(kernel_name, roots);
    device.kernel_name = kernel_name;
    device.number = parse_number(sysfs_attribute(kernel_name, "dev", roots));
    device.sectors = to_number(sysfs_attribute(kernel_name, "size", roots));
    device.read_only = sysfs_attribute(kernel_name, "ro", roots) == "1";
    device.partition =
        static_cast<std::uint32_t>(to_number(sysfs_attribute(kernel_name, "partition", roots)));
    device.disk_name = device.is_partition() ? disk_of(kernel_name, roots) : kernel_name;
    const auto block =
        to_number(sysfs_attribute(device.disk_name, "queue/logical_block_size", roots));
    if (block != 0)
        device.logical_block_bytes = static_cast<std::uint32_t>(block);
    return device;
}

BlockDevice inspect_block_device(const std::string &path, const SystemRoots &roots) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0)
        refuse("{}: {}", path, errno_text(errno));
    if (!S_ISBLK(facts.st_mode))
        refuse("{} is not a block device", path);
    std::error_code error;
    const fs::path link = fs::path(roots.sys) / "dev" / "block" / number_text(facts.st_rdev);
    const std::string kernel_name = fs::canonical(link, error).filename().string();
    if (error)
        refuse("{}: the kernel has no device {} (stale device node, or /sys is not mounted)", path,
               number_text(facts.st_rdev));
    BlockDevice device = inspect_by_kernel_name(kernel_name, roots);
    device.path = path;
    device.number = facts.st_rdev;
    return device;
}

std::string stable_link(const BlockDevice &device, const SystemRoots &roots) {
    const fs::path directory = fs::path(roots.dev) / "disk" / "by-id";
    std::string best;
    for (const std::string &name : names_in(directory)) {
        std::error_code error;
        if (fs::canonical(directory / name, error).filename() != device.kernel_name || error)
            continue;
        if (best.empty() || link_rank(name) < link_rank(best))
            best = name;
    }
    return best.empty() ? best : (directory / best).string();
}

std::string known_user(const BlockDevice &device, const SystemRoots &roots) {
    if (const std::string user = own_user(device.kernel_name, roots); !user.empty())
        return user;
    if (device.is_partition()) {
        const std::string user = own_user(device.disk_name, roots);
        return user.empty() ? "" : fmt::format("part of {}, which is {}", device.disk_name, user);
    }
    for (const std::string &partition : partitions_of(device.kernel_name, roots))
        if (const std::string user = own_user(partition, roots); !user.empty())
            return fmt::format("partly in use: {} is {}", partition, user);
    return {};
}

void require_writable(const BlockDevice &device) {
    if (device.read_only)
        refuse("{} is read-only; make it writable: blockdev --setrw {}", device.path, device.path);
}

bool overlap(const BlockDevice &a, const BlockDevice &b) {
    if (a.number == b.number)
        return true;
    return a.disk_name == b.disk_name && !(a.is_partition() && b.is_partition());
}

} // namespace tools
