// SPDX-License-Identifier: GPL-2.0-only
#include "check_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core_host.h"
#include "support/cache_image.h"

namespace tools::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckReportTest : public testing::Test {
protected:
    CheckReport check(const VisitBlock &visit = {}) const {
        const DeviceFile ssd = image_.open_ssd();
        fc_config config = {};
        config.cache_device_sectors = ssd.sectors();
        EXPECT_EQ(probe_cache(ssd, config), FC_OK);
        return check_cache(ssd, nullptr, config, visit);
    }

    CacheImage image_;
};

TEST_F(CheckReportTest, a_whole_cache_has_its_facts_and_no_damage) {
    image_.set_home(0, FC_DISK_CLEAN);
    image_.set_home(1, FC_DISK_DIRTY);
    const CheckReport report = check();
    EXPECT_THAT(report.damages, IsEmpty());
    EXPECT_EQ(report.facts["name"], "cachedev");
    EXPECT_EQ(report.facts["mode"], "write_back");
    EXPECT_EQ(report.facts["stopped"], "in good order");
    EXPECT_EQ(report.facts["loads"], true);
    EXPECT_EQ(report.facts["cached_blocks"], 2);
    EXPECT_EQ(report.facts["dirty_blocks"], 1);
    EXPECT_THAT(report_text(report), HasSubstr("dirty blocks: 1\n"));
    EXPECT_THAT(report_text(report), HasSubstr("no damage found\n"));
}

TEST_F(CheckReportTest, each_block_can_be_shown) {
    const fc_u64 block = image_.set_home(65, FC_DISK_DIRTY);
    std::vector<Json> blocks;
    check([&blocks](const Json &one) { blocks.push_back(one); });
    ASSERT_EQ(blocks.size(), 1u);
    EXPECT_EQ(blocks[0]["slot"], 65);
    EXPECT_EQ(blocks[0]["set"], 1);
    EXPECT_EQ(blocks[0]["way"], 1);
    EXPECT_EQ(blocks[0]["disk_sector"], block * 8);
    EXPECT_EQ(blocks[0]["state"], "dirty");
}

TEST_F(CheckReportTest, what_a_crash_left_is_no_damage) {
    image_.stop(false);
    image_.log_dirty({70, 71}, true);
    image_.log_dirty({72}, false);
    const CheckReport report = check();
    EXPECT_THAT(report.damages, IsEmpty());
    EXPECT_EQ(report.facts["stopped"], "not in good order");
    EXPECT_EQ(report.facts["dirty_blocks"], 2);
    EXPECT_EQ(report.facts["void_records"], 1);
}

TEST_F(CheckReportTest, damage_is_named_and_the_cache_said_not_to_load) {
    image_.damage_home(2);
    image_.damage_home(5);
    const CheckReport report = check();
    EXPECT_THAT(report.damages, ElementsAre("home unit 2 is damaged", "home unit 5 is damaged",
                                            HasSubstr("cannot be loaded")));
    EXPECT_EQ(report.facts["loads"], false);
    EXPECT_EQ(Json::parse(report_json(report))["damage"].size(), 3u);
}

TEST_F(CheckReportTest, after_an_orderly_stop_both_superblocks_must_be_whole) {
    image_.ssd().poke(4096 + 100, "?", 1);
    EXPECT_THAT(check().damages, Contains(HasSubstr("superblock b")));
    EXPECT_EQ(check().facts["loads"], true);
}

TEST_F(CheckReportTest, after_a_crash_one_may_be_torn) {
    image_.stop(false);
    image_.ssd().poke(4096 + 100, "?", 1);
    EXPECT_THAT(check().damages, IsEmpty());
}

} // namespace
} // namespace tools::test
