// SPDX-License-Identifier: GPL-2.0-only
//
// Settings that last, and flashcache_setioctl: the tools, and what the module makes of it.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rig.h"
#include "system.h"
#include "unchanged.h"

namespace vm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char *kDirectory = "/etc/flashcache";
constexpr const char *kFile = "/etc/flashcache/fc0.conf";

class SettingsFile : public testing::Test {
protected:
    ~SettingsFile() override { std::filesystem::remove_all(kDirectory); }

    static void write(const std::string &text) {
        std::filesystem::create_directories(kDirectory);
        std::ofstream(kFile) << text;
    }
    void expect(const std::string &name, std::uint64_t value) const {
        EXPECT_EQ(rig_.cache.get(name), value) << name;
    }
    // A load that goes well, and what it said.
    std::string load() {
        const Result result = run({"flashcache_load", rig_.ssd.path()});
        EXPECT_EQ(result.status, 0) << result.output;
        return result.output;
    }
    void create_and_remove() {
        rig_.create(Mode::kBack);
        rig_.cache.remove();
    }

    Rig rig_;
};

TEST_F(SettingsFile, holds_at_each_start_in_each_mode) {
    write("# of all kinds\n"
          "dirty_thresh_pct = 35\nadmission = 1   # reads\nreclaim_policy = 1\n"
          "skip_seq_thresh_kb = 512\nskip_seq_write_thresh_kb = 64\n"
          "max_pids = 7\nio_latency_hist = 1\ndo_pid_expiry = 1\npid_expiry_secs = 30\n");
    for (const Mode mode : kModes) {
        SCOPED_TRACE(mode);
        rig_.create(mode);
        for (const bool loaded : {false, true}) {
            SCOPED_TRACE(loaded);
            expect("dirty_thresh_pct", 35);
            expect("admission", 1);
            expect("reclaim_policy", 1);
            expect("skip_seq_read_thresh_kb", 512);
            expect("skip_seq_write_thresh_kb", 64);
            expect("max_pids", 7);
            expect("io_latency_hist", 1);
            expect("do_pid_expiry", 1);
            expect("pid_expiry_secs", 30);
            EXPECT_EQ(rig_.cache.status().word("mode"), status_word(mode));
            rig_.cache.remove();
            if (!loaded) {
                EXPECT_THAT(load(), IsEmpty());
            }
        }
        must({"flashcache_destroy", rig_.ssd.path()});
    }
}

TEST_F(SettingsFile, with_a_mistake_stops_create_and_nothing_is_changed) {
    write("dirty_thresh_pct = 35\ndirty_thresh_pct = 36\n");
    const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
    const Result result = run({"flashcache_create", "-p", "back", "fc0", rig_.ssd.path(), rig_.disk.path()});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.output, "flashcache_create: /etc/flashcache/fc0.conf line 2: dirty_thresh_pct "
                             "stands in line 1 already; remove one\n");
    EXPECT_FALSE(rig_.cache.exists());
    unchanged.check();
}

TEST_F(SettingsFile, with_a_mistake_does_not_keep_the_data_away) {
    create_and_remove();
    write("dirty_thresh_pct = 35\nmax_pids = many\n");
    EXPECT_EQ(load(), "flashcache_load: warning: fc0 is loaded without its settings: "
                      "/etc/flashcache/fc0.conf line 2: \"many\" is no number; max_pids takes 1 to 8192\n");
    expect("dirty_thresh_pct", 70);
    expect("max_pids", 100);
    rig_.cache.remove();
    const Result scan = run({"flashcache_scan"});
    EXPECT_EQ(scan.status, 0) << scan.output;
    EXPECT_THAT(scan.output, HasSubstr("flashcache_scan: warning: fc0 is loaded without its settings"));
    EXPECT_TRUE(rig_.cache.exists());
}

TEST_F(SettingsFile, is_that_of_the_name_that_the_device_gets) {
    create_and_remove();
    write("dirty_thresh_pct = 35\n");
    must({"flashcache_load", rig_.ssd.path(), "other"});
    EXPECT_THAT(must({"dmsetup", "table", "other"}), testing::Not(HasSubstr("dirty_thresh_pct")));
    must({"dmsetup", "remove", "other"});
}

// ---- flashcache_setioctl

class SetLists : public testing::Test {
protected:
    SetLists() { rig_.create(Mode::kBack); }

    static std::string set(Arguments arguments) {
        arguments.insert(arguments.begin(), "flashcache_setioctl");
        return must(arguments);
    }
    static Result fails(Arguments arguments) {
        arguments.insert(arguments.begin(), "flashcache_setioctl");
        Result result = run(arguments);
        EXPECT_NE(result.status, 0) << joined(arguments);
        EXPECT_THAT(result.output, StartsWith("flashcache_setioctl: "));
        return result;
    }
    std::string lists() const { return set({"--list", "fc0"}); }

    Rig rig_;
};

TEST_F(SetLists, as_with_flashcache_3) {
    EXPECT_THAT(set({"-a", "-b", "1001", rig_.cache.path()}), IsEmpty());
    set({"-a", "-b", "1002", "fc0"});
    set({"-a", "-w", "1003", "/dev/" + rig_.cache.kernel_name()});
    EXPECT_EQ(lists(), "blacklist: 1001 1002\nwhitelist: 1003\n");
    set({"-r", "-b", "1001", "fc0"});
    EXPECT_EQ(set({"--list", "-b", "fc0"}), "blacklist: 1002\n");
    set({"-c", "-b", "1", "fc0"});
    set({"-c", "-w", "fc0"});
    EXPECT_EQ(lists(), "blacklist: \nwhitelist: \n");
}

TEST_F(SetLists, of_groups_and_the_idle_class) {
    if (read_file("/proc/filesystems").find("cgroup2") == std::string::npos)
        GTEST_SKIP() << "a kernel without control groups";
    mkdir("/tmp/cgroups", 0755);
    must({"mount", "-t", "cgroup2", "none", "/tmp/cgroups"});
    mkdir("/tmp/cgroups/backup", 0755);
    struct stat group = {};
    ASSERT_EQ(stat("/tmp/cgroups/backup", &group), 0);
    set({"-a", "-b", "--group", "/tmp/cgroups/backup", "fc0"});
    set({"-a", "-b", "--idle", "fc0"});
    const std::string id = std::to_string(group.st_ino);
    EXPECT_EQ(set({"--list", "-b", "fc0"}), "blacklist: group " + id + " idle\n");
    EXPECT_NE(fails({"-a", "-b", "--group", "/tmp/cgroups/none", "fc0"}).status, 0);
    EXPECT_THAT(fails({"-a", "-b", "--group", "/tmp", "fc0"}).output, HasSubstr("not a directory of cgroup v2"));
    rmdir("/tmp/cgroups/backup");
    set({"-r", "-b", "--group", id, "fc0"}); // by its number, since it is gone
    EXPECT_EQ(set({"--list", "-b", "fc0"}), "blacklist: idle\n");
    must({"umount", "/tmp/cgroups"});
}

TEST_F(SetLists, that_is_wrong_changes_nothing) {
    set({"-a", "-b", "1001", "fc0"});
    EXPECT_EQ(fails({"-a", "-b", "x", "fc0"}).status, 2);
    EXPECT_EQ(fails({"-a", "-b", "5", ""}).status, 2);
    EXPECT_THAT(fails({"-r", "-b", "5", "fc0"}).output, HasSubstr("not in the blacklist"));
    EXPECT_THAT(fails({"-a", "-b", "5", "fc9"}).output, HasSubstr("no device fc9"));
    EXPECT_THAT(fails({"-a", "-b", "5", rig_.disk.path()}).output, HasSubstr("no device of device-mapper"));
    must({"dmsetup", "create", "plain", "--table", "0 8 zero"});
    EXPECT_THAT(fails({"-a", "-b", "5", "plain"}).output, HasSubstr("no running flashcache"));
    must({"dmsetup", "remove", "plain"});
    EXPECT_EQ(lists(), "blacklist: 1001\nwhitelist: \n");
}

} // namespace
} // namespace vm
