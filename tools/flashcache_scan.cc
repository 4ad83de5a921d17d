// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_scan: find the caches on all block devices and start those that do not run.  Nothing
// that is read from a device is executed, or believed unchecked.

#include <map>
#include <vector>

#include "block_device.h"
#include "core_host.h"
#include "device_file.h"
#include "error.h"
#include "load_cache.h"
#include "options.h"
#include "text.h"

namespace tools {
namespace {

struct Found {
    BlockDevice device;
    std::string uuid;
    std::string name;
    std::string user; // who has the device; "" if nobody
};

// The cache on a device that can be read; one whose superblock is damaged is told, too.
void look_at(const std::string &kernel_name, std::vector<Found> &found, bool verbose) {
    try {
        const BlockDevice device = inspect_by_kernel_name(kernel_name);
        if (device.sectors == 0)
            return;
        const DeviceFile file = DeviceFile::open(device.path, Access::kRead, false);
        fc_config config = {};
        if (const int status = probe_cache(file, config); status != FC_OK) {
            if (status != FC_E_NO_SUPERBLOCK)
                fmt::print("{}: {}\n", device.path, fc_status_text(status));
            return;
        }
        std::string uuid(reinterpret_cast<const char *>(config.cache_uuid),
                         sizeof(config.cache_uuid));
        found.push_back({device, std::move(uuid),
                         printable(from_field(config.cache_name, sizeof(config.cache_name))),
                         known_user(device)});
    } catch (const Error &error) {
        // A drive without a medium, a path that is down, ...
        if (verbose)
            fmt::print("{}: {}\n", kernel_name, printable(error.what()));
    }
}

// False if it should run and does not.
bool start(const Found &cache, const ScanOptions &options) {
    if (options.list) {
        fmt::print("{}: {}\n", cache.device.path, cache.name);
        return true;
    }
    try {
        LoadOptions load;
        load.ssd_path = cache.device.path;
        load.verbose = options.verbose;
        load_cache(load);
        fmt::print("{}: {} loaded\n", cache.device.path, cache.name);
        return true;
    } catch (const Error &error) {
        fmt::print("{}: {} cannot be loaded: {}\n", cache.device.path, cache.name,
                   printable(error.what()));
        return false;
    }
}

// Of a device that is in use, the user has the cache: a running one, RAID or multipath on top.
bool start_all(const std::vector<Found> &found, const ScanOptions &options) {
    std::map<std::string, unsigned> free_copies;
    for (const Found &cache : found)
        free_copies[cache.uuid] += cache.user.empty();
    bool all = true;
    for (const Found &cache : found) {
        if (!cache.user.empty()) {
            fmt::print("{}: {} ({})\n", cache.device.path, cache.name, cache.user);
        } else if (free_copies[cache.uuid] > 1) {
            fmt::print("{}: {} is on {} devices; remove the copies, or load the right one: "
                       "flashcache_load {}\n",
                       cache.device.path, cache.name, free_copies[cache.uuid], cache.device.path);
            all = false;
        } else {
            all = start(cache, options) && all;
        }
    }
    return all;
}

void scan(int argc, const char *const *argv) {
    const ScanOptions options = parse_scan_options(argc, argv);
    std::vector<Found> found;
    for (const std::string &kernel_name : all_kernel_names())
        look_at(kernel_name, found, options.verbose);
    if (found.empty())
        fmt::print("no cache found\n");
    if (!start_all(found, options))
        refuse("not every cache runs");
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_scan", argc, argv, tools::scan);
}
