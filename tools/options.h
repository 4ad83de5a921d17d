// SPDX-License-Identifier: GPL-2.0-only
//
// The command lines.  Each parser throws Error (status 2) for a wrong one and Answer for --help
// and --version.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tools {

struct CreateOptions {
    unsigned mode = 0;               // enum fc_mode
    std::uint32_t block_sectors = 0; // 0 in each of these: the default
    std::uint64_t cache_sectors = 0;
    std::uint32_t associativity = 0; // blocks
    std::uint32_t disk_associativity_sectors = 0;
    bool verbose = false;
    bool force = false;
    bool assume_yes = false; // also by force
    std::string cache_name;
    std::string ssd_path;
    std::string disk_path;
};

struct LoadOptions {
    unsigned mode = 0;      // 0: as recorded
    std::string disk_path;  // "": as recorded
    std::string cache_name; // "": as recorded
    bool verbose = false;
    std::string ssd_path;
};

struct DestroyOptions {
    bool force = false;
    bool verbose = false;
    std::string ssd_path;
};

struct StatOptions {
    unsigned interval_s = 1;
    std::uint64_t count = 0; // lines; 0: until it is ended
    bool no_color = false;
    bool json = false;
    std::string cache; // "": each that runs
};

struct WritebackOptions {
    bool dry_run = false;
    bool force = false;
    bool assume_yes = false;
    bool quiet = false;
    std::string disk_path; // "": as recorded
    std::string ssd_path;
};

struct CheckOptions {
    bool json = false;
    bool dump = false;
    std::string disk_path; // "": as recorded, if it is there
    std::string ssd_path;
};

struct ScanOptions {
    bool list = false; // and load nothing
    bool verbose = false;
};

// What flashcache_setioctl does to the lists of processes.
struct ListOptions {
    enum class Action { kClear, kAdd, kRemove, kShow };
    Action action = Action::kShow;
    bool blacklist = false; // kShow may have both, the others have one
    bool whitelist = false;
    std::string pid;   // of pid, group and idle, kAdd and kRemove have one
    std::string group; // a directory of cgroup v2, or its number
    bool idle = false; // whoever has the I/O class "idle"
    std::string cache;
};

struct AgsizeOptions {
    bool verbose = false;
    std::uint64_t cache_gb = 0;
    std::uint64_t volume_gb = 0;
};

struct TraceOptions {
    std::vector<unsigned> sizes_pct = {10, 20, 40}; // of the blocks referred to
    std::uint32_t associativity = 512;              // blocks
    std::uint32_t extent_blocks = 64;
    std::uint64_t made_up = 0; // references; 0: read the file
    bool json = false;
    std::string file; // "-": standard input
};

CreateOptions parse_create_options(int argc, const char *const *argv);
LoadOptions parse_load_options(int argc, const char *const *argv);
DestroyOptions parse_destroy_options(int argc, const char *const *argv);
StatOptions parse_stat_options(int argc, const char *const *argv);
WritebackOptions parse_writeback_options(int argc, const char *const *argv);
CheckOptions parse_check_options(int argc, const char *const *argv);
ScanOptions parse_scan_options(int argc, const char *const *argv);
ListOptions parse_list_options(int argc, const char *const *argv);
AgsizeOptions parse_agsize_options(int argc, const char *const *argv);
TraceOptions parse_trace_options(int argc, const char *const *argv);

} // namespace tools
