// SPDX-License-Identifier: GPL-2.0-only
//
// Table lines, as users of flashcache 3 have them in scripts, given to dmsetup.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"
#include "unchanged.h"

namespace vm {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

constexpr unsigned kNew = 2;

class TableLine : public testing::Test {
protected:
    std::string line(const std::string &rest) const {
        return table_line(rig_.disk.sectors(), rig_.disk.path(), rig_.ssd.path(), "fc0 " + rest);
    }
    Result create(const std::string &table) const {
        return run({"dmsetup", "create", "fc0", "--table", table});
    }
    void must_create(const std::string &rest) const {
        must({"dmsetup", "create", "fc0", "--table", line(rest)});
    }
    void remove() const { must({"dmsetup", "remove", "fc0"}); }

    Rig rig_;
};

// ---- lines that are right

TEST_F(TableLine, of_persistence_2_creates_a_cache_and_of_1_loads_it) {
    for (const Mode mode : kModes) {
        SCOPED_TRACE(status_word(mode));
        must_create(table_words(mode, 2));
        EXPECT_EQ(rig_.cache.status().word("mode"), status_word(mode));
        BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
        remove();
        must_create(table_words(mode, 1));
        EXPECT_EQ(rig_.cache.status().word("mode"), status_word(mode));
        EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, kNew), "");
        remove();
        must({"flashcache_destroy", rig_.ssd.path()});
    }
}

TEST_F(TableLine, of_persistence_2_refuses_to_overwrite_a_cache_and_of_3_overwrites_it) {
    must_create("1 2");
    BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
    must({"dmsetup", "suspend", "fc0"});
    must({"dmsetup", "resume", "fc0"});
    remove();
    {
        const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
        KernelLog log;
        EXPECT_NE(create(line("1 2")).status, 0);
        EXPECT_THAT(log.new_lines(), HasSubstr("Existing Cache Detected"));
        unchanged.check();
    }
    must_create("1 3");
    EXPECT_EQ(rig_.cache.status()["cached"], 0u);
    remove();
}

TEST_F(TableLine, without_persistence_loads_a_cache_and_never_creates_one) {
    const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
    EXPECT_NE(create(line("1")).status, 0);
    EXPECT_NE(create(line("1 0")).status, 0);
    unchanged.check();
    must_create("1 2");
    BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
    remove();
    must_create("1");
    EXPECT_EQ(rig_.cache.status()["cached"], kMiB / 4096);
    remove();
}

TEST_F(TableLine, of_the_original_tools_is_understood_with_all_its_places) {
    // block size, cache size, associativity, disk associativity, write only, metadata block
    must_create("1 2 16 32768 256 512 0 8");
    const auto word = words(rig_.cache.table());
    const std::vector<std::string> places(word.begin() + 6, word.end());
    EXPECT_THAT(places, testing::ElementsAre("1", "1", "16", "32768", "256", "512", "0", "1", "0"))
        << "mode, persistence, sizes as given, metadata block of the device, no options";
    EXPECT_EQ(rig_.cache.status()["blocks"], 32768 / 16);
    remove();
}

TEST_F(TableLine, takes_options_behind_its_places) {
    must_create("1 2 8 0 0 0 0 0 4 dirty_thresh_pct 33 fallow_delay 77");
    EXPECT_EQ(number(read_file("/proc/sys/dev/flashcache/ssd0+disk0/dirty_thresh_pct")), 33u);
    EXPECT_EQ(number(read_file("/proc/sys/dev/flashcache/ssd0+disk0/fallow_delay")), 77u);
    remove();
}

TEST_F(TableLine, that_dmsetup_prints_can_be_loaded_again) {
    must_create("1 2 8 0 256 0 0 0 2 fallow_delay 77");
    BlockFile(rig_.cache.path()).put(0, kMiB, kNew);
    const std::string table = rig_.cache.table();
    remove();
    ASSERT_EQ(create(table).status, 0) << table;
    EXPECT_EQ(rig_.cache.table(), table);
    EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, kNew), "");
    remove();
}

// ---- what a line makes beside the device

TEST_F(TableLine, of_a_second_pair_with_the_same_names_gets_files_of_its_own) {
    const Rig second(kSmallSsd, kDisk, "1");
    const std::filesystem::path other = "/tmp/other";
    std::filesystem::remove_all(other);
    std::filesystem::create_directory(other);
    std::filesystem::create_symlink(second.ssd.path(), other / "ssd0");
    std::filesystem::create_symlink(second.disk.path(), other / "disk0");
    must_create("1 2");
    must({"dmsetup", "create", "fc1", "--table",
          table_line(second.disk.sectors(), other / "disk0", other / "ssd0", "fc1 1 2")});
    const std::string sysctls = "/proc/sys/dev/flashcache/ssd0+disk0";
    write_file(sysctls + "#2/fallow_delay", "77\n");
    EXPECT_EQ(number(read_file(sysctls + "/fallow_delay")), 900u);
    BlockFile(second.cache.path()).put(0, 4096, kNew);
    const std::string files = "/proc/flashcache/ssd0+disk0";
    EXPECT_EQ(key_values(read_file(files + "#2/flashcache_stats")).at("writes"), "1");
    EXPECT_EQ(key_values(read_file(files + "/flashcache_stats")).at("writes"), "0");
    remove();
    EXPECT_FALSE(exists(files));
    EXPECT_TRUE(exists(files + "#2")) << "a name stays while its cache runs";
    must({"dmsetup", "remove", "fc1"});
    EXPECT_FALSE(exists(files + "#2"));
    EXPECT_FALSE(exists(sysctls + "#2"));
}

TEST_F(TableLine, is_followed_by_the_lines_of_flashcache_3_in_the_log) {
    EXPECT_THAT(must({"dmesg"}), ContainsRegex("flashcache: [^ ]*[0-9]+\\.[0-9]+ initialized"));
    KernelLog log;
    must_create("1 2 8 32768 256");
    EXPECT_THAT(log.new_lines(),
                ContainsRegex("fc0: Allocate [1-9][0-9]*KB \\([1-9][0-9]*B per\\) mem for "
                              "4096-entry cache\\(capacity:16MB, associativity:256, block size:8 "
                              "sectors\\(4KB\\)\\)"));
    remove();
}

std::string limit(const std::string &device, const std::string &name) {
    return words(read_file("/sys/block/" + device + "/queue/" + name)).at(0);
}

TEST_F(TableLine, passes_on_the_limits_of_both_devices) {
    for (const bool large_ssd : {false, true}) {
        SCOPED_TRACE(large_ssd);
        Rig rig({.mib = 40, .block_bytes = large_ssd ? 4096u : 512u},
                {.mib = 64, .block_bytes = large_ssd ? 512u : 4096u, .discard = large_ssd}, "1");
        rig.create(Mode::kBack, {"-b", "16k", "-s", "8m"});
        const std::string cache = rig.cache.kernel_name(), disk = rig.disk.name();
        EXPECT_EQ(limit(cache, "logical_block_size"), "4096") << "the larger one";
        EXPECT_EQ(limit(cache, "minimum_io_size"), "16384") << "a block";
        EXPECT_EQ(limit(cache, "optimal_io_size"), "262144") << "a chunk";
        // Newer kernels raise the last to a physical block of the cache's.
        EXPECT_THAT(limit(cache, "discard_granularity"),
                    testing::AnyOf(limit(disk, "discard_granularity"),
                                   limit(cache, "physical_block_size")));
        for (const char *name : {"discard_max_hw_bytes", "discard_max_bytes"})
            EXPECT_EQ(limit(cache, name), limit(disk, name)) << name;
        EXPECT_EQ(limit(cache, "discard_max_bytes") != "0", large_ssd);
        rig.cache.remove();
    }
}

// ---- when the SSD is written

TEST_F(TableLine, that_is_only_loaded_writes_nothing) {
    const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
    const auto ssd_before = io_of(rig_.ssd.name());
    const auto disk_before = io_of(rig_.disk.name());
    must({"dmsetup", "create", "fc0", "--notable"});
    must({"dmsetup", "load", "fc0", "--table", line("1 2")});
    EXPECT_EQ((io_of(rig_.ssd.name()) - ssd_before).writes, 0u);
    must({"dmsetup", "clear", "fc0"});
    remove();
    EXPECT_EQ((io_of(rig_.ssd.name()) - ssd_before).writes, 0u);
    EXPECT_EQ((io_of(rig_.disk.name()) - disk_before).writes, 0u);
    unchanged.check();
}

TEST_F(TableLine, that_is_only_loaded_for_an_existing_cache_writes_nothing) {
    must_create("1 2");
    remove();
    const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
    must({"dmsetup", "create", "fc0", "--notable"});
    must({"dmsetup", "load", "fc0", "--table", line("1 1")});
    must({"dmsetup", "load", "fc0", "--table", line("2 1")});
    must({"dmsetup", "clear", "fc0"});
    must({"dmsetup", "load", "fc0", "--table", line("3 1")});
    remove();
    unchanged.check();
}

TEST_F(TableLine, that_was_dropped_leaves_the_devices_free_for_another_cache) {
    must({"dmsetup", "create", "fc0", "--notable"});
    must({"dmsetup", "load", "fc0", "--table", line("1 2")});
    must({"dmsetup", "clear", "fc0"});
    must({"dmsetup", "create", "fc1", "--table", line("2 2")});
    must({"dmsetup", "remove", "fc1"});
    remove();
}

// ---- lines that are wrong

struct BadLine {
    const char *rest;    // after the length; D, S: the devices; LONG: a name
    const char *message; // of the kernel's log
};

constexpr BadLine kBadLines[] = {
    {"flashcache", "Need at least 4 arguments"},
    {"flashcache D", "Need at least 4 arguments"},
    {"flashcache D S", "Need at least 4 arguments"},
    {"flashcache D S fc0", "Need at least 4 arguments"},
    {"flashcache /dev/nothing S fc0 1 2", "Disk device lookup failed"},
    {"flashcache D /dev/nothing fc0 1 2", "Cache device lookup failed"},
    {"flashcache D /dev/null fc0 1 2", "Cache device lookup failed"},
    {"flashcache D D fc0 1 2", "same device"},
    {"flashcache D S a/b 1 2", "must not have slashes"},
    {"flashcache D S LONG 1 2", "1 to 63 characters"},
    {"flashcache D S fc0 0 2", "Invalid cache mode"},
    {"flashcache D S fc0 4 2", "Invalid cache mode"},
    {"flashcache D S fc0 back 2", "Invalid cache mode"},
    {"flashcache D S fc0 -1 2", "Invalid cache mode"},
    {"flashcache D S fc0 1x 2", "Invalid cache mode"},
    {"flashcache D S fc0 4294967297 2", "Invalid cache mode"},
    {"flashcache D S fc0 1 4", "Invalid cache persistence"},
    {"flashcache D S fc0 1 -1", "Invalid cache persistence"},
    {"flashcache D S fc0 1 create", "Invalid cache persistence"},
    {"flashcache D S fc0 1 1", "No flashcache on the cache device"},
    {"flashcache D S fc0 1 2 3", "Invalid block size"},
    {"flashcache D S fc0 1 2 256", "Invalid block size"},
    {"flashcache D S fc0 1 2 -8", "Invalid block size"},
    {"flashcache D S fc0 1 2 4k", "Invalid block size"},
    {"flashcache D S fc0 1 2 8 all", "Invalid cache size"},
    {"flashcache D S fc0 1 2 8 -1", "Invalid cache size"},
    {"flashcache D S fc0 1 2 8 81921", "exceeds the cache device's capacity"},
    {"flashcache D S fc0 1 2 8 18446744073709551616", "Invalid cache size"},
    {"flashcache D S fc0 1 2 8 8", "does not hold one set"},
    {"flashcache D S fc0 1 2 8 0 3", "Invalid cache associativity"},
    {"flashcache D S fc0 1 2 8 0 1", "associativity"},
    {"flashcache D S fc0 1 2 8 0 16384", "Invalid cache associativity"},
    {"flashcache D S fc0 1 2 8 0 512 3", "Invalid disk associativity"},
    {"flashcache D S fc0 1 2 8 0 512 4", "Disk associativity is smaller"},
    {"flashcache D S fc0 1 2 8 0 256 8192", "disk associativity"},
    {"flashcache D S fc0 1 2 8 0 512 512 2", "Invalid Write Cache Setting"},
    {"flashcache D S fc0 2 2 8 0 512 512 1", "needs cache mode 1"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 3", "Invalid metadata block size"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 256", "Invalid metadata block size"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 x", "number of option words"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 1 fallow_delay", "number of option words"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 4 fallow_delay 1", "number of option words"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 no_such_option 1", "option"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 dirty_thresh_pct 9", "dirty_thresh_pct"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 dirty_thresh_pct 96", "dirty_thresh_pct"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 idle_delay_ms 4000000000", "idle_delay_ms"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 fallow_delay 4000000000", "fallow_delay"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 max_clean_ios_total 0", "max_clean_ios_total"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 fast_remove 2", "fast_remove"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 reclaim_policy 3", "reclaim_policy"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 skip_seq_thresh_kb -1", "Invalid option value"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 2 stop_sync 1", "Unknown option"},
    {"flashcache D S fc0 1 2 8 0 512 512 0 8 4 cache_all 1 cache_all 1", "given twice"},
};

TEST_F(TableLine, that_is_wrong_is_refused_with_a_clear_line_and_changes_nothing) {
    const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
    KernelLog log;
    for (const BadLine &bad : kBadLines) {
        std::string table = "0 " + std::to_string(rig_.disk.sectors());
        for (const std::string &word : words(bad.rest))
            table += " " + (word == "D"      ? rig_.disk.path()
                            : word == "S"    ? rig_.ssd.path()
                            : word == "LONG" ? std::string(64, 'n')
                                             : word);
        SCOPED_TRACE(table);
        EXPECT_NE(create(table).status, 0);
        EXPECT_THAT(log.new_lines(), HasSubstr(bad.message));
        unchanged.check();
    }
}

TEST_F(TableLine, must_be_the_only_one_begin_at_0_and_fit_the_disk) {
    const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
    const std::string devices =
        " flashcache " + rig_.disk.path() + " " + rig_.ssd.path() + " fc0 1 2";
    EXPECT_NE(create("8 1024" + devices).status, 0);
    EXPECT_NE(create("0 " + std::to_string(rig_.disk.sectors() + 8) + devices).status, 0);
    EXPECT_NE(create("0 1024" + devices + "\n1024 1024" + devices).status, 0);
    EXPECT_NE(create("0 1024 zero\n1024 1024" + devices).status, 0);
    unchanged.check();
}

TEST_F(TableLine, for_devices_of_a_live_cache_is_refused) {
    NullDisk other("other", kDisk);
    must_create("1 2");
    KernelLog log;
    const auto refused = [&](const std::string &disk, const std::string &ssd) {
        const auto table = table_line(rig_.disk.sectors(), disk, ssd, "fc1 1 3");
        EXPECT_NE(run({"dmsetup", "create", "fc1", "--table", table}).status, 0);
        EXPECT_THAT(log.new_lines(), HasSubstr("busy")) << table;
    };
    refused(rig_.disk.path(), rig_.ssd.path());
    refused(other.path(), rig_.ssd.path());
    refused(rig_.disk.path(), other.path());
    EXPECT_EQ(rig_.cache.status().word("state"), "ok");
    remove();
}

} // namespace
} // namespace vm
