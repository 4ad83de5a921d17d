// SPDX-License-Identifier: GPL-2.0-only
//
// The device-mapper table of a cache: 0 <sectors> flashcache <disk> <ssd> <name> <mode> 1, and options
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings.h"

namespace tools {

inline constexpr const char *kTargetName = "flashcache";

// What the table of a cache that exists on its SSD says; the rest stands in the superblock.
struct Table {
    std::uint64_t origin_sectors = 0;
    std::string disk_path;
    std::string ssd_path;
    std::string cache_name;
    unsigned mode = 0; // enum fc_mode
    std::vector<Setting> options = {};
};

// The arguments after the target's name.  Spaces and backslashes are escaped as the kernel's
// dm_split_args() reads them.
std::string table_arguments(const Table &table);

// The whole line, for people.
std::string table_line(const Table &table);

// The word for enum fc_mode: "back", "thru", "around", "write-only"; "unknown".
const char *mode_name(unsigned mode);

// enum fc_mode for what -p takes: back, thru, through, around.
std::optional<unsigned> parse_mode(std::string_view text);

} // namespace tools
