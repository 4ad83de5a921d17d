// SPDX-License-Identifier: GPL-2.0-only
#include "size_argument.h"

#include <gtest/gtest.h>

#include "error.h"

namespace tools {
namespace {

TEST(SizeArgument, a_plain_number_is_sectors) {
    EXPECT_EQ(parse_sectors("-s", "0"), 0u);
    EXPECT_EQ(parse_sectors("-s", "8"), 8u);
    EXPECT_EQ(parse_sectors("-s", "36028797018963967"), (1ull << 55) - 1);
}

TEST(SizeArgument, suffixes_of_either_case_are_powers_of_1024_bytes) {
    EXPECT_EQ(parse_sectors("-b", "4k"), 8u);
    EXPECT_EQ(parse_sectors("-b", "4K"), 8u);
    EXPECT_EQ(parse_sectors("-s", "1m"), 2048u);
    EXPECT_EQ(parse_sectors("-s", "3G"), 3ull << 21);
    EXPECT_EQ(parse_sectors("-s", "2t"), 2ull << 31);
}

TEST(SizeArgument, what_does_not_fit_64_bits_of_bytes_is_too_large) {
    for (const char *text :
         {"36028797018963968", "18446744073709551615", "16777216t", "18014398509481984k"})
        EXPECT_THROW(parse_sectors("-s", text), Error) << text;
    EXPECT_EQ(parse_sectors("-s", "16777215t"), 16777215ull << 31);
}

TEST(SizeArgument, anything_else_is_a_usage_error_that_names_the_option) {
    for (const char *text : {"", "k", "-4", "+4", " 4", "4 ", "4kk", "4kb", "4p", "0x10", "4.5g",
                             "18446744073709551616"}) {
        try {
            parse_sectors("-s", text);
            ADD_FAILURE() << "'" << text << "' was taken";
        } catch (const Error &error) {
            EXPECT_EQ(error.exit_status(), kExitUsage);
            EXPECT_EQ(std::string(error.what()).find("-s "), 0u);
        }
    }
}

TEST(SizeArgument, block_sizes_are_powers_of_two_within_their_range) {
    EXPECT_EQ(parse_power_of_two_sectors("-b", "16k", 1, 128), 32u);
    EXPECT_EQ(parse_power_of_two_sectors("-b", "0", 1, 128), 0u); // the default
    EXPECT_EQ(parse_power_of_two_sectors("-b", "128", 1, 128), 128u);
    for (const char *text : {"3", "3k", "129", "256", "128k", "4294967296", "4294967304"})
        EXPECT_THROW(parse_power_of_two_sectors("-b", text, 1, 128), Error) << text;
}

TEST(SizeArgument, the_associativity_has_no_suffix) {
    EXPECT_EQ(parse_power_of_two("-a", "512", 2, 8192), 512u);
    for (const char *text : {"1", "3", "16384", "4k", "", "512 "})
        EXPECT_THROW(parse_power_of_two("-a", text, 2, 8192), Error) << text;
}

} // namespace
} // namespace tools
