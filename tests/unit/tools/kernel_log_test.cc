// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_log.h"

#include <gtest/gtest.h>

namespace tools {
namespace {

TEST(KernelLog, an_error_about_the_target_is_taken_without_its_prefixes) {
    EXPECT_EQ(complaint_in_record("3,339,5140900,-;device-mapper: table: 253:0: flashcache: Disk "
                                  "device lookup failed (-EINVAL)\n SUBSYSTEM=block\n",
                                  "flashcache"),
              "253:0: flashcache: Disk device lookup failed (-EINVAL)");
}

TEST(KernelLog, other_subjects_other_levels_and_broken_records_are_not) {
    for (const char *record : {"6,1,1,-;device-mapper: flashcache: loaded\n",
                               "3,1,1,-;ata1: failed\n SUBSYSTEM=flashcache\n", "", ";",
                               "x;flashcache", "3,1,1,-", "99999999999999999999,;flashcache"})
        EXPECT_EQ(complaint_in_record(record, "flashcache"), "") << record;
}

TEST(KernelLog, control_characters_do_not_reach_the_terminal) {
    EXPECT_EQ(complaint_in_record("3,1,1,-;flashcache \x1b[2J\n", "flashcache"), "flashcache ?[2J");
}

} // namespace
} // namespace tools
