// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_create: make a cache of a disk on an SSD and start it.
//
// Everything is checked before anything is written; while metadata is written both devices are
// held exclusively; if the kernel then refuses the cache, the superblock is erased again.

#include "activation.h"
#include "block_device.h"
#include "consent.h"
#include "core_host.h"
#include "device_file.h"
#include "error.h"
#include "kernel_module.h"
#include "new_cache.h"
#include "options.h"
#include "origin_identity.h"
#include "settings.h"
#include "signatures.h"
#include "table_line.h"

namespace tools {
namespace {

constexpr std::uint64_t kMemoryShare = 4; // ask if the cache wants more than 1/4 of main memory

constexpr std::uint64_t mebibytes(std::uint64_t bytes) {
    constexpr std::uint64_t kMiB = 1024 * 1024;
    return (bytes + kMiB - 1) / kMiB;
}

void print_plan(const CreateOptions &options, const fc_config &config) {
    fmt::print("cachedev {}, ssd_devname {}, disk_devname {} cache mode {}\n", options.cache_name,
               options.ssd_path, options.disk_path, mode_name(config.mode));
    fmt::print("block_size {}, cache_size {}\n", config.block_sectors,
               config.nr_blocks * config.block_sectors);
    fmt::print("Flashcache metadata will use {}MB of your {}MB main memory\n",
               mebibytes(fc_core_bytes(&config)), mebibytes(main_memory_bytes()));
    if (!options.verbose)
        return;
    fmt::print("blocks: {} in {} sets of {}; {} neighbouring blocks share a set\n",
               config.nr_blocks, config.nr_sets, config.ways_per_set, config.extent_blocks);
    fmt::print("on the SSD: {} KiB metadata (home table {} KiB at sector {}, log {} KiB at sector "
               "{}), cache blocks from sector {}\n",
               metadata_bytes(config) / 1024, config.home_units * config.unit_bytes / 1024,
               config.home_offset_sectors, config.log_units * config.unit_bytes / 1024,
               config.log_offset_sectors, config.data_offset_sectors);
    fmt::print("disk: {} sectors, recorded as {}, identity {}\n", config.origin_sectors,
               config.origin_path, config.origin_id[0] != 0 ? config.origin_id : "unknown");
}

void check_memory(const CreateOptions &options, const fc_config &config) {
    const std::uint64_t need = fc_core_bytes(&config);
    const std::uint64_t memory = main_memory_bytes();
    if (need > memory / 2) // the kernel would refuse it, when the SSD has been overwritten
        refuse("the cache would use {}MB of your {}MB main memory, more than half; use larger "
               "blocks (-b)",
               mebibytes(need), mebibytes(memory));
    if (need > memory / kMemoryShare)
        require_consent(fmt::format("the cache will use {}MB of your {}MB main memory",
                                    mebibytes(need), mebibytes(memory)),
                        options.assume_yes);
}

void write_metadata(const DeviceFile &ssd, const fc_config &config, bool force) {
    if (force) {
        wipe_signatures(ssd.descriptor(), ssd.path());
        ssd.forget_partitions();
    }
    format_cache(ssd, config);
}

// The superblock that this tool has just written must not outlive a failure.
[[noreturn]] void undo(const std::string &ssd_path, const fc_config &config, const std::exception &cause) {
    try {
        wipe_cache(DeviceFile::open(ssd_path, Access::kReadWrite, true), config);
    } catch (const Error &second) {
        refuse("{}; and the new cache on the SSD could not be erased: {}", cause.what(),
               second.what());
    }
    refuse("{}; the new cache on {} has been erased again", cause.what(), ssd_path);
}

void create(int argc, const char *const *argv) {
    const CreateOptions options = parse_create_options(argc, argv);
    const Settings settings = read_settings(options.cache_name);
    const BlockDevice ssd = inspect_block_device(options.ssd_path);
    const BlockDevice disk = inspect_block_device(options.disk_path);
    check_pair(ssd, disk);
    fc_config config = plan_cache(options, ssd, disk);
    require_flashcache_target();
    require_unused_name(options.cache_name);

    DeviceFile ssd_file = DeviceFile::open(ssd.path, Access::kReadWrite, true);
    DeviceFile disk_file = DeviceFile::open(disk.path, Access::kRead, true);
    check_ssd_contents(ssd_file, options.force);
    check_partitions(ssd);
    add_identity(config, options, disk);
    print_plan(options, config);
    check_memory(options, config);

    write_metadata(ssd_file, config, options.force);
    ssd_file.close();
    disk_file.close();
    const Table table = {config.origin_sectors, path_for_table(disk), path_for_table(ssd),
                         options.cache_name, config.mode, settings.options};
    try {
        start_cache(table, config, options.verbose);
    } catch (const std::exception &error) { // of the output, too
        undo(ssd.path, config, error);
    }
    apply_sysctls(options.cache_name, settings);
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_create", argc, argv, tools::create);
}
