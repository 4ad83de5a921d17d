// SPDX-License-Identifier: GPL-2.0-only
#include "settings.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>

#include <sys/stat.h>

#include "core/abi.h"
#include "error.h"
#include "size_argument.h"
#include "text.h"

namespace tools {
namespace {

constexpr std::size_t kMaxFileBytes = 64 * 1024;

struct Key {
    const char *name;
    int tunable; // of the core, or kNoTunable
    std::uint32_t low = 0, high = 0; // unless the core knows
    bool option = true;
};
constexpr int kNoTunable = -1;

// The limits of the last four are the module's; it refuses what is beyond them, too.
constexpr Key kKeys[] = {
    {"dirty_thresh_pct", FC_TUNE_DIRTY_THRESH_PCT},
    {"cache_dirty_thresh_pct", FC_TUNE_CACHE_DIRTY_THRESH_PCT},
    {"max_clean_ios_total", FC_TUNE_MAX_CLEAN_IOS_TOTAL},
    {"max_clean_ios_set", FC_TUNE_MAX_CLEAN_IOS_SET},
    {"max_clean_ios_busy", FC_TUNE_MAX_CLEAN_IOS_BUSY},
    {"fallow_delay", FC_TUNE_FALLOW_DELAY_S},
    {"fallow_clean_speed", FC_TUNE_FALLOW_CLEAN_SPEED},
    {"idle_delay_ms", FC_TUNE_IDLE_DELAY_MS},
    {"writeback_centisecs", FC_TUNE_WRITEBACK_CENTISECS},
    {"new_style_write_merge", FC_TUNE_WRITE_MERGE},
    {"clean_on_read_miss", FC_TUNE_CLEAN_ON_READ_MISS},
    {"clean_on_write_miss", FC_TUNE_CLEAN_ON_WRITE_MISS},
    {"fast_remove", FC_TUNE_FAST_REMOVE},
    {"cache_all", FC_TUNE_CACHE_ALL},
    {"admission", FC_TUNE_ADMISSION},
    {"skip_seq_thresh_kb", FC_TUNE_SKIP_SEQ_READ_KB}, // and of writes
    {"skip_seq_read_thresh_kb", FC_TUNE_SKIP_SEQ_READ_KB},
    {"skip_seq_write_thresh_kb", FC_TUNE_SKIP_SEQ_WRITE_KB},
    {"reclaim_policy", kNoTunable, 0, FC_NR_POLICIES - 1},
    {"lru_hot_pct", FC_TUNE_LRU_HOT_PCT},
    {"lru_promote_thresh", FC_TUNE_LRU_PROMOTE_THRESH},
    {"io_latency_hist", kNoTunable, 0, 1, false},
    {"do_pid_expiry", kNoTunable, 0, 1, false},
    {"pid_expiry_secs", kNoTunable, 1, 1000000, false},
    {"max_pids", kNoTunable, 1, 8192, false},
};

// Files that do something once: nothing to be kept.
constexpr std::string_view kActions[] = {"do_sync", "stop_sync", "zero_stats", "error_inject"};

// A line of the file, for what is to be said about it.
struct Line {
    const std::string &path;
    unsigned number = 0;

    template <typename... Args>
    [[noreturn]] void refuse(fmt::format_string<Args...> format, Args &&...args) const {
        tools::refuse("{} line {}: {}", path, number,
                      fmt::format(format, std::forward<Args>(args)...));
    }
};

const Key &find_key(const std::string &name, const Line &line) {
    for (const Key &key : kKeys)
        if (name == key.name)
            return key;
    if (std::find(std::begin(kActions), std::end(kActions), name) != std::end(kActions))
        line.refuse("{} does something and keeps nothing; remove it", name);
    line.refuse("there is no setting \"{}\"; flashcache.conf(5) lists them", printable(name));
}

std::uint32_t check_value(const Key &key, const std::string &text, const Line &line) {
    unsigned low = key.low, high = key.high;
    if (key.tunable != kNoTunable && fc_core_tune_range(key.tunable, &low, &high) != 0)
        line.refuse("{} is not known to this release", key.name);
    const auto value = parse_number(text);
    if (!value)
        line.refuse("\"{}\" is no number; {} takes {} to {}", printable(text), key.name, low, high);
    if (*value < low || *value > high)
        line.refuse("{} is out of range; {} takes {} to {}", *value, key.name, low, high);
    return static_cast<std::uint32_t>(*value);
}

// The line without its comment: a key and a value, or nothing.
void parse_line(std::string_view text, const Line &line, Settings &settings,
                std::map<std::string, unsigned> &seen) {
    const std::string assignment = trimmed(text.substr(0, text.find('#')));
    if (assignment.empty())
        return;
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
        line.refuse("\"{}\" is not \"key = value\"", printable(assignment));
    const Key &key = find_key(trimmed(assignment.substr(0, equals)), line);
    const std::uint32_t value = check_value(key, trimmed(assignment.substr(equals + 1)), line);
    if (const auto [first, is_new] = seen.emplace(key.name, line.number); !is_new)
        line.refuse("{} stands in line {} already; remove one", key.name, first->second);
    (key.option ? settings.options : settings.sysctls).push_back({key.name, value});
}

void write_sysctl(const Setting &setting, const std::string &directory) {
    const std::string path = directory + "/" + setting.key;
    std::ofstream file(path, std::ios::in); // "in": never make one
    errno = 0;
    if (file && file << setting.value << std::flush)
        return;
    refuse("{}: {}", path, errno != 0 ? errno_text(errno) : "cannot be opened");
}

} // namespace

std::vector<SettingKey> setting_keys() {
    std::vector<SettingKey> keys;
    for (const Key &key : kKeys)
        keys.push_back({key.name, key.option});
    return keys;
}

Settings parse_settings(std::string_view text, const std::string &path) {
    Settings settings;
    std::map<std::string, unsigned> seen;
    for (Line line = {path}; !text.empty();) {
        line.number++;
        const std::size_t end = std::min(text.find('\n'), text.size());
        parse_line(text.substr(0, end), line, settings, seen);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return settings;
}

Settings read_settings(const std::string &cache_name, const std::string &directory) {
    check_cache_name(cache_name); // no way out of the directory
    const std::string path = directory + "/" + cache_name + ".conf";
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return {};
        refuse("{}: {}", path, errno_text(errno));
    }
    if (!S_ISREG(status.st_mode))
        refuse("{} is not a file", path);
    std::ifstream file(path, std::ios::binary);
    std::string text(kMaxFileBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.eof() || file.bad())
        refuse("{} cannot be read, or is larger than {} bytes", path, kMaxFileBytes);
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse_settings(text, path);
}

void write_sysctls(const std::vector<Setting> &sysctls, const std::string &directory) {
    std::string failures;
    for (const Setting &setting : sysctls) {
        try {
            write_sysctl(setting, directory);
        } catch (const Error &error) {
            failures += failures.empty() ? error.what() : fmt::format("; {}", error.what());
        }
    }
    if (!failures.empty())
        refuse("{}", failures);
}

} // namespace tools
