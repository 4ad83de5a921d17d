// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_destroy: make an SSD forget the cache on it.  Refuses while the cache is in use, and,
// unless forced, while blocks on it are newer than those on the disk.

#include "block_device.h"
#include "core_host.h"
#include "device_file.h"
#include "error.h"
#include "legacy_cache.h"
#include "metadata_scan.h"
#include "options.h"
#include "text.h"

namespace tools {
namespace {

// Whole lines that scripts look for; see the manual page.
[[noreturn]] void refuse_dirty(const std::string &ssd_path, const std::string &detail) {
    refuse("DIRTY BLOCKS EXIST ON {}, ABORTING CACHE DESTROY ({}). Use -f (force) to destroy cache "
           "with DIRTY blocks, BUT YOU WILL LOSE DATA GUARANTEED",
           ssd_path, detail);
}

[[noreturn]] void refuse_damaged(const std::string &ssd_path, const std::string &damage) {
    refuse("dirty blocks cannot be excluded on {}: {}. Use -f (force) to destroy the cache "
           "nevertheless, and lose what is dirty",
           ssd_path, damage);
}

void announce(const std::string &ssd_path) {
    fmt::print("Destroying Flashcache found on {}. Any data will be lost !!\n", ssd_path);
}

void destroy_current(const DeviceFile &ssd, const fc_config &config,
                     const DestroyOptions &options) {
    const MetadataScan scan = scan_metadata(ssd, config);
    if (options.verbose)
        fmt::print("{} of {} blocks are dirty{}{}\n", scan.dirty_blocks, config.nr_blocks,
                   scan.damages.empty() ? "" : "; ", scan.first_damage());
    if (scan.dirty_blocks != 0 && !options.force)
        refuse_dirty(options.ssd_path,
                     fmt::format("{} of {} blocks, of {}", scan.dirty_blocks, config.nr_blocks,
                                 printable(config.origin_path)));
    if (!scan.damages.empty() && !options.force)
        refuse_damaged(options.ssd_path, scan.first_damage());
    announce(options.ssd_path);
    wipe_cache(ssd, config);
}

// A superblock with our magic that makes no sense.
void destroy_damaged(const DeviceFile &ssd, int status, const DestroyOptions &options) {
    if (!options.force)
        refuse_damaged(options.ssd_path, fc_status_text(status));
    announce(options.ssd_path);
    wipe_cache(ssd, fc_config{});
}

void destroy_legacy(const DeviceFile &ssd, const LegacyCache &cache,
                    const DestroyOptions &options) {
    const auto dirty = count_legacy_dirty(ssd, cache);
    if (!options.force && !dirty)
        refuse_damaged(options.ssd_path, "the metadata of an older flashcache makes no sense");
    if (!options.force && *dirty != 0)
        refuse_dirty(options.ssd_path, fmt::format("{} of {} blocks, of {}", *dirty,
                                                   cache.nr_blocks, cache.disk_path));
    announce(options.ssd_path);
    wipe_legacy_cache(ssd);
}

void destroy(int argc, const char *const *argv) {
    const DestroyOptions options = parse_destroy_options(argc, argv);
    const BlockDevice device = inspect_block_device(options.ssd_path);
    require_writable(device);
    const DeviceFile ssd = DeviceFile::open(device.path, Access::kReadWrite, true);
    fc_config config = {};
    const int status = probe_cache(ssd, config);
    if (status == FC_OK)
        return destroy_current(ssd, config, options);
    if (status != FC_E_NO_SUPERBLOCK)
        return destroy_damaged(ssd, status, options);
    if (const auto legacy = find_legacy_cache(ssd))
        return destroy_legacy(ssd, *legacy, options);
    refuse("No valid Flashcache found on {}", options.ssd_path);
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_destroy", argc, argv, tools::destroy);
}
