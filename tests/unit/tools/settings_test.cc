// SPDX-License-Identifier: GPL-2.0-only
#include "settings.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error.h"
#include "support/fake_device.h"

namespace tools::test {
namespace {

using testing::HasSubstr;

// What is said about a file, "" if it is right.
std::string complaint(const std::string &text) {
    try {
        parse_settings(text, "x.conf");
        return {};
    } catch (const Error &error) {
        EXPECT_EQ(error.exit_status(), kExitRefused) << text;
        return error.what();
    }
}

TEST(Settings, are_keys_with_numbers) {
    const Settings settings = parse_settings("# a database\n"
                                             "dirty_thresh_pct = 80   # more than usual\n"
                                             "\n"
                                             "   \t\n"
                                             "\tadmission=1\r\n"
                                             "max_pids =500\n"
                                             "reclaim_policy= 1",
                                             "x.conf");
    EXPECT_EQ(settings.options, (std::vector<Setting>{
                                    {"dirty_thresh_pct", 80}, {"admission", 1}, {"reclaim_policy", 1}}));
    EXPECT_EQ(settings.sysctls, (std::vector<Setting>{{"max_pids", 500}}));
}

TEST(Settings, of_an_empty_file_are_none) {
    for (const char *text : {"", "\n", "#", "# nothing = here\n\n"})
        EXPECT_EQ(parse_settings(text, "x.conf"), Settings{}) << text;
}

TEST(Settings, a_key_that_does_not_exist_is_named_with_its_line) {
    EXPECT_EQ(complaint("\n\ndirty_tresh_pct = 20\n"),
              "x.conf line 3: there is no setting \"dirty_tresh_pct\"; flashcache.conf(5) lists them");
    EXPECT_THAT(complaint("Admission = 1"), HasSubstr("there is no setting"));
    EXPECT_THAT(complaint("= 1"), HasSubstr("there is no setting \"\""));
    EXPECT_THAT(complaint("\x1b[31m = 1"), HasSubstr("there is no setting \"?[31m\""));
}

TEST(Settings, a_file_that_does_something_is_none) {
    for (const std::string key : {"do_sync", "stop_sync", "zero_stats", "error_inject"})
        EXPECT_THAT(complaint(key + " = 1"), HasSubstr("line 1: " + key + " does something"));
}

TEST(Settings, a_value_that_is_no_number_is_named_with_its_line) {
    for (const std::string value : {"", "x", "1x", "-1", "+1", "0x10", "1 2", "1.5", "1 = 1", "yes",
                                    "18446744073709551616"})
        EXPECT_EQ(complaint("cache_all = 1\nadmission = " + value),
                  "x.conf line 2: \"" + value + "\" is no number; admission takes 0 to 2");
}

TEST(Settings, a_value_out_of_range_is_named_with_the_range) {
    EXPECT_EQ(complaint("dirty_thresh_pct = 96"),
              "x.conf line 1: 96 is out of range; dirty_thresh_pct takes 10 to 95");
    for (const char *text : {"dirty_thresh_pct = 9", "max_clean_ios_total = 0", "fast_remove = 2",
                             "reclaim_policy = 3", "io_latency_hist = 2", "do_pid_expiry = 2",
                             "pid_expiry_secs = 0", "max_pids = 0", "max_pids = 8193",
                             "cache_all = 4294967297", "idle_delay_ms = 18446744073709551615"})
        EXPECT_THAT(complaint(text), HasSubstr("is out of range")) << text;
}

TEST(Settings, a_line_without_a_value_is_no_setting) {
    EXPECT_EQ(complaint("fast_remove"), "x.conf line 1: \"fast_remove\" is not \"key = value\"");
    EXPECT_THAT(complaint("fast_remove 1 # = 1"), HasSubstr("is not \"key = value\""));
    EXPECT_THAT(complaint(std::string("\0\0junk\xff", 7)), HasSubstr("is not \"key = value\""));
}

TEST(Settings, a_key_stands_once) {
    EXPECT_EQ(complaint("cache_all = 1\n\ncache_all = 1\n"),
              "x.conf line 3: cache_all stands in line 1 already; remove one");
}

TEST(Settings, each_key_is_what_the_module_says_it_is) {
    std::map<std::string, bool> module;
    const std::regex entry(R"re(\{ "(\w+)", FC_\w+, (true|false) \})re");
    std::ifstream source(GLUE_SOURCES "/settings.c");
    const std::string text(std::istreambuf_iterator<char>(source), {});
    for (std::sregex_iterator it(text.begin(), text.end(), entry), end; it != end; ++it)
        module[(*it)[1]] = (*it)[2] == "true";
    ASSERT_GT(module.size(), 10u) << "the table is written in another way now";
    for (const SettingKey &key : setting_keys()) {
        EXPECT_EQ(module[key.name], key.option) << key.name;
        module.erase(key.name);
    }
    EXPECT_EQ(module, (std::map<std::string, bool>{{"stop_sync", false}}));
}

class SettingsFile : public testing::Test {
protected:
    void write(const std::string &name, const std::string &text) {
        std::ofstream(directory_.path() + "/" + name) << text;
    }
    std::string complaint(const std::string &cache) {
        try {
            read_settings(cache, directory_.path());
            return {};
        } catch (const Error &error) {
            return error.what();
        }
    }

    TemporaryDirectory directory_;
};

TEST_F(SettingsFile, is_that_of_the_cache) {
    write("c.conf", "admission = 2\n");
    write("d.conf", "junk");
    EXPECT_EQ(read_settings("c", directory_.path()).options, (std::vector<Setting>{{"admission", 2}}));
    EXPECT_THAT(complaint("d"), HasSubstr(directory_.path() + "/d.conf line 1: "));
}

TEST_F(SettingsFile, need_not_be_there) {
    EXPECT_EQ(read_settings("c", directory_.path()), Settings{});
    EXPECT_EQ(read_settings("c", directory_.path() + "/none"), Settings{});
}

TEST_F(SettingsFile, lies_in_its_directory) {
    for (const char *name : {"", ".", "..", "../c", "a/b", "/c"})
        EXPECT_THROW(read_settings(name, directory_.path()), Error) << name;
}

TEST_F(SettingsFile, is_a_file_of_a_size_that_makes_sense) {
    std::filesystem::create_directory(directory_.path() + "/c.conf");
    EXPECT_THAT(complaint("c"), HasSubstr("is not a file"));
    write("d.conf", std::string(65 * 1024, '\n'));
    EXPECT_THAT(complaint("d"), HasSubstr("larger than"));
    write("e.conf", std::string(64 * 1024, '\n'));
    EXPECT_EQ(complaint("e"), "");
}

TEST_F(SettingsFile, sysctls_are_written_and_never_made) {
    write("max_pids", "100\n");
    write("do_pid_expiry", "0\n");
    try {
        write_sysctls({{"max_pids", 7}, {"io_latency_hist", 1}, {"do_pid_expiry", 1}}, directory_.path());
        FAIL() << "one of them is not there";
    } catch (const Error &error) {
        EXPECT_THAT(error.what(), HasSubstr("/io_latency_hist: "));
    }
    EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/io_latency_hist"));
    std::string word;
    std::ifstream(directory_.path() + "/max_pids") >> word;
    EXPECT_EQ(word[0], '7');
    std::ifstream(directory_.path() + "/do_pid_expiry") >> word;
    EXPECT_EQ(word[0], '1') << "one that fails does not keep the others";
}

} // namespace
} // namespace tools::test
