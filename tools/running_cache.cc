// SPDX-License-Identifier: GPL-2.0-only
#include "running_cache.h"

#include <string_view>

#include "device_mapper.h"
#include "error.h"
#include "table_line.h"
#include "text.h"

namespace tools {
namespace {

constexpr std::string_view kMapper = "/dev/mapper/";

} // namespace

std::string cache_name_of(const std::string &argument, const SystemRoots &roots) {
    std::string name = argument;
    if (argument.starts_with(kMapper)) { // without a look: the node may be missing
        name = argument.substr(kMapper.size());
    } else if (argument.starts_with('/')) {
        const BlockDevice device = inspect_block_device(argument, roots);
        name = sysfs_attribute(device.kernel_name, "dm/name", roots);
        if (name.empty())
            refuse("{} is no device of device-mapper; name the cache, for example /dev/mapper/cachedev",
                   argument);
    }
    check_cache_name(name);
    return name;
}

std::string proc_label(const std::string &cache_name) {
    constexpr std::string_view kKey = " proc=";
    const std::string status = device_status(cache_name, kTargetName);
    const std::size_t at = status.find(kKey);
    if (at == std::string::npos)
        refuse("{} is no running flashcache", cache_name);
    return status.substr(at + kKey.size()); // the last word, and it may have spaces
}

} // namespace tools
