// SPDX-License-Identifier: GPL-2.0-only
//
// The documents for administrators have everything that the module offers by name.  The names are
// taken from the module's sources, so that a new one cannot be forgotten.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "settings.h"
#include "uapi/stats.h"

namespace tools {
namespace {

using Names = std::set<std::string>;

std::string text_of(const std::string &path) {
    std::ifstream file(path);
    std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_FALSE(text.empty()) << path;
    return text;
}

// What the group of the expression matches in a source of the glue.
Names names_in(const std::string &source, const std::string &expression) {
    const std::string text = text_of(GLUE_SOURCES "/" + source);
    const std::regex regex(expression);
    Names names;
    for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
        names.insert((*it)[1]);
    return names;
}

// As a word of code, not as part of another name.
void expect_all(const std::string &document, const Names &names, std::size_t at_least) {
    EXPECT_GE(names.size(), at_least) << "the source writes its table in another way now";
    const std::string text = text_of(DOCUMENTS "/" + document);
    for (const std::string &name : names)
        EXPECT_TRUE(std::regex_search(text, std::regex("\\b" + name + "\\b")))
            << document << " does not mention " << name;
}

TEST(Guide, has_every_setting) {
    expect_all("ADMIN_GUIDE.md", names_in("settings.c", R"re(\{ "(\w+)", FC_)re"), 22);
    expect_all("ADMIN_GUIDE.md", names_in("sysctl.c", R"re(\{ "(\w+)", \w+, \w+ \})re"), 7);
}

TEST(Guide, has_every_counter) {
    Names counters;
#define ADD(name, meaning) counters.insert(#name);
    FC_STATS(ADD)
#undef ADD
    expect_all("ADMIN_GUIDE.md", counters, 50);
    expect_all("ADMIN_GUIDE.md", names_in("procfs.c", R"re(PERCENT\("(\w+)")re"), 3);
    expect_all("ADMIN_GUIDE.md", names_in("stats.c", R"re(\[FC_GAUGE_\w+\] = "(\w+)")re"), 16);
}

TEST(Guide, has_every_message) {
    expect_all("ADMIN_GUIDE.md", names_in("message.c", R"re(\{ "(\w+)", \d)re"), 5);
    expect_all("ADMIN_GUIDE.md", names_in("message.c", R"re(strcasecmp\(\S+, "(\w+)"\))re"), 6);
}

TEST(Guide, has_every_file_of_proc) {
    expect_all("ADMIN_GUIDE.md", names_in("procfs.c", R"re("(flashcache_\w+)")re"), 7);
}

TEST(Guide, the_manual_of_the_settings_file_has_every_key) {
    Names keys;
    for (const SettingKey &key : setting_keys())
        keys.insert(key.name);
    expect_all("man/flashcache.conf.5", keys, 25);
}

// "Suite.test" and "Suite.*" in the tables.
TEST(Guide, the_table_of_compatibility_names_tests_that_exist) {
    Names tests;
    const std::regex definition(R"re(\nTEST(?:_[FP])?\((\w+),\s*(\w+)\))re");
    for (const auto &file : std::filesystem::recursive_directory_iterator(TESTS)) {
        if (!file.path().string().ends_with("_test.cc"))
            continue;
        const std::string text = text_of(file.path());
        for (std::sregex_iterator it(text.begin(), text.end(), definition), end; it != end; ++it) {
            tests.insert((*it)[1].str() + "." + (*it)[2].str());
            tests.insert((*it)[1].str() + ".*");
        }
    }
    ASSERT_GT(tests.size(), 500u);
    const std::string text = text_of(DOCUMENTS "/COMPATIBILITY.md");
    const std::regex name(R"re(`([A-Z]\w+\.(?:\w+|\*))`)re");
    for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it)
        EXPECT_TRUE(tests.contains((*it)[1])) << "there is no test " << (*it)[1];
}

TEST(Guide, the_table_of_compatibility_has_every_setting_of_flashcache_3) {
    expect_all("COMPATIBILITY.md",
               {"io_latency_hist", "do_sync", "stop_sync", "dirty_thresh_pct", "max_clean_ios_total",
                "max_clean_ios_set", "do_pid_expiry", "max_pids", "pid_expiry_secs", "reclaim_policy",
                "zero_stats", "fast_remove", "cache_all", "fallow_clean_speed", "fallow_delay",
                "skip_seq_thresh_kb", "clean_on_read_miss", "clean_on_write_miss",
                "lru_promote_thresh", "lru_hot_pct", "new_style_write_merge", "error_inject"},
               22);
}

} // namespace
} // namespace tools
