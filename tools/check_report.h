// SPDX-License-Identifier: GPL-2.0-only
//
// What flashcache_check has found: facts in order, and damage.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/abi.h"
#include "device_file.h"
#include "legacy_cache.h"

namespace tools {

using Json = nlohmann::ordered_json;

struct CheckReport {
    Json facts = Json::object();
    std::vector<std::string> damages; // sentences
};

// Shown for each cached block, if wanted.
using VisitBlock = std::function<void(const Json &block)>;

// config: from probe_cache().  disk: null if it is not there; then its contents are not compared.
CheckReport check_cache(const DeviceFile &ssd, const DeviceFile *disk, const fc_config &config,
                        const VisitBlock &visit);
CheckReport check_legacy_cache(const DeviceFile &ssd, const LegacyCache &cache,
                               const VisitBlock &visit);

// "key: value" lines, the damage at the end.
std::string report_text(const CheckReport &report);
std::string report_json(const CheckReport &report);

} // namespace tools
