// SPDX-License-Identifier: GPL-2.0-only
//
// Calls of the tools that are wrong, or come at a wrong time.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"
#include "unchanged.h"

namespace vm {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ToolCall : public testing::Test {
protected:
    // The words with S and D for the devices.
    Arguments arguments(const char *call) const {
        Arguments result = words(call);
        for (std::string &word : result) {
            if (word == "S")
                word = rig_.ssd.path();
            if (word == "D")
                word = rig_.disk.path();
            if (word == "LONG")
                word = std::string(64, 'x');
        }
        return result;
    }

    void expect_refused(const Arguments &call, const std::string &because = "") const {
        SCOPED_TRACE(joined(call));
        const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
        const Result result = run(call);
        EXPECT_NE(result.status, 0);
        EXPECT_LT(result.status, kTimedOut) << "it did not end by itself";
        EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
        EXPECT_THAT(result.output, StartsWith(call[0] + ": "));
        EXPECT_THAT(result.output, HasSubstr(because));
        unchanged.check();
    }

    Rig rig_;
};

constexpr const char *kBadCalls[] = {
    "flashcache_create",
    "flashcache_create -p back",
    "flashcache_create -p back fc0",
    "flashcache_create -p back fc0 S",
    "flashcache_create -p back fc0 S D extra",
    "flashcache_create fc0 S D",
    "flashcache_create -p sideways fc0 S D",
    "flashcache_create -p thru -w fc0 S D",
    "flashcache_create -p around -w fc0 S D",
    "flashcache_create -p back --no-such-option fc0 S D",
    "flashcache_create -p back -b 3 fc0 S D",
    "flashcache_create -p back -b 256 fc0 S D",
    "flashcache_create -p back -b 128k fc0 S D",
    "flashcache_create -p back -b -8 fc0 S D",
    "flashcache_create -p back -b 4q fc0 S D",
    "flashcache_create -p back -b k fc0 S D",
    "flashcache_create -p back -m 3 fc0 S D",
    "flashcache_create -p back -m 1m fc0 S D",
    "flashcache_create -p back -s all fc0 S D",
    "flashcache_create -p back -s 41m fc0 S D",
    "flashcache_create -p back -s 99999999999999t fc0 S D",
    "flashcache_create -p back -s 18446744073709551616 fc0 S D",
    "flashcache_create -p back -s 4k fc0 S D",
    "flashcache_create -p back -a 3 fc0 S D",
    "flashcache_create -p back -a 1 fc0 S D",
    "flashcache_create -p back -a 16384 fc0 S D",
    "flashcache_create -p back -a 4k fc0 S D",
    "flashcache_create -p back -d 3 fc0 S D",
    "flashcache_create -p back -d 4 fc0 S D",
    "flashcache_create -p back -a 256 -d 4m fc0 S D",
    "flashcache_create -p back a/b S D",
    "flashcache_create -p back LONG S D",
    "flashcache_create -p back fc0 /dev/nothing D",
    "flashcache_create -p back fc0 S /dev/nothing",
    "flashcache_create -p back fc0 S S",
    "flashcache_create -p back fc0 /etc/passwd D",
    "flashcache_create -p back fc0 S /dev/null",
    "flashcache_load",
    "flashcache_load S",
    "flashcache_load S fc0",
    "flashcache_load S fc0 extra",
    "flashcache_load --no-such-option S",
    "flashcache_load -p sideways S",
    "flashcache_load -w S",
    "flashcache_load S a/b",
    "flashcache_load /dev/nothing",
    "flashcache_load /etc/passwd",
    "flashcache_load --disk D S",
    "flashcache_destroy",
    "flashcache_destroy S",
    "flashcache_destroy -f S",
    "flashcache_destroy S extra",
    "flashcache_destroy --no-such-option S",
    "flashcache_destroy /dev/nothing",
    "flashcache_destroy /etc/passwd",
};

TEST_F(ToolCall, that_is_wrong_is_refused_with_one_clear_line_and_changes_nothing) {
    for (const char *call : kBadCalls)
        expect_refused(arguments(call));
    expect_refused({"flashcache_create", "-p", "back", "", rig_.ssd.path(), rig_.disk.path()});
    expect_refused({"flashcache_create", "-p", "back", "fc0", "", rig_.disk.path()});
    expect_refused({"flashcache_load", rig_.ssd.path(), ""});
    for (const char *option : {"-s", "-b", "-a", "-d", "-m", "-p"})
        expect_refused({"flashcache_create", "-p", "back", option, "", "fc0", rig_.ssd.path(), rig_.disk.path()});
    expect_refused({"flashcache_load", "-p", "", rig_.ssd.path()});
    expect_refused({"flashcache_load", "--disk", "", rig_.ssd.path()});
    EXPECT_EQ(must({"dmsetup", "ls"}), "No devices found\n");
}

TEST_F(ToolCall, for_a_live_cache_is_refused) {
    rig_.create(Mode::kBack);
    NullDisk other("other", kDisk);
    expect_refused(arguments("flashcache_create -p back fc1 S D"), "use");
    expect_refused(arguments("flashcache_create -f -p back fc1 S D"), "use");
    expect_refused({"flashcache_create", "-p", "back", "fc1", other.path(), rig_.disk.path()},
                   "use");
    expect_refused({"flashcache_create", "-p", "back", "fc1", rig_.ssd.path(), other.path()},
                   "use");
    expect_refused(arguments("flashcache_load S fc1"), "use");
    expect_refused(arguments("flashcache_destroy S"), "use");
    expect_refused(arguments("flashcache_destroy -f S"), "use");
    rig_.cache.remove();
}

TEST_F(ToolCall, does_not_take_a_name_that_exists) {
    NullDisk other("other", kDisk);
    const Switch taken("fc0", other.path(), other.sectors());
    expect_refused(arguments("flashcache_create -p back fc0 S D"), "exists");
}

TEST_F(ToolCall, does_not_overwrite_a_cache_even_by_force) {
    rig_.create(Mode::kBack);
    rig_.cache.remove();
    expect_refused(arguments("flashcache_create -p back fc0 S D"),
                   "Valid Flashcache already exists");
    expect_refused(arguments("flashcache_create -f -p back fc0 S D"),
                   "Valid Flashcache already exists");
}

TEST_F(ToolCall, does_not_overwrite_a_cache_in_a_partition_even_by_force) {
    const Partition partition(rig_.ssd, 4096);
    rig_.cache.create(Mode::kBack, partition.path(), rig_.disk.path(), {"-s", "4m"});
    rig_.cache.fast_remove();
    expect_refused(arguments("flashcache_create -f -p back fc0 S D"), "already exists on " + partition.path());
    rig_.cache.load(partition.path());
    rig_.cache.remove();
}

TEST_F(ToolCall, does_not_overwrite_a_file_system_unless_forced) {
    load_module("ext4");
    must({"mkfs.ext4", "-q", rig_.ssd.path()});
    expect_refused(arguments("flashcache_create -p back fc0 S D"), "ext4");
    rig_.create(Mode::kBack, {"-f"});
    EXPECT_EQ(rig_.cache.status().word("state"), "ok");
}

TEST_F(ToolCall, does_not_take_a_mounted_device) {
    load_module("ext4");
    must({"mkfs.ext4", "-q", rig_.disk.path()});
    must({"mount", "-t", "ext4", rig_.disk.path(), "/mnt"});
    const Result result = run(arguments("flashcache_create -p back fc0 S D"));
    must({"umount", "/mnt"});
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(result.output, HasSubstr("mounted on /mnt"));
    EXPECT_FALSE(rig_.cache.exists());
}

TEST_F(ToolCall, does_not_take_a_read_only_device) {
    for (const std::string &path : {rig_.ssd.path(), rig_.disk.path()}) {
        must({"blockdev", "--setro", path});
        expect_refused(arguments("flashcache_create -p back fc0 S D"), "read-only");
        must({"blockdev", "--setrw", path});
    }
}

TEST_F(ToolCall, destroys_dirty_blocks_only_by_force) {
    rig_.create(Mode::kBack);
    rig_.cache.keep_dirty();
    BlockFile(rig_.cache.path()).put(0, kMiB, 1);
    rig_.cache.fast_remove();
    expect_refused(arguments("flashcache_destroy S"), "DIRTY BLOCKS EXIST");
    EXPECT_THAT(must(arguments("flashcache_destroy -f S")), HasSubstr("Destroying Flashcache"));
    expect_refused(arguments("flashcache_load S fc0"), "No valid Flashcache found");
    rig_.create(Mode::kBack);
}

TEST_F(ToolCall, destroys_a_clean_cache_for_which_a_new_one_can_be_made) {
    rig_.create(Mode::kThru);
    BlockFile(rig_.cache.path()).put(0, kMiB, 1);
    rig_.cache.remove();
    must(arguments("flashcache_destroy S"));
    rig_.create(Mode::kAround);
    EXPECT_EQ(rig_.cache.status()["cached"], 0u);
    EXPECT_EQ(BlockFile(rig_.cache.path()).check(0, kMiB, 1), "");
}

} // namespace
} // namespace vm
