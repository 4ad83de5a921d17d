// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <initializer_list>

#include <gtest/gtest.h>

#include "core/abi.h"
#include "error.h"
#include "support/command_line.h"

namespace tools {
namespace {

int usage_status(std::initializer_list<const char *> arguments) {
    try {
        parse_command_line(parse_create_options, arguments);
        return 0;
    } catch (const Error &error) {
        return error.exit_status();
    }
}

TEST(CreateOptions, the_short_options_of_flashcache_3_are_understood) {
    const CreateOptions options = parse_command_line(
        parse_create_options, {"-v", "-f", "-p", "back", "-w", "-b", "8k", "-m", "8", "-s", "1g",
                               "-a", "256", "-d", "512", "cachedev", "/dev/a", "/dev/b"});
    EXPECT_EQ(options.mode, FC_MODE_WRITE_ONLY);
    EXPECT_EQ(options.block_sectors, 16u);
    EXPECT_EQ(options.cache_sectors, 1u << 21);
    EXPECT_EQ(options.associativity, 256u);
    EXPECT_EQ(options.disk_associativity_sectors, 512u);
    EXPECT_TRUE(options.verbose && options.force && options.assume_yes);
    EXPECT_EQ(options.cache_name, "cachedev");
    EXPECT_EQ(options.ssd_path, "/dev/a");
    EXPECT_EQ(options.disk_path, "/dev/b");
}

TEST(CreateOptions, the_long_options_mean_the_same) {
    const CreateOptions options =
        parse_command_line(parse_create_options,
              {"--mode=thru", "--block-size=16k", "--metadata-block-size=4k", "--cache-size=2m",
               "--associativity=2", "--disk-associativity=64k", "--yes", "c", "/dev/a", "/dev/b"});
    EXPECT_EQ(options.mode, FC_MODE_WRITE_THROUGH);
    EXPECT_EQ(options.block_sectors, 32u);
    EXPECT_EQ(options.cache_sectors, 4096u);
    EXPECT_EQ(options.associativity, 2u);
    EXPECT_EQ(options.disk_associativity_sectors, 128u);
    EXPECT_TRUE(options.assume_yes);
    EXPECT_FALSE(options.force);
}

TEST(CreateOptions, options_may_follow_the_devices) {
    EXPECT_EQ(parse_command_line(parse_create_options, {"c", "/dev/a", "/dev/b", "-p", "around"}).mode,
              FC_MODE_WRITE_AROUND);
}

TEST(CreateOptions, without_a_mode_there_is_no_cache) {
    EXPECT_EQ(usage_status({"c", "/dev/a", "/dev/b"}), kExitUsage);
}

TEST(CreateOptions, wrong_command_lines_end_with_status_2) {
    EXPECT_EQ(usage_status({"-p", "back", "c", "/dev/a"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "c", "/dev/a", "/dev/b", "/dev/c"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "up", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "thru", "-w", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "-b", "5", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "-b", "128k", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "-m", "7", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "-a", "1000", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "-d", "100", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "-s", "big", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "-z", "c", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "a/b", "/dev/a", "/dev/b"}), kExitUsage);
    EXPECT_EQ(usage_status({"-p", "back", "", "/dev/a", "/dev/b"}), kExitUsage);
}

TEST(CreateOptions, help_and_version_are_answers_and_no_errors) {
    EXPECT_THROW(parse_command_line(parse_create_options, {"--help"}), Answer);
    EXPECT_THROW(parse_command_line(parse_create_options, {"--version"}), Answer);
}

TEST(LoadOptions, only_the_ssd_must_be_given) {
    const LoadOptions options = parse_command_line(parse_load_options, {"/dev/a"});
    EXPECT_EQ(options.ssd_path, "/dev/a");
    EXPECT_EQ(options.mode, 0u);
    EXPECT_TRUE(options.cache_name.empty() && options.disk_path.empty());
}

TEST(LoadOptions, name_mode_and_disk_can_be_chosen) {
    const LoadOptions options =
        parse_command_line(parse_load_options, {"-v", "-p", "around", "--disk", "/dev/x", "/dev/a", "name"});
    EXPECT_EQ(options.mode, FC_MODE_WRITE_AROUND);
    EXPECT_EQ(options.disk_path, "/dev/x");
    EXPECT_EQ(options.cache_name, "name");
    EXPECT_THROW(parse_command_line(parse_load_options, {"/dev/a", "na/me"}), Error);
    EXPECT_THROW(parse_command_line(parse_load_options, {"/dev/a", ""}), Error);
    EXPECT_THROW(parse_command_line(parse_load_options, {"-w", "/dev/a"}), Error);
}

TEST(DestroyOptions, force_is_off_unless_given) {
    EXPECT_FALSE(parse_command_line(parse_destroy_options, {"/dev/a"}).force);
    EXPECT_TRUE(parse_command_line(parse_destroy_options, {"-f", "/dev/a"}).force);
    EXPECT_THROW(parse_command_line(parse_destroy_options, {}), Error);
}

TEST(WritebackOptions, asks_and_writes_unless_told_otherwise) {
    const WritebackOptions plain = parse_command_line(parse_writeback_options, {"/dev/a"});
    EXPECT_EQ(plain.ssd_path, "/dev/a");
    EXPECT_FALSE(plain.dry_run || plain.force || plain.assume_yes || plain.quiet);
    const WritebackOptions all =
        parse_command_line(parse_writeback_options, {"-n", "-f", "-y", "-q", "--disk", "/dev/x", "/dev/a"});
    EXPECT_TRUE(all.dry_run && all.force && all.assume_yes && all.quiet);
    EXPECT_EQ(all.disk_path, "/dev/x");
    EXPECT_THROW(parse_command_line(parse_writeback_options, {}), Error);
    EXPECT_THROW(parse_command_line(parse_writeback_options, {"--disk", "", "/dev/a"}), Error);
}

TEST(CheckOptions, only_the_ssd_must_be_given) {
    const CheckOptions plain = parse_command_line(parse_check_options, {"/dev/a"});
    EXPECT_FALSE(plain.json || plain.dump);
    const CheckOptions all = parse_command_line(parse_check_options, {"--json", "--dump", "--disk", "/dev/x", "/dev/a"});
    EXPECT_TRUE(all.json && all.dump);
    EXPECT_EQ(all.disk_path, "/dev/x");
    EXPECT_THROW(parse_command_line(parse_check_options, {"--disk", "", "/dev/a"}), Error);
}

TEST(AgsizeOptions, are_two_sizes_in_gb) {
    const AgsizeOptions options = parse_command_line(parse_agsize_options, {"300", "3000"});
    EXPECT_EQ(options.cache_gb, 300u);
    EXPECT_EQ(options.volume_gb, 3000u);
    EXPECT_THROW(parse_command_line(parse_agsize_options, {"300"}), Error);
    EXPECT_THROW(parse_command_line(parse_agsize_options, {"0", "3000"}), Error);
    EXPECT_THROW(parse_command_line(parse_agsize_options, {"300", "large"}), Error);
}

TEST(ScanOptions, takes_no_device) {
    EXPECT_FALSE(parse_command_line(parse_scan_options, {}).list);
    EXPECT_TRUE(parse_command_line(parse_scan_options, {"-n"}).list);
    EXPECT_THROW(parse_command_line(parse_scan_options, {"/dev/a"}), Error);
}

} // namespace
} // namespace tools
