// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_load: start a cache that exists on an SSD.
//
// Nothing that stands on the SSD is believed: names and paths are checked before they are used,
// and the disk must be the one that the cache was made for.

#include "activation.h"
#include "block_device.h"
#include "core_host.h"
#include "device_file.h"
#include "error.h"
#include "kernel_module.h"
#include "legacy_cache.h"
#include "options.h"
#include "origin_identity.h"
#include "table_line.h"
#include "text.h"

namespace tools {
namespace {

fc_config read_superblock(const DeviceFile &ssd) {
    fc_config config = {};
    config.cache_device_sectors = ssd.sectors();
    const int status = probe_cache(ssd, config);
    if (status == FC_OK)
        return config;
    if (status != FC_E_NO_SUPERBLOCK)
        refuse("{}: {}", ssd.path(), fc_status_text(status));
    if (const auto legacy = find_legacy_cache(ssd))
        refuse("{} holds a cache of an older flashcache (format {}), which this one cannot load; "
               "write it back with the old release, then flashcache_destroy it",
               ssd.path(), legacy->version);
    refuse("No valid Flashcache found on {}; make one with flashcache_create", ssd.path());
}

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

BlockDevice choose_disk(const LoadOptions &options, const fc_config &config) {
    const RecordedOrigin recorded = {
        from_field(config.origin_id, sizeof(config.origin_id)),
        from_field(config.origin_path, sizeof(config.origin_path)),
        config.origin_sectors,
    };
    if (options.disk_path.empty())
        return find_origin(recorded);
    BlockDevice disk = inspect_block_device(options.disk_path);
    if (const std::string differs = difference(recorded, disk); !differs.empty())
        refuse("{} {}; attach the disk of this cache", disk.path, differs);
    return disk;
}

void print_cache(const fc_config &config, const BlockDevice &disk) {
    fmt::print("{} blocks of {} sectors in {} sets of {}, last stop {}\n", config.nr_blocks,
               config.block_sectors, config.nr_sets, config.ways_per_set,
               (config.flags & FC_DISK_FLAG_CLEAN) != 0 ? "orderly" : "not orderly");
    fmt::print("disk: {}, {} sectors, identity {}\n", disk.path, disk.sectors,
               config.origin_id[0] != 0 ? config.origin_id : "unknown");
}

void check_disk(const BlockDevice &ssd, const BlockDevice &disk) {
    if (overlap(ssd, disk))
        refuse("{} and {} share the disk {}; name the right disk with --disk", ssd.path, disk.path,
               ssd.disk_name);
    if (disk.read_only)
        refuse("{} is read-only; make it writable: blockdev --setrw {}", disk.path, disk.path);
}

void load(int argc, const char *const *argv) {
    const LoadOptions options = parse_load_options(argc, argv);
    const BlockDevice ssd = inspect_block_device(options.ssd_path);
    if (ssd.read_only)
        refuse("{} is read-only; make it writable: blockdev --setrw {}", ssd.path, ssd.path);
    DeviceFile ssd_file = DeviceFile::open(ssd.path, Access::kRead, true);
    const fc_config config = read_superblock(ssd_file);
    const BlockDevice disk = choose_disk(options, config);
    check_disk(ssd, disk);
    DeviceFile disk_file = DeviceFile::open(disk.path, Access::kRead, true);

    const Table table = {config.origin_sectors, path_for_table(disk), path_for_table(ssd),
                         choose_name(options, config),
                         options.mode != 0 ? options.mode : config.mode};
    require_flashcache_target();
    require_unused_name(table.cache_name);
    if (options.verbose)
        print_cache(config, disk);
    ssd_file.close();
    disk_file.close();
    start_cache(table, config, options.verbose);
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_load", argc, argv, tools::load);
}
