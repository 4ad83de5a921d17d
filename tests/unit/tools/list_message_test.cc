// SPDX-License-Identifier: GPL-2.0-only
//
// The messages of flashcache_setioctl, from its command line.
#include "list_message.h"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include <gtest/gtest.h>

#include "error.h"
#include "support/command_line.h"

namespace tools {
namespace {

using Words = std::vector<std::string>;

Words messages(std::initializer_list<const char *> arguments) {
    return list_messages(parse_command_line(parse_list_options, arguments));
}

int status(std::initializer_list<const char *> arguments) {
    try {
        messages(arguments);
        return 0;
    } catch (const Error &error) {
        return error.exit_status();
    }
}

TEST(ListMessage, the_options_of_flashcache_3_are_understood) {
    EXPECT_EQ(messages({"-a", "-b", "1234", "c"}), Words{"blacklist add 1234"});
    EXPECT_EQ(messages({"-r", "-w", "1234", "c"}), Words{"whitelist del 1234"});
    EXPECT_EQ(messages({"-c", "-b", "1234", "c"}), Words{"blacklist delall"});
    EXPECT_EQ(messages({"-ab1234", "/dev/mapper/c"}), Words{"blacklist add 1234"});
}

TEST(ListMessage, the_long_options_mean_the_same) {
    EXPECT_EQ(messages({"--add", "--blacklist", "1", "c"}), Words{"blacklist add 1"});
    EXPECT_EQ(messages({"--remove", "--whitelist=4194304", "c"}), Words{"whitelist del 4194304"});
    EXPECT_EQ(messages({"c", "--clear", "-w"}), Words{"whitelist delall"});
}

TEST(ListMessage, clear_needs_no_pid_and_takes_any) {
    EXPECT_EQ(messages({"-c", "-w", "c"}), Words{"whitelist delall"});
    EXPECT_EQ(messages({"-c", "-w", "0", "c"}), Words{"whitelist delall"});
    EXPECT_EQ(status({"-c", "-w", "junk", "c"}), kExitUsage);
}

TEST(ListMessage, list_shows_both_lists_or_one) {
    EXPECT_EQ(messages({"--list", "c"}), (Words{"blacklist show", "whitelist show"}));
    EXPECT_EQ(messages({"--list", "-w", "c"}), Words{"whitelist show"});
}

TEST(ListMessage, a_group_stands_in_place_of_a_pid) {
    EXPECT_EQ(messages({"-a", "-b", "--group", "77", "c"}), Words{"blacklist add group 77"});
    EXPECT_EQ(messages({"-r", "-w", "-g", "18446744073709551615", "c"}),
              Words{"whitelist del group 18446744073709551615"});
    EXPECT_EQ(status({"-a", "-b", "5", "--group", "77", "c"}), kExitUsage);
    EXPECT_EQ(status({"-a", "--group", "77", "c"}), kExitUsage) << "of which list?";
    EXPECT_EQ(status({"-c", "-b", "--group", "77", "c"}), kExitUsage);
}

TEST(ListMessage, the_idle_class_stands_in_place_of_a_pid) {
    EXPECT_EQ(messages({"-a", "-b", "--idle", "c"}), Words{"blacklist add idle"});
    EXPECT_EQ(messages({"-r", "--idle", "-b", "c"}), Words{"blacklist del idle"});
    EXPECT_EQ(status({"-a", "-w", "--idle", "c"}), kExitUsage) << "the blacklist only";
    EXPECT_EQ(status({"-a", "-b", "5", "--idle", "c"}), kExitUsage);
    EXPECT_EQ(status({"-a", "-b", "-g", "5", "--idle", "c"}), kExitUsage);
    EXPECT_EQ(status({"--list", "--idle", "c"}), kExitUsage);
}

TEST(ListMessage, wrong_command_lines_end_with_status_2) {
    EXPECT_EQ(status({"-b", "5", "c"}), kExitUsage) << "what to do?";
    EXPECT_EQ(status({"-a", "-r", "-b", "5", "c"}), kExitUsage);
    EXPECT_EQ(status({"-a", "-b", "5", "-w", "5", "c"}), kExitUsage);
    EXPECT_EQ(status({"-a", "c"}), kExitUsage);
    EXPECT_EQ(status({"-a", "-b", "c"}), kExitUsage) << "no pid";
    EXPECT_EQ(status({"-a", "-b", "5"}), kExitUsage) << "no cache";
    EXPECT_EQ(status({"-a", "-b", "", "c"}), kExitUsage);
    for (const char *pid : {"0", "1x", "0x10", " 5", "+5", "4194305", "18446744073709551616"})
        EXPECT_EQ(status({"-a", "-b", pid, "c"}), kExitUsage) << pid;
    EXPECT_NE(status({"-a", "-b", "-5", "c"}), 0);
}

TEST(ListMessage, a_group_is_a_number_or_a_directory_of_cgroup_v2) {
    EXPECT_EQ(cgroup_number("123"), 123u);
    for (const char *text : {"0", "backup.slice", "12x", "-1"})
        EXPECT_THROW(cgroup_number(text), Error) << text;
    EXPECT_EQ(status({"-a", "-b", "--group", "", "c"}), kExitUsage);
    EXPECT_THROW(cgroup_number("/there is/no such directory"), Error);
    EXPECT_THROW(cgroup_number("/proc/self"), Error) << "another file system";
}

// Where the machine has one, which need not be.
TEST(ListMessage, the_number_of_a_group_is_that_of_its_directory) {
    for (const char *root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        struct statfs system = {};
        if (::statfs(root, &system) != 0 || system.f_type != CGROUP2_SUPER_MAGIC)
            continue;
        struct stat file = {};
        ASSERT_EQ(::stat(root, &file), 0);
        EXPECT_EQ(cgroup_number(root), file.st_ino);
        EXPECT_THROW(cgroup_number(std::string(root) + "/cgroup.procs"), Error) << "no directory";
        return;
    }
    GTEST_SKIP() << "no cgroup v2 here";
}

} // namespace
} // namespace tools
