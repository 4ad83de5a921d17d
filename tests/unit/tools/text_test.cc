// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <gtest/gtest.h>

#include "error.h"

namespace tools {
namespace {

TEST(CacheName, letters_digits_and_some_punctuation_are_names) {
    for (const char *name : {"c", "cachedev", "cache-1", "vg_x.y", "A+B:C=D@E#F", "0", "...",
                             "123456789012345678901234567890123456789012345678901234567890123"})
        EXPECT_NO_THROW(check_cache_name(name)) << name;
}

TEST(CacheName, what_a_path_a_shell_or_an_option_would_understand_is_none) {
    for (const char *name : {"",
                             ".",
                             "..",
                             "-f",
                             "a/b",
                             "../x",
                             "a b",
                             "a;b",
                             "$(reboot)",
                             "`reboot`",
                             "a|b",
                             "a&b",
                             "a'b",
                             "a\"b",
                             "a\\b",
                             "a\nb",
                             "a\tb",
                             "a\x1b[2Jb",
                             "caf\xc3\xa9",
                             "a*",
                             "a%s",
                             "~",
                             "1234567890123456789012345678901234567890123456789012345678901234"})
        EXPECT_THROW(check_cache_name(name), Error) << name;
}

TEST(CacheName, messages_about_bad_names_carry_no_control_characters) {
    try {
        check_cache_name("\x1b]0;owned\x07");
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(std::string(error.what()).find('\x1b'), std::string::npos);
    }
}

TEST(Text, a_field_without_final_zero_ends_at_its_size) {
    const char field[4] = {'a', 'b', 'c', 'd'};
    EXPECT_EQ(from_field(field, sizeof(field)), "abcd");
    EXPECT_EQ(from_field("ab\0d", 4), "ab");
}

TEST(Text, a_field_takes_only_what_fits_with_its_final_zero) {
    char field[4] = {'x', 'x', 'x', 'x'};
    EXPECT_FALSE(to_field("abcd", field, sizeof(field)));
    EXPECT_EQ(field[0], 'x');
    EXPECT_TRUE(to_field("a", field, sizeof(field)));
    EXPECT_EQ(std::string(field, 4), std::string("a\0\0\0", 4));
    EXPECT_FALSE(to_field(std::string_view("a\0b", 3), field, sizeof(field)));
}

TEST(Text, trimming_removes_white_space_and_zeros_at_both_ends) {
    EXPECT_EQ(trimmed("  a b \n"), "a b");
    EXPECT_EQ(trimmed(std::string_view("a\0\0", 3)), "a");
    EXPECT_EQ(trimmed(" \n"), "");
}

TEST(Text, a_device_path_is_absolute_and_below_dev) {
    for (const char *path : {"/dev/sda", "/dev/disk/by-id/wwn-0x1", "/dev/mapper/a b", "/dev/x..y"})
        EXPECT_TRUE(is_plain_device_path(path)) << path;
    for (const char *path : {"", "sda", "/dev", "/dev/", "/etc/passwd", "/dev/../etc/passwd",
                             "/dev/..", "/dev/a\nb", "/dev/\x1b[0m", "/devil"})
        EXPECT_FALSE(is_plain_device_path(path)) << path;
}

} // namespace
} // namespace tools
