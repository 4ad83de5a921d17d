// SPDX-License-Identifier: GPL-2.0-only
//
// Caches of flashcache 1 to 3: what is read of them, what is damage, what reaches the disk.
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "check_report.h"
#include "legacy_placement.h"
#include "legacy_scan.h"
#include "support/legacy_image.h"
#include "writeback.h"

namespace tools::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr LegacyShape kShapes[] = {
    {.name = "v1", .version = 1, .metadata_sectors = 1},
    {.name = "v2", .version = 2},
    {.name = "v2_small_metadata_blocks", .version = 2, .metadata_sectors = 1},
    {.name = "v3_linear", .version = 3},
    {.name = "v3_hashed", .version = 3, .disk_assoc = 512},
    {.name = "v3_hashed_by_an_old_kernel", .version = 3, .disk_assoc = 512, .lookup2 = true},
    {.name = "v4", .version = 4},
    {.name = "v4_hashed", .version = 4, .disk_assoc = 256},
    {.name = "v4_large_blocks", .version = 4, .block_sectors = 32, .associativity = 256},
    {.name = "v4_small_blocks", .version = 4, .block_sectors = 1, .metadata_sectors = 16},
};

bool never_stop(std::uint64_t) {
    return true;
}

class LegacyWritebackTest : public testing::TestWithParam<LegacyShape> {
protected:
    LegacyWritebackTest() : image_(GetParam()), disk_(LegacyImage::kDiskSectors) {}

    // So many blocks at random places, every third clean.
    void fill(unsigned blocks) {
        std::mt19937 random(7);
        const std::uint64_t disk_blocks = LegacyImage::kDiskSectors / GetParam().block_sectors;
        std::set<std::uint64_t> taken;
        while (taken.size() < blocks) {
            const std::uint64_t sector = random() % disk_blocks * GetParam().block_sectors;
            if (taken.insert(sector).second) {
                const bool dirty = taken.size() % 3 != 0;
                const std::uint64_t slot = image_.add(sector, dirty);
                if (dirty)
                    dirty_[sector] = slot;
            }
        }
    }

    LegacyCache cache() const { return *find_legacy_cache(image_.device().open()); }

    LegacyScan scan() const {
        const DeviceFile ssd = image_.device().open();
        return scan_legacy(ssd, cache(), disk_.open().sectors());
    }

    Writeback write_back(const GoOn &go_on) const {
        const DeviceFile ssd = image_.device().open();
        return write_back_legacy(ssd, disk_.open(), cache(), scan(), go_on);
    }

    std::string on_disk(std::uint64_t sector) const {
        return disk_.peek(sector * 512, GetParam().block_sectors * 512);
    }

    LegacyImage image_;
    FakeDevice disk_;
    std::map<std::uint64_t, std::uint64_t> dirty_; // sector -> slot
};
INSTANTIATE_TEST_SUITE_P(, LegacyWritebackTest, testing::ValuesIn(kShapes),
                         testing::PrintToStringParamName());

TEST_P(LegacyWritebackTest, brings_every_dirty_block_to_its_place_and_nothing_else) {
    fill(900);
    const Writeback result = write_back(never_stop);
    EXPECT_EQ(result.dirty, dirty_.size());
    EXPECT_EQ(result.left, 0u);
    EXPECT_EQ(result.error, 0);
    const std::size_t block_bytes = GetParam().block_sectors * 512;
    const std::string disk = disk_.peek(0, LegacyImage::kDiskSectors * 512);
    const std::string nothing(block_bytes, '\0');
    for (std::uint64_t at = 0; at < LegacyImage::kDiskSectors; at += GetParam().block_sectors) {
        ASSERT_EQ(disk.compare(at * 512, block_bytes,
                               dirty_.count(at) != 0 ? image_.contents(at) : nothing),
                  0)
            << "sector " << at;
    }
    EXPECT_EQ(scan().dirty.size(), 0u);
    EXPECT_EQ(scan().valid_blocks, 900u) << "they are clean now, not gone";
}

TEST_P(LegacyWritebackTest, can_be_stopped_and_run_again) {
    fill(900);
    unsigned asked = 0;
    const Writeback first = write_back([&asked](std::uint64_t) { return ++asked < 100; });
    EXPECT_GT(first.left, 0u);
    EXPECT_LT(first.left, first.dirty);
    for (const auto &[sector, slot] : dirty_)
        if (image_.state_of(slot) == 0x02) {
            EXPECT_EQ(on_disk(sector), image_.contents(sector)) << "marked clean, and not written";
        }
    // The user goes on working on the disk: what was written must not be written again.
    std::uint64_t changed = 0;
    for (const auto &[sector, slot] : dirty_)
        if (image_.state_of(slot) == 0x02)
            changed = sector;
    disk_.poke(changed * 512, "newer", 5);
    EXPECT_EQ(write_back(never_stop).left, 0u);
    EXPECT_EQ(on_disk(changed).substr(0, 5), "newer");
    for (const auto &[sector, slot] : dirty_)
        if (sector != changed) {
            ASSERT_EQ(on_disk(sector), image_.contents(sector));
        }
}

TEST_P(LegacyWritebackTest, the_check_finds_no_damage) {
    fill(900);
    unsigned blocks = 0;
    const CheckReport report = check_legacy_cache(image_.device().open(), cache(),
                                                  [&blocks](const Json &) { blocks++; });
    EXPECT_THAT(report.damages, IsEmpty());
    EXPECT_EQ(report.facts["cached_blocks"], 900);
    EXPECT_EQ(report.facts["dirty_blocks"], dirty_.size());
    EXPECT_EQ(blocks, 900u);
}

// ---- damage

class LegacyDamageTest : public testing::Test {
protected:
    LegacyDamageTest() : image_({.disk_assoc = 512}) {}

    LegacyScan scan() const {
        const DeviceFile ssd = image_.device().open();
        return scan_legacy(ssd, *find_legacy_cache(ssd), 0);
    }

    LegacyImage image_;
};

TEST_F(LegacyDamageTest, a_state_that_no_kernel_writes) {
    image_.set_slot(image_.add(80, true), 80, 0x46);
    EXPECT_THAT(scan().damages, ElementsAre(HasSubstr("state 0x46")));
    EXPECT_THAT(scan().dirty, IsEmpty());
}

TEST_F(LegacyDamageTest, a_block_behind_the_end_of_the_disk) {
    image_.set_slot(image_.add(80, true), LegacyImage::kDiskSectors, 0x42);
    EXPECT_THAT(scan().damages, ElementsAre(HasSubstr("where the disk has no block")));
    EXPECT_THAT(scan().dirty, IsEmpty());
}

TEST_F(LegacyDamageTest, a_sector_between_two_blocks) {
    image_.set_slot(image_.add(80, true), 81, 0x42);
    EXPECT_THAT(scan().damages, ElementsAre(HasSubstr("where the disk has no block")));
}

TEST_F(LegacyDamageTest, a_block_in_a_set_where_it_cannot_be) {
    for (std::uint64_t sector = 0; sector < 8 * 512; sector += 8)
        image_.add(sector, true);
    const std::uint64_t slot = image_.add(80000, true);
    image_.set_slot(slot, 80000, 1);
    image_.set_slot((slot + 512) % image_.nr_blocks(), 80000, 0x42);
    EXPECT_THAT(scan().damages, ElementsAre(HasSubstr("1 blocks are in sets")));
    EXPECT_EQ(scan().dirty.size(), 512u) << "the others can be written back";
}

TEST_F(LegacyDamageTest, two_dirty_blocks_of_one_sector) {
    image_.add(80, true);
    image_.add(80, true);
    image_.add(160, true);
    EXPECT_THAT(scan().damages, ElementsAre(HasSubstr("are both dirty with sector 80")));
    EXPECT_EQ(scan().dirty.size(), 1u) << "nobody knows which of the two is newer";
}

TEST_F(LegacyDamageTest, after_a_crash_only_dirty_blocks_count) {
    image_.set_state(0xdeadbeef);
    image_.add(80, true);
    image_.set_slot(image_.add(160, false), 12345, 0x02);
    EXPECT_THAT(scan().damages, IsEmpty());
    EXPECT_EQ(scan().valid_blocks, 1u);
}

TEST_F(LegacyDamageTest, a_stop_that_failed_is_told) {
    image_.set_state(0xc8249756);
    const DeviceFile ssd = image_.device().open();
    EXPECT_THAT(check_legacy_cache(ssd, *find_legacy_cache(ssd), {}).damages,
                ElementsAre(HasSubstr("could not be saved")));
}

TEST_F(LegacyDamageTest, lies_in_the_superblock_are_named) {
    const struct {
        std::uint64_t at;
        std::uint32_t value;
    } lies[] = {{8, 0},   {8, 3},   {12, 0},   {12, 3},  {12, 1u << 30}, {300, 0},
                {300, 7}, {296, 5}, {304, 12}, {4, 1},   {0, 0},         {0, 60000}};
    for (const auto &lie : lies) {
        const std::string kept = image_.device().peek(lie.at, 4);
        image_.put(lie.at, lie.value);
        const DeviceFile ssd = image_.device().open();
        EXPECT_NE(legacy_contradiction(ssd, *find_legacy_cache(ssd)), "") << lie.at;
        EXPECT_THAT(check_legacy_cache(ssd, *find_legacy_cache(ssd), {}).damages,
                    ElementsAre(HasSubstr("superblock makes no sense")));
        image_.device().poke(lie.at, kept.data(), kept.size());
    }
}

// Of <linux/jhash.h> of 6.1, compiled and run.
TEST(LegacyPlacement, the_hash_of_today_is_the_kernels) {
    EXPECT_EQ(jhash_1word(1, 0xbeef, LegacyHash::kLookup3Seeded), 0x4231a816u);
    EXPECT_EQ(jhash_1word(123456789, 0xbeef, LegacyHash::kLookup3Seeded), 0x8dd3d7f1u);
}

} // namespace
} // namespace tools::test
