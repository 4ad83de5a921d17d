// SPDX-License-Identifier: GPL-2.0-only
#include "table_line.h"

#include <gtest/gtest.h>

#include "core/abi.h"

namespace tools {
namespace {

TEST(TableLine, says_disk_ssd_name_mode_and_that_the_cache_exists) {
    const Table table = {2048, "/dev/sdb", "/dev/sdc", "cachedev", FC_MODE_WRITE_THROUGH};
    EXPECT_EQ(table_line(table), "0 2048 flashcache /dev/sdb /dev/sdc cachedev 2 1");
}

TEST(TableLine, write_only_is_write_back_with_a_one_in_the_tenth_place) {
    const Table table = {8, "d", "s", "c", FC_MODE_WRITE_ONLY};
    EXPECT_EQ(table_arguments(table), "d s c 1 1 0 0 0 0 1");
}

TEST(TableLine, options_follow_all_the_places) {
    Table table = {8, "d", "s", "c", FC_MODE_WRITE_BACK, {{"admission", 2}, {"fast_remove", 0}}};
    EXPECT_EQ(table_arguments(table), "d s c 1 1 0 0 0 0 0 0 4 admission 2 fast_remove 0");
    table.mode = FC_MODE_WRITE_ONLY;
    EXPECT_EQ(table_arguments(table), "d s c 1 1 0 0 0 0 1 0 4 admission 2 fast_remove 0");
}

TEST(TableLine, escapes_what_would_split_an_argument) {
    const Table table = {8, "/dev/my disk", "/dev/a\\b", "c", FC_MODE_WRITE_BACK};
    EXPECT_EQ(table_arguments(table), "/dev/my\\ disk /dev/a\\\\b c 1 1");
    const Table letter = {8, "/dev/mapper/voil\xc3\xa0", "s", "c", FC_MODE_WRITE_BACK};
    EXPECT_EQ(table_arguments(letter), "/dev/mapper/voil\xc3\\\xa0 s c 1 1")
        << "byte a0 is a space for the kernel";
}

TEST(TableLine, modes_have_the_names_of_option_p) {
    EXPECT_EQ(parse_mode("back"), FC_MODE_WRITE_BACK);
    EXPECT_EQ(parse_mode("thru"), FC_MODE_WRITE_THROUGH);
    EXPECT_EQ(parse_mode("through"), FC_MODE_WRITE_THROUGH);
    EXPECT_EQ(parse_mode("around"), FC_MODE_WRITE_AROUND);
    for (const char *text : {"", "Back", "writeback", "1", "back "})
        EXPECT_FALSE(parse_mode(text)) << text;
    for (const char *text : {"back", "thru", "around"})
        EXPECT_STREQ(mode_name(*parse_mode(text)), text);
    EXPECT_STREQ(mode_name(0), "unknown");
}

} // namespace
} // namespace tools
