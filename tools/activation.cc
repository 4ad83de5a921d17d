// SPDX-License-Identifier: GPL-2.0-only
#include "activation.h"

#include "device_mapper.h"
#include "error.h"
#include "running_cache.h"
#include "text.h"

namespace tools {

std::string device_uuid(const fc_config &config) {
    return "FLASHCACHE-" + hex_digits(config.cache_uuid, sizeof(config.cache_uuid));
}

void require_unused_name(const std::string &name) {
    if (device_exists(name))
        refuse("/dev/mapper/{} exists already; use another name, or remove it: dmsetup remove {}",
               name, name);
}

void start_cache(const Table &table, const fc_config &config, bool verbose) {
    if (verbose)
        fmt::print("table: {}\n", table_line(table));
    create_device(table.cache_name, device_uuid(config),
                  {table.origin_sectors, kTargetName, table_arguments(table)});
}

void apply_sysctls(const std::string &cache_name, const Settings &settings) noexcept {
    try {
        if (!settings.sysctls.empty())
            write_sysctls(settings.sysctls,
                          "/proc/sys/dev/flashcache/" + proc_label(cache_name));
    } catch (const std::exception &error) {
        warn(fmt::format("{} runs without these settings: {}", cache_name, error.what()));
    }
}

} // namespace tools
