// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <CLI/CLI.hpp>

#include "core/abi.h"
#include "error.h"
#include "size_argument.h"
#include "table_line.h"
#include "text.h"

#ifndef FLASHCACHE_VERSION
#define FLASHCACHE_VERSION "unknown"
#endif

namespace tools {
namespace {

constexpr std::uint32_t kMaxBlockSectors = 128;
constexpr std::uint32_t kMinWays = 2;
constexpr std::uint32_t kMaxWays = 8192;

std::string version_line(const std::string &tool) {
    return fmt::format("{} (flashcache) {}", tool, FLASHCACHE_VERSION);
}

// The library's parser with its ways of saying things turned into ours.
void parse(CLI::App &app, int argc, const char *const *argv) {
    app.set_version_flag("--version", version_line(app.get_name()));
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp &) {
        throw Answer{app.help()};
    } catch (const CLI::CallForVersion &) {
        throw Answer{app.version() + "\n"};
    } catch (const CLI::ParseError &error) {
        refuse_usage("{} (--help lists the options)", printable(error.what()));
    }
}

unsigned mode_argument(const std::string &text, bool write_only) {
    const auto mode = parse_mode(text);
    if (!mode)
        refuse_usage("-p {}: use back, thru (or through) or around", printable(text));
    if (write_only && *mode != FC_MODE_WRITE_BACK)
        refuse_usage("-w needs -p back: only a write-back cache can be write-only");
    return write_only ? static_cast<unsigned>(FC_MODE_WRITE_ONLY) : *mode;
}

// The texts of options whose values are checked after the parser has run.
struct CreateTexts {
    std::string mode, block_size, metadata_block_size, cache_size, associativity,
        disk_associativity;
    bool write_only = false;
};

void declare_create_options(CLI::App &app, CreateTexts &texts, CreateOptions &options) {
    app.add_option("-p,--mode", texts.mode, "back, thru or around; must be given")
        ->required()
        ->option_text("MODE");
    app.add_flag("-w,--write-only", texts.write_only, "with -p back: cache writes only");
    app.add_option("-b,--block-size", texts.block_size, "block size; default 4k")
        ->option_text("SIZE");
    app.add_option("-m,--metadata-block-size", texts.metadata_block_size,
                   "accepted for compatibility, without effect")
        ->option_text("SIZE");
    app.add_option("-s,--cache-size", texts.cache_size, "size of the cache; default: the whole SSD")
        ->option_text("SIZE");
    app.add_option("-a,--associativity", texts.associativity, "blocks in a set; default 512")
        ->option_text("BLOCKS");
    app.add_option("-d,--disk-associativity", texts.disk_associativity,
                   "neighbouring part of the disk that shares a set; default 256k")
        ->option_text("SIZE");
    app.add_flag("-v,--verbose", options.verbose, "say more");
    app.add_flag("-f,--force", options.force,
                 "overwrite a file system or the like on the SSD; ask nothing");
    app.add_flag("-y,--yes", options.assume_yes, "ask nothing");
    app.add_option("cachedev", options.cache_name, "name of the new device in /dev/mapper")
        ->required();
    app.add_option("ssd_devname", options.ssd_path, "the SSD")->required();
    app.add_option("disk_devname", options.disk_path, "the disk to be cached")->required();
    app.footer("SIZE is in sectors of 512 bytes, or has a suffix k, m, g or t.");
}

void check_create_texts(const CLI::App &app, const CreateTexts &texts, CreateOptions &options) {
    options.mode = mode_argument(texts.mode, texts.write_only);
    if (app.count("-b") > 0)
        options.block_sectors =
            parse_power_of_two_sectors("-b", texts.block_size, 1, kMaxBlockSectors);
    if (app.count("-m") > 0)
        parse_power_of_two_sectors("-m", texts.metadata_block_size, 1, kMaxBlockSectors);
    if (app.count("-s") > 0)
        options.cache_sectors = parse_sectors("-s", texts.cache_size);
    if (app.count("-a") > 0)
        options.associativity = parse_power_of_two("-a", texts.associativity, kMinWays, kMaxWays);
    if (app.count("-d") > 0)
        options.disk_associativity_sectors = parse_power_of_two_sectors(
            "-d", texts.disk_associativity, 1, kMaxWays * kMaxBlockSectors);
    check_cache_name(options.cache_name);
}

void add_disk_option(CLI::App &app, std::string &path, const char *meaning) {
    app.add_option("--disk", path, meaning)->option_text("PATH");
}

// After the parser has run: "" would mean that it was not given.
void check_disk_option(const CLI::App &app, const std::string &path) {
    if (app.count("--disk") > 0 && path.empty())
        refuse_usage("--disk is empty");
}

struct ListFlags {
    bool clear = false, add = false, remove = false, show = false;
    std::string blacklist, whitelist; // pids
};

void declare_list_options(CLI::App &app, ListFlags &flags, ListOptions &options) {
    app.add_flag("-c,--clear", flags.clear, "empty the list");
    app.add_flag("-a,--add", flags.add, "add to the list");
    app.add_flag("-r,--remove", flags.remove, "remove from the list");
    app.add_flag("-l,--list", flags.show, "show both lists, or that of -b or -w");
    // The pid stands behind the list, as ever; it may be missing where there is another word for it.
    app.add_option("-b,--blacklist", flags.blacklist, "the list of those not to be cached")
        ->expected(0, 1)
        ->option_text("[PID]");
    app.add_option("-w,--whitelist", flags.whitelist, "the list of those to be cached")
        ->expected(0, 1)
        ->option_text("[PID]");
    app.add_option("-g,--group", options.group,
                   "in place of a pid: a directory of cgroup v2, or its number")
        ->option_text("CGROUP");
    app.add_flag("--idle", options.idle, "in place of a pid: whoever has the I/O class idle; only with -b");
    app.add_option("cachedev", options.cache, "the cache: its device in /dev/mapper, or its name")
        ->required();
}

ListOptions::Action list_action(const ListFlags &flags) {
    if (flags.clear + flags.add + flags.remove + flags.show != 1)
        refuse_usage("give one of -a (add), -r (remove), -c (clear), --list");
    return flags.clear    ? ListOptions::Action::kClear
           : flags.add    ? ListOptions::Action::kAdd
           : flags.remove ? ListOptions::Action::kRemove
                          : ListOptions::Action::kShow;
}

// Who is meant: one, or nobody where all entries are.  flashcache 3 wants a pid there, too.
void check_list_entry(const CLI::App &app, const ListOptions &options) {
    const bool group_given = app.count("-g") > 0;
    if (group_given && options.group.empty())
        refuse_usage("--group is empty; give a directory of cgroup v2, or its number");
    const int entries = !options.pid.empty() + group_given + options.idle;
    if (options.action == ListOptions::Action::kAdd ||
        options.action == ListOptions::Action::kRemove) {
        if (entries != 1)
            refuse_usage("give one: a pid behind -b or -w, --group or --idle");
    } else if (group_given || options.idle) {
        refuse_usage("--group and --idle go with -a and -r only");
    }
    if (options.idle && !options.blacklist)
        refuse_usage("--idle goes with -b only");
}

} // namespace

CreateOptions parse_create_options(int argc, const char *const *argv) {
    CLI::App app("Make a cache of a disk on an SSD and start it.", "flashcache_create");
    CreateTexts texts;
    CreateOptions options;
    declare_create_options(app, texts, options);
    parse(app, argc, argv);
    check_create_texts(app, texts, options);
    options.assume_yes = options.assume_yes || options.force;
    return options;
}

LoadOptions parse_load_options(int argc, const char *const *argv) {
    CLI::App app("Start a cache that exists on an SSD.", "flashcache_load");
    LoadOptions options;
    std::string mode;
    bool write_only = false;
    app.add_flag("-v,--verbose", options.verbose, "say more");
    app.add_option("-p,--mode", mode, "back, thru or around; default: as it was last")
        ->option_text("MODE");
    app.add_flag("-w,--write-only", write_only, "with -p back: cache writes only");
    add_disk_option(app, options.disk_path,
                    "where the disk is now; it must be the one that the cache was made for");
    app.add_option("ssd_devname", options.ssd_path, "the SSD")->required();
    app.add_option("cachedev", options.cache_name,
                   "name of the device in /dev/mapper; default: as recorded");
    parse(app, argc, argv);
    const bool new_mode = app.count("-p") > 0;
    if (!new_mode && write_only)
        refuse_usage("-w needs -p back");
    check_disk_option(app, options.disk_path);
    if (new_mode)
        options.mode = mode_argument(mode, write_only);
    if (app.count("cachedev") > 0)
        check_cache_name(options.cache_name);
    return options;
}

DestroyOptions parse_destroy_options(int argc, const char *const *argv) {
    CLI::App app("Destroy the cache on an SSD.", "flashcache_destroy");
    DestroyOptions options;
    app.add_flag("-f,--force", options.force,
                 "even if it holds dirty blocks: their data will be lost");
    app.add_flag("-v,--verbose", options.verbose, "say more");
    app.add_option("ssd_devname", options.ssd_path, "the SSD")->required();
    parse(app, argc, argv);
    return options;
}

StatOptions parse_stat_options(int argc, const char *const *argv) {
    CLI::App app("Show what running caches do, a line for each interval.", "flashstat");
    StatOptions options;
    app.add_option("-i,--interval", options.interval_s, "seconds between two lines; default 1")
        ->check(CLI::Range(1u, 86400u))
        ->option_text("SECONDS");
    app.add_option("-c,-C,--count", options.count, "so many lines; default: until it is ended")
        ->option_text("LINES");
    app.add_option("-d,--device", options.cache,
                   "this cache only: its device in /dev/mapper, or its directory in /proc/flashcache")
        ->option_text("CACHE");
    app.add_flag("-n,--nocolor", options.no_color, "no colours, even on a terminal");
    app.add_flag("--json", options.json, "a JSON object for each line");
    parse(app, argc, argv);
    return options;
}

WritebackOptions parse_writeback_options(int argc, const char *const *argv) {
    CLI::App app("Write the dirty blocks of a cache that is not running to its disk.",
                 "flashcache_writeback");
    WritebackOptions options;
    app.add_flag("-n,--dry-run", options.dry_run, "only say what would be written");
    app.add_flag("-f,--force", options.force,
                 "cache of flashcache 1 to 3: write what makes sense although other things are damaged");
    app.add_flag("-y,--yes", options.assume_yes, "ask nothing");
    app.add_flag("-q,--quiet", options.quiet, "no progress");
    add_disk_option(app, options.disk_path,
                    "where the disk is now; it must be the one that the cache was made for");
    app.add_option("ssd_devname", options.ssd_path, "the SSD")->required();
    parse(app, argc, argv);
    check_disk_option(app, options.disk_path);
    return options;
}

CheckOptions parse_check_options(int argc, const char *const *argv) {
    CLI::App app("Check the metadata of a cache that is not running; nothing is changed.",
                 "flashcache_check");
    CheckOptions options;
    app.add_flag("--json", options.json, "one JSON object");
    app.add_flag("--dump", options.dump, "also each cached block");
    add_disk_option(app, options.disk_path, "the disk, if it is to be compared and has moved");
    app.add_option("ssd_devname", options.ssd_path, "the SSD")->required();
    app.footer("Exit status: 0 no damage, 4 damage, 8 could not be checked, 16 wrong command line.");
    parse(app, argc, argv);
    check_disk_option(app, options.disk_path);
    return options;
}

ScanOptions parse_scan_options(int argc, const char *const *argv) {
    CLI::App app("Find the caches on all devices, and start those that do not run.",
                 "flashcache_scan");
    ScanOptions options;
    app.add_flag("-n,--list", options.list, "only say which there are");
    app.add_flag("-v,--verbose", options.verbose, "say more");
    parse(app, argc, argv);
    return options;
}

ListOptions parse_list_options(int argc, const char *const *argv) {
    CLI::App app("Say which processes shall be cached, and which not.", "flashcache_setioctl");
    ListFlags flags;
    ListOptions options;
    declare_list_options(app, flags, options);
    parse(app, argc, argv);
    options.action = list_action(flags);
    options.blacklist = app.count("-b") > 0;
    options.whitelist = app.count("-w") > 0;
    if (options.blacklist && options.whitelist)
        refuse_usage("give either -b (blacklist) or -w (whitelist)");
    if (options.action == ListOptions::Action::kShow && !options.blacklist && !options.whitelist)
        options.blacklist = options.whitelist = true;
    if (!options.blacklist && !options.whitelist)
        refuse_usage("give -b (blacklist) or -w (whitelist)");
    options.pid = flags.blacklist + flags.whitelist;
    check_list_entry(app, options);
    return options;
}

AgsizeOptions parse_agsize_options(int argc, const char *const *argv) {
    CLI::App app("Find an XFS allocation group size for a volume with a cache.", "get_agsize");
    AgsizeOptions options;
    constexpr std::uint64_t kMostGb = std::uint64_t{1} << 30;
    app.add_flag("-v,--verbose", options.verbose, "show every size that is possible");
    app.add_option("cache_size", options.cache_gb, "size of the cache in GB")
        ->required()
        ->check(CLI::Range(std::uint64_t{1}, kMostGb));
    app.add_option("vol_size", options.volume_gb, "size of the volume in GB")
        ->required()
        ->check(CLI::Range(std::uint64_t{1}, kMostGb));
    parse(app, argc, argv);
    return options;
}

TraceOptions parse_trace_options(int argc, const char *const *argv) {
    CLI::App app("Compare sizes and replacement policies by a trace of block numbers.",
                 "flashcache_trace");
    TraceOptions options;
    const auto power_of_two = CLI::Validator(
        [](const std::string &text) {
            unsigned n = 0;
            return CLI::detail::lexical_cast(text, n) && n && !(n & (n - 1)) ? "" : "not a power of two";
        },
        "");
    app.add_option("-s,--size", options.sizes_pct,
                   "per cent of the trace's blocks that the cache holds; default 10,20,40")
        ->delimiter(',')
        ->check(CLI::Range(1u, 1000u))
        ->option_text("PCT,...");
    app.add_option("-a,--associativity", options.associativity, "blocks of a set; default 512")
        ->check(CLI::Range(2u, 8192u) & power_of_two)
        ->option_text("BLOCKS");
    app.add_option("-d,--disk-associativity", options.extent_blocks,
                   "neighbouring blocks that share a set; default 64")
        ->check(CLI::Range(1u, 8192u) & power_of_two)
        ->option_text("BLOCKS");
    app.add_option("--made-up", options.made_up, "so many references made up, in place of a file")
        ->check(CLI::Range(std::uint64_t{1000}, std::uint64_t{1} << 32))
        ->option_text("REFERENCES");
    app.add_flag("--json", options.json, "a JSON array");
    app.add_option("trace", options.file, "a line for each reference: block number [count]; -: standard input");
    parse(app, argc, argv);
    if (options.file.empty() == !options.made_up)
        refuse_usage("a trace or --made-up must be given, and not both");
    return options;
}

} // namespace tools
