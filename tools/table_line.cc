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
// the superblock says.  All eleven must be there if options follow.
std::string mode_words(unsigned mode, bool all_places) {
    const bool write_only = mode == FC_MODE_WRITE_ONLY;
    const std::string words = fmt::format(
        "{} {}", write_only ? static_cast<unsigned>(FC_MODE_WRITE_BACK) : mode, kPersistenceLoad);
    if (!write_only && !all_places)
        return words;
    return fmt::format("{} 0 0 0 0 {}{}", words, write_only ? 1 : 0, all_places ? " 0" : "");
}

std::string option_words(const std::vector<Setting> &options) {
    if (options.empty())
        return {};
    std::string words = fmt::format(" {}", 2 * options.size());
    for (const Setting &option : options)
        words += fmt::format(" {} {}", option.key, option.value);
    return words;
}

} // namespace

std::string table_arguments(const Table &table) {
    return fmt::format("{} {} {} {}{}", escaped(table.disk_path), escaped(table.ssd_path),
                       escaped(table.cache_name), mode_words(table.mode, !table.options.empty()),
                       option_words(table.options));
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
