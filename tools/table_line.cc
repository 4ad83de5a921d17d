// SPDX-License-Identifier: GPL-2.0-only
#include "table_line.h"

#include <fmt/format.h>

#include "core/abi.h"

namespace tools {
namespace {

constexpr int kPersistenceLoad = 1; // use the cache that is on the SSD, or fail

// What the kernel takes for a space: those of ASCII, and byte 0xa0, which UTF-8 has within letters.
bool is_kernel_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || static_cast<unsigned char>(c) == 0xa0;
}

std::string escaped(std::string_view argument) {
    std::string result;
    for (const char c : argument) {
        if (is_kernel_space(c) || c == '\\')
            result += '\\';
        result += c;
    }
    return result;
}

// In a table, write-only is write-back with a 1 in the tenth place; the places between keep what
// the superblock says.
std::string mode_words(unsigned mode) {
    if (mode == FC_MODE_WRITE_ONLY)
        return fmt::format("{} {} 0 0 0 0 1", static_cast<int>(FC_MODE_WRITE_BACK),
                           kPersistenceLoad);
    return fmt::format("{} {}", mode, kPersistenceLoad);
}

} // namespace

std::string table_arguments(const Table &table) {
    return fmt::format("{} {} {} {}", escaped(table.disk_path), escaped(table.ssd_path),
                       escaped(table.cache_name), mode_words(table.mode));
}

std::string table_line(const Table &table) {
    return fmt::format("0 {} {} {}", table.origin_sectors, kTargetName, table_arguments(table));
}

const char *mode_name(unsigned mode) {
    switch (mode) {
    case FC_MODE_WRITE_BACK:
        return "back";
    case FC_MODE_WRITE_THROUGH:
        return "thru";
    case FC_MODE_WRITE_AROUND:
        return "around";
    case FC_MODE_WRITE_ONLY:
        return "write-only";
    default:
        return "unknown";
    }
}

std::optional<unsigned> parse_mode(std::string_view text) {
    if (text == "back")
        return FC_MODE_WRITE_BACK;
    if (text == "thru" || text == "through")
        return FC_MODE_WRITE_THROUGH;
    if (text == "around")
        return FC_MODE_WRITE_AROUND;
    return std::nullopt;
}

} // namespace tools
