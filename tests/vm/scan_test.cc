// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_scan among many devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::HasSubstr;
using testing::Not;

class Scan : public testing::Test {
protected:
    void make_two() {
        first_.create(Mode::kBack);
        first_.cache.keep_dirty();
        BlockFile(first_.cache.path()).put(0, kMiB, 1);
        first_.cache.fast_remove();
        second_.create(Mode::kThru);
        second_.cache.remove();
    }

    Rig first_{kSmallSsd, kDisk, "0"};
    Rig second_{kSmallSsd, {.mib = 64}, "1"};
};

TEST_F(Scan, finds_nothing_where_there_is_nothing) {
    EXPECT_EQ(must({"flashcache_scan"}), "no cache found\n");
}

TEST_F(Scan, loads_each_cache_that_does_not_run) {
    make_two();
    const std::string listed = must({"flashcache_scan", "--list"});
    EXPECT_THAT(listed, HasSubstr(first_.ssd.path() + ": fc0\n"));
    EXPECT_THAT(listed, HasSubstr(second_.ssd.path() + ": fc1\n"));
    EXPECT_FALSE(first_.cache.exists());
    must({"flashcache_scan"});
    EXPECT_EQ(first_.cache.status().word("state"), "ok");
    EXPECT_EQ(second_.cache.status().word("state"), "ok");
    EXPECT_EQ(BlockFile(first_.cache.path()).check(0, kMiB, 1), "");
    const std::string again = must({"flashcache_scan"});
    EXPECT_THAT(again, HasSubstr("used by"));
    EXPECT_THAT(again, Not(HasSubstr("loaded")));
    first_.cache.remove();
    second_.cache.remove();
}

TEST_F(Scan, loads_neither_of_two_copies_but_the_others) {
    make_two();
    NullDisk copy("copy", kSmallSsd);
    BlockFile(copy.path()).write(0, BlockFile(first_.ssd.path()).read(0, 4 * kMiB));
    const Result result = run({"flashcache_scan"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.output, HasSubstr("is on 2 devices"));
    EXPECT_FALSE(first_.cache.exists());
    EXPECT_TRUE(second_.cache.exists());
    second_.cache.remove();
}

TEST_F(Scan, says_which_cannot_be_loaded_and_loads_the_others) {
    make_two();
    const Buffer junk = pattern(0, 8 * kKiB, 7);
    BlockFile(first_.ssd.path()).write(2 * 4096, junk); // the home table
    const Result result = run({"flashcache_scan"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.output, HasSubstr(first_.ssd.path() + ": fc0 cannot be loaded"));
    EXPECT_FALSE(first_.cache.exists());
    EXPECT_TRUE(second_.cache.exists());
    second_.cache.remove();
}

} // namespace
} // namespace vm
