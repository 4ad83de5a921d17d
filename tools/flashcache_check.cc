// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_check: is the metadata on an SSD whole, and what does it say?  Changes nothing.

#include <optional>

#include "block_device.h"
#include "cache_devices.h"
#include "check_report.h"
#include "core_host.h"
#include "device_file.h"
#include "error.h"
#include "legacy_cache.h"
#include "options.h"
#include "text.h"

namespace tools {
namespace {

// As fsck's.
constexpr int kExitDamage = 4;
constexpr ExitStatuses kStatuses = {.refused = 8, .usage = 16};

// Without the disk, there is less to compare; but a disk that was named must be the right one.
std::optional<DeviceFile> open_disk(const fc_config &config, const CheckOptions &options) {
    try {
        const BlockDevice disk = disk_of_cache(config, options.disk_path);
        return DeviceFile::open(disk.path, Access::kRead, true);
    } catch (const Error &error) {
        if (!options.disk_path.empty())
            throw;
        fmt::print(stderr, "flashcache_check: the disk is not compared: {}\n",
                   printable(error.what()));
        return std::nullopt;
    }
}

CheckReport check(const DeviceFile &ssd, const CheckOptions &options, const VisitBlock &visit) {
    fc_config config = {};
    const int status = probe_cache(ssd, config);
    if (status == FC_E_NO_SUPERBLOCK) {
        if (const auto legacy = find_legacy_cache(ssd))
            return check_legacy_cache(ssd, *legacy, visit);
        refuse("No valid Flashcache found on {}", options.ssd_path);
    }
    if (status != FC_OK) {
        CheckReport report;
        report.damages.push_back(fc_status_text(status));
        return report;
    }
    const std::optional<DeviceFile> disk = open_disk(config, options);
    return check_cache(ssd, disk ? &*disk : nullptr, config, visit);
}

void print_block(const Json &block, bool json) {
    if (json)
        fmt::print("{}\n", block.dump());
    else
        fmt::print("slot {} set {} way {} disk sector {} {}\n", block["slot"].get<std::uint64_t>(),
                   block["set"].get<std::uint64_t>(), block["way"].get<std::uint64_t>(),
                   block["disk_sector"].get<std::uint64_t>(), block["state"].get<std::string>());
}

void run(int argc, const char *const *argv) {
    const CheckOptions options = parse_check_options(argc, argv);
    const BlockDevice device = inspect_block_device(options.ssd_path);
    const DeviceFile ssd = DeviceFile::open(device.path, Access::kRead, true);
    VisitBlock visit;
    if (options.dump)
        visit = [&options](const Json &block) { print_block(block, options.json); };
    const CheckReport report = check(ssd, options, visit);
    fmt::print("{}", options.json ? report_json(report) : report_text(report));
    if (!report.damages.empty())
        throw Error(fmt::format("{}: damage found", options.ssd_path), kExitDamage);
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_check", argc, argv, tools::run, tools::kStatuses);
}
