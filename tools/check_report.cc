// SPDX-License-Identifier: GPL-2.0-only
#include "check_report.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/superblock.h"
#include "error.h"
#include "legacy_scan.h"
#include "live_cache.h"
#include "metadata_scan.h"
#include "text.h"

namespace tools {
namespace {

template <std::size_t N> std::string field(const char (&text)[N]) {
    return printable(from_field(text, N));
}

std::string mode_name(unsigned mode) {
    constexpr std::array kNames = {"?", "write_back", "write_through", "write_around",
                                   "write_only"};
    return kNames[mode < kNames.size() ? mode : 0];
}

// ---- our format

// A superblock that was being written at a power cut may be torn; after an orderly stop both hold.
void check_superblock(const DeviceFile &ssd, const fc_config &config, char name, fc_u64 sector,
                      CheckReport &report) {
    constexpr unsigned kSectors = 8;
    AlignedBuffer unit(kSectors * kSectorBytes);
    fc_config decoded = config;
    std::string wrong;
    if (const int error = ssd.read(sector, unit.data(), kSectors); error != 0) {
        wrong = errno_text(error);
    } else {
        fc_disk_superblock disk;
        std::memcpy(&disk, unit.data(), sizeof(disk));
        if (const int status = fc::decode_superblock(disk, decoded); status != FC_OK)
            wrong = fc_status_text(status);
    }
    report.facts[fmt::format("superblock_{}", name)] =
        wrong.empty() ? fmt::format("good, number {}", decoded.superblock_sequence) : wrong;
    if (!wrong.empty() && (config.flags & FC_DISK_FLAG_CLEAN) != 0)
        report.damages.push_back(fmt::format("superblock {}: {}", name, wrong));
}

void add_geometry(const fc_config &config, Json &facts) {
    facts["format"] = fmt::format("flashcache 4, version {}", FC_DISK_VERSION);
    facts["name"] = field(config.cache_name);
    facts["uuid"] = hex_digits(config.cache_uuid, sizeof(config.cache_uuid));
    facts["mode"] = mode_name(config.mode);
    facts["stopped"] = (config.flags & FC_DISK_FLAG_CLEAN) != 0 ? "in good order" : "not in good order";
    facts["disk"] = field(config.origin_path);
    facts["disk_identity"] = field(config.origin_id);
    facts["disk_sectors"] = config.origin_sectors;
    facts["blocks"] = config.nr_blocks;
    facts["block_sectors"] = config.block_sectors;
    facts["sets"] = config.nr_sets;
    facts["associativity"] = config.ways_per_set;
    facts["disk_associativity_sectors"] = config.extent_blocks * config.block_sectors;
    facts["metadata_unit_bytes"] = config.unit_bytes;
    facts["home_units"] = config.home_units;
    facts["log_units"] = config.log_units;
    facts["data_offset_sectors"] = config.data_offset_sectors;
}

// A cached block of either format.
Json block_json(std::uint64_t slot, std::uint32_t associativity, std::uint64_t disk_sector,
                bool dirty) {
    return {{"slot", slot},
            {"set", slot / associativity},
            {"way", slot % associativity},
            {"disk_sector", disk_sector},
            {"state", dirty ? "dirty" : "clean"}};
}

// As the kernel would load it; what it would write is not written.
void check_load(const DeviceFile &ssd, const DeviceFile *disk, const fc_config &config,
                const VisitBlock &visit, CheckReport &report) {
    LiveCache cache(ssd, disk, LiveCache::Changes::kRemembered);
    const int status = cache.open(config);
    report.facts["disk_compared"] =
        disk != nullptr && (config.flags & FC_DISK_FLAG_FINGERPRINT) != 0;
    report.facts["loads"] = status == FC_OK;
    if (status != FC_OK) {
        report.damages.push_back(fmt::format("it cannot be loaded: {}", fc_status_text(status)));
        return;
    }
    report.facts["cached_blocks"] = cache.gauge(FC_GAUGE_CACHED);
    report.facts["dirty_blocks"] = cache.gauge(FC_GAUGE_DIRTY);
    report.facts["void_records"] = cache.gauge(FC_GAUGE_RECOVERED_VOID);
    if (visit)
        cache.for_each_block([&](const CachedBlock &block) {
            Json json = block_json(block.slot, config.ways_per_set,
                                   block.origin_block * config.block_sectors, block.dirty);
            json["referenced"] = block.referenced;
            visit(json);
        });
}

// ---- old formats

std::string stop_text(LegacyStop stop) {
    switch (stop) {
    case LegacyStop::kUnclean:
        return "not in good order";
    case LegacyStop::kClean:
        return "in good order, clean";
    case LegacyStop::kFast:
        return "in good order, with dirty blocks";
    case LegacyStop::kFailed:
        return "metadata could not be saved";
    }
    return {};
}

void add_legacy(const LegacyCache &cache, Json &facts) {
    facts["format"] = fmt::format("flashcache 1 to 3, version {}", cache.version);
    facts["name"] = cache.name;
    facts["mode"] = cache.write_only ? "write_only" : "write_back";
    facts["stopped"] = stop_text(cache.stop);
    facts["disk"] = cache.disk_path;
    facts["disk_sectors"] = cache.disk_sectors;
    facts["blocks"] = cache.nr_blocks;
    facts["block_sectors"] = cache.block_sectors;
    facts["associativity"] = cache.associativity;
    facts["disk_associativity_sectors"] = cache.disk_associativity_sectors;
    facts["metadata_block_sectors"] = cache.metadata_block_sectors;
}

std::string scalar(const Json &value) {
    if (value.is_string())
        return value.get<std::string>();
    if (value.is_boolean())
        return value.get<bool>() ? "yes" : "no";
    return value.dump();
}

} // namespace

CheckReport check_cache(const DeviceFile &ssd, const DeviceFile *disk, const fc_config &config,
                        const VisitBlock &visit) {
    CheckReport report;
    add_geometry(config, report.facts);
    check_superblock(ssd, config, 'a', FC_DISK_SUPERBLOCK_A_SECTOR, report);
    check_superblock(ssd, config, 'b', FC_DISK_SUPERBLOCK_B_SECTOR, report);
    for (std::string &damage : scan_metadata(ssd, config).damages)
        report.damages.push_back(std::move(damage));
    check_load(ssd, disk, config, visit, report);
    return report;
}

CheckReport check_legacy_cache(const DeviceFile &ssd, const LegacyCache &cache,
                               const VisitBlock &visit) {
    CheckReport report;
    add_legacy(cache, report.facts);
    if (std::string wrong = legacy_contradiction(ssd, cache); !wrong.empty()) {
        report.damages.push_back("the superblock makes no sense: " + wrong);
        return report;
    }
    LegacyScan scan = scan_legacy(ssd, cache, 0);
    report.facts["cached_blocks"] = scan.valid_blocks;
    report.facts["dirty_blocks"] = scan.dirty.size();
    report.damages = std::move(scan.damages);
    if (cache.stop == LegacyStop::kFailed)
        report.damages.push_back("the metadata could not be saved when the cache was stopped");
    if (cache.stop == LegacyStop::kClean && !scan.dirty.empty())
        report.damages.push_back("it was stopped clean, and has dirty blocks");
    if (visit && report.damages.empty())
        if (const int error = for_each_legacy_slot(ssd, cache, [&](const LegacySlot &slot) {
                if (slot.valid())
                    visit(block_json(slot.number, cache.associativity, slot.disk_sector,
                                     slot.dirty()));
            });
            error != 0)
            report.damages.push_back("the metadata cannot be read again: " + errno_text(error));
    return report;
}

std::string report_text(const CheckReport &report) {
    std::string text;
    for (const auto &[key, value] : report.facts.items()) {
        std::string title = key;
        std::replace(title.begin(), title.end(), '_', ' ');
        text += fmt::format("{}: {}\n", title, scalar(value));
    }
    for (const std::string &damage : report.damages)
        text += fmt::format("DAMAGED: {}\n", damage);
    if (report.damages.empty())
        text += "no damage found\n";
    return text;
}

std::string report_json(const CheckReport &report) {
    Json whole = report.facts;
    whole["damage"] = report.damages;
    return whole.dump() + "\n";
}

} // namespace tools
