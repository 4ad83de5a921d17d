// SPDX-License-Identifier: GPL-2.0-only
#include "running_cache.h"

#include <gtest/gtest.h>

#include "error.h"

namespace tools {
namespace {

TEST(RunningCache, is_known_by_its_name_or_its_node) {
    EXPECT_EQ(cache_name_of("cachedev"), "cachedev");
    EXPECT_EQ(cache_name_of("/dev/mapper/cachedev"), "cachedev") << "also without a node";
}

TEST(RunningCache, is_no_name_that_cannot_be_one) {
    for (const char *argument : {"", "-x", "..", "my cache", "/dev/mapper/", "/dev/mapper/a/b"})
        EXPECT_THROW(cache_name_of(argument), Error) << argument;
}

TEST(RunningCache, is_no_device_of_another_kind) {
    EXPECT_THROW(cache_name_of("/dev/null"), Error);
    EXPECT_THROW(cache_name_of("/there is/no such device"), Error);
    EXPECT_THROW(cache_name_of("no/path"), Error);
}

} // namespace
} // namespace tools
