// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_writeback: write the dirty blocks of a cache that is not running to its disk, without
// the kernel module.  Reads caches of flashcache 1 to 3, too.

#include "block_device.h"
#include "cache_devices.h"
#include "consent.h"
#include "core_host.h"
#include "device_file.h"
#include "error.h"
#include "legacy_cache.h"
#include "options.h"
#include "progress.h"
#include "text.h"
#include "writeback.h"

namespace tools {
namespace {

std::string amount(std::uint64_t blocks, std::uint64_t block_sectors) {
    return fmt::format("{} dirty blocks ({})", blocks,
                       human_bytes(blocks * block_sectors * kSectorBytes));
}

DeviceFile open_for(const WritebackOptions &options, const BlockDevice &device) {
    return DeviceFile::open(device.path, options.dry_run ? Access::kRead : Access::kReadWrite, true);
}

// Says what would be written, and false, for a dry run; else asks, which throws Error for "no".
bool announce(const std::string &what, const DeviceFile &ssd, const DeviceFile &disk,
              const WritebackOptions &options) {
    if (options.dry_run)
        fmt::print("{} would be written from {} to {}\n", what, ssd.path(), disk.path());
    else
        require_consent(fmt::format("{} will be written to {}", what, disk.path()),
                        options.assume_yes);
    return !options.dry_run;
}

// One line on success, an error otherwise.
void tell(const Writeback &result, const DeviceFile &ssd, const DeviceFile &disk,
          std::uint64_t block_sectors) {
    const std::uint64_t done = result.dirty - result.left;
    if (result.error != 0)
        refuse("{} of {} blocks could not be written to {}: {}; they are still dirty on {}: mend "
               "what failed and run this again",
               result.left, result.dirty, disk.path(), errno_text(result.error), ssd.path());
    if (result.left != 0)
        refuse("stopped: {} of {} blocks have been written to {}, the others are still dirty on "
               "{}; run this again to go on",
               done, result.dirty, disk.path(), ssd.path());
    fmt::print("{} written to {}; none is left on {}\n", amount(done, block_sectors), disk.path(),
               ssd.path());
}

GoOn with(Progress &progress) {
    return [&progress](std::uint64_t left) {
        progress.show(left);
        return !interrupted_by_user();
    };
}

void run_current(const DeviceFile &ssd, const BlockDevice &ssd_device,
                 const WritebackOptions &options) {
    const fc_config config = require_loadable(ssd);
    const BlockDevice disk_device = disk_of_cache(config, options.disk_path);
    require_pair(ssd_device, disk_device);
    const DeviceFile disk = open_for(options, disk_device);
    const std::uint64_t dirty = count_dirty(ssd, disk, config);
    if (!announce(amount(dirty, config.block_sectors), ssd, disk, options))
        return;
    Progress progress(dirty, config.block_sectors * kSectorBytes, options.quiet);
    tell(write_back(ssd, disk, config, with(progress)), ssd, disk, config.block_sectors);
}

// The old superblock knows its disk by path and size only.
BlockDevice disk_of_legacy(const LegacyCache &cache, const WritebackOptions &options) {
    const std::string path = options.disk_path.empty() ? cache.disk_path : options.disk_path;
    if (options.disk_path.empty() && !is_plain_device_path(path))
        refuse("the disk recorded on {} is no device; name it: --disk PATH", options.ssd_path);
    BlockDevice disk = inspect_block_device(path);
    if (disk.sectors != cache.disk_sectors)
        refuse("{} has {} sectors, but the disk of this cache had {}; attach that one, and name it: "
               "--disk PATH",
               disk.path, disk.sectors, cache.disk_sectors);
    return disk;
}

void check_legacy(const LegacyCache &cache, const LegacyScan &scan, const WritebackOptions &options) {
    if (options.force)
        return;
    if (!scan.damages.empty())
        refuse("{} is damaged: {}{}; flashcache_check says more, and -f (force) writes what makes "
               "sense",
               options.ssd_path, scan.damages.front(),
               scan.damages.size() > 1 ? fmt::format(", and {} things more", scan.damages.size() - 1)
                                       : "");
    if (cache.stop == LegacyStop::kFailed)
        refuse("the metadata on {} could not be saved when the cache was stopped, and may be out of "
               "date; -f (force) writes what it says",
               options.ssd_path);
}

void run_legacy(const DeviceFile &ssd, const LegacyCache &cache, const BlockDevice &ssd_device,
                const WritebackOptions &options) {
    if (const std::string wrong = legacy_contradiction(ssd, cache); !wrong.empty())
        refuse("the superblock of the old cache on {} makes no sense: {}", ssd.path(), wrong);
    const BlockDevice disk_device = disk_of_legacy(cache, options);
    require_pair(ssd_device, disk_device);
    const DeviceFile disk = open_for(options, disk_device);
    const LegacyScan scan = scan_legacy(ssd, cache, disk.sectors());
    check_legacy(cache, scan, options);
    if (!announce(amount(scan.dirty.size(), cache.block_sectors), ssd, disk, options))
        return;
    Progress progress(scan.dirty.size(), cache.block_sectors * kSectorBytes, options.quiet);
    tell(write_back_legacy(ssd, disk, cache, scan, with(progress)), ssd, disk, cache.block_sectors);
}

void run(int argc, const char *const *argv) {
    const WritebackOptions options = parse_writeback_options(argc, argv);
    const BlockDevice device = inspect_block_device(options.ssd_path);
    if (!options.dry_run)
        require_writable(device);
    const DeviceFile ssd = open_for(options, device);
    catch_interrupts();
    fc_config config = {};
    if (probe_cache(ssd, config) == FC_E_NO_SUPERBLOCK)
        if (const auto legacy = find_legacy_cache(ssd))
            return run_legacy(ssd, *legacy, device, options);
    run_current(ssd, device, options);
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_writeback", argc, argv, tools::run);
}
