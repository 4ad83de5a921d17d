// SPDX-License-Identifier: GPL-2.0-only
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "abi.h"

TEST(Status, has_a_text_of_its_own_for_every_value) {
    std::set<std::string> texts;
    for (int status = FC_OK; status <= FC_E_SUPERBLOCK_CHANGED; status++)
        EXPECT_TRUE(texts.insert(fc_status_text(status)).second) << status;
    EXPECT_EQ(texts.count("unknown error"), 0u);
}

TEST(Status, has_a_text_for_values_that_do_not_exist) {
    EXPECT_STREQ(fc_status_text(FC_E_SUPERBLOCK_CHANGED + 1), "unknown error");
    EXPECT_STREQ(fc_status_text(-1), "unknown error");
}
