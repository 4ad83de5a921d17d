// SPDX-License-Identifier: GPL-2.0-only
#include "load_cache.h"

#include "activation.h"
#include "block_device.h"
#include "cache_devices.h"
#include "device_file.h"
#include "error.h"
#include "kernel_module.h"
#include "origin_identity.h"
#include "settings.h"
#include "table_line.h"
#include "text.h"

namespace tools {
namespace {

std::string choose_name(const LoadOptions &options, const fc_config &config) {
    if (!options.cache_name.empty())
        return options.cache_name;
    const std::string recorded = from_field(config.cache_name, sizeof(config.cache_name));
    try {
        check_cache_name(recorded);
    } catch (const Error &error) {
        refuse("the name recorded on {} cannot be used ({}); give one: flashcache_load {} NAME",
               options.ssd_path, error.what(), options.ssd_path);
    }
    return recorded;
}

// The data matters more than how it is cached: a mistake in the file does not keep it away.
Settings settings_if_good(const std::string &cache_name) {
    try {
        return read_settings(cache_name);
    } catch (const Error &error) {
        warn(fmt::format("{} is loaded without its settings: {}", cache_name, error.what()));
        return {};
    }
}

// Nor does a module of another release that does not take one of them.
bool start_with_settings(const Table &table, const fc_config &config, bool verbose) {
    try {
        start_cache(table, config, verbose);
        return true;
    } catch (const Error &error) {
        if (table.options.empty())
            throw;
        Table plain = table;
        plain.options.clear();
        start_cache(plain, config, verbose); // fails again if it was not for the settings
        warn(fmt::format("{} is loaded without its settings: {}", table.cache_name, error.what()));
        return false;
    }
}

void print_cache(const fc_config &config, const BlockDevice &disk) {
    fmt::print("{} blocks of {} sectors in {} sets of {}, last stop {}\n", config.nr_blocks,
               config.block_sectors, config.nr_sets, config.ways_per_set,
               (config.flags & FC_DISK_FLAG_CLEAN) != 0 ? "orderly" : "not orderly");
    fmt::print("disk: {}, {} sectors, identity {}\n", disk.path, disk.sectors,
               config.origin_id[0] != 0 ? config.origin_id : "unknown");
}

} // namespace

void load_cache(const LoadOptions &options) {
    const BlockDevice ssd = inspect_block_device(options.ssd_path);
    require_writable(ssd);
    DeviceFile ssd_file = DeviceFile::open(ssd.path, Access::kRead, true);
    const fc_config config = require_loadable(ssd_file);
    const BlockDevice disk = disk_of_cache(config, options.disk_path);
    require_pair(ssd, disk);
    DeviceFile disk_file = DeviceFile::open(disk.path, Access::kRead, true);

    Table table = {config.origin_sectors, path_for_table(disk), path_for_table(ssd),
                   choose_name(options, config),
                   options.mode != 0 ? options.mode : config.mode};
    require_flashcache_target();
    require_unused_name(table.cache_name);
    const Settings settings = settings_if_good(table.cache_name);
    table.options = settings.options;
    if (options.verbose)
        print_cache(config, disk);
    ssd_file.close();
    disk_file.close();
    if (start_with_settings(table, config, options.verbose))
        apply_sysctls(table.cache_name, settings);
}

} // namespace tools
