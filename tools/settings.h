// SPDX-License-Identifier: GPL-2.0-only
//
// The settings that a cache gets at each start: the file /etc/flashcache/<name>.conf, with lines
// "key = value" and comments from # on.  Keys are the names of the cache's sysctls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tools {

struct Setting {
    std::string key;
    std::uint32_t value = 0;
    bool operator==(const Setting &) const = default;
};

struct Settings {
    std::vector<Setting> options; // the table line takes them
    std::vector<Setting> sysctls; // to be written when the cache runs
    bool operator==(const Settings &) const = default;
};

// Every key there is, and whether it is an option of the table line.
struct SettingKey {
    const char *name;
    bool option;
};
std::vector<SettingKey> setting_keys();

// Throws Error, which names path and line, for whatever is not right.
Settings parse_settings(std::string_view text, const std::string &path);

// Those of the file for the cache; none if there is no file.  Throws Error.
Settings read_settings(const std::string &cache_name,
                       const std::string &directory = "/etc/flashcache");

// Writes to the files of a directory what is to be written when the cache runs.  Throws Error, which
// names all that failed, after it has tried each.
void write_sysctls(const std::vector<Setting> &sysctls, const std::string &directory);

} // namespace tools
