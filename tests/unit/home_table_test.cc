// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "home_table.h"
#include "world.h"

namespace {

class HomeTable : public ::testing::Test {
protected:
    void init(unsigned unit_bytes, unsigned char uuid = 0) {
        fc_config c = {};
        c.cache_device_sectors = 2097152;
        c.origin_sectors = 2097152;
        c.unit_bytes = unit_bytes;
        c.mode = FC_MODE_WRITE_BACK;
        c.cache_uuid[0] = uuid;
        ASSERT_EQ(fc_core_plan(&c), FC_OK);
        table_.init(c);
    }

    fc::HomeTable table_;
    alignas(8) char unit_[4096];
};

TEST_F(HomeTable, gives_back_the_slots_that_were_set) {
    for (const unsigned bytes : {512u, 4096u}) {
        init(bytes);
        EXPECT_EQ(table_.slots_per_unit(), (bytes - 16) / 16);
        table_.start_unit(unit_, 7);
        fc::HomeTable::set_slot(unit_, 0, {123, FC_DISK_DIRTY, true});
        fc::HomeTable::set_slot(unit_, table_.slots_per_unit() - 1, {1ull << 50, FC_DISK_CLEAN, false});
        table_.seal_unit(unit_);
        EXPECT_TRUE(table_.check_unit(unit_, 7));
        const fc::HomeSlot first = fc::HomeTable::get_slot(unit_, 0);
        EXPECT_EQ(first.origin_block, 123u);
        EXPECT_EQ(first.state, FC_DISK_DIRTY);
        EXPECT_TRUE(first.referenced);
        EXPECT_EQ(fc::HomeTable::get_slot(unit_, table_.slots_per_unit() - 1).origin_block, 1ull << 50);
        EXPECT_EQ(fc::HomeTable::get_slot(unit_, 1).state, FC_DISK_INVALID);
    }
}

TEST_F(HomeTable, notices_every_changed_bit) {
    init(512);
    table_.start_unit(unit_, 3);
    table_.seal_unit(unit_);
    for (unsigned bit = 0; bit < 512 * 8; bit++) {
        if (bit / 32 == 3)
            continue; // the reserved word of the header is covered below
        unit_[bit / 8] = static_cast<char>(unit_[bit / 8] ^ 1 << bit % 8);
        ASSERT_FALSE(table_.check_unit(unit_, 3)) << bit;
        unit_[bit / 8] = static_cast<char>(unit_[bit / 8] ^ 1 << bit % 8);
    }
    unit_[12] = 1;
    EXPECT_FALSE(table_.check_unit(unit_, 3));
}

TEST_F(HomeTable, does_not_believe_a_unit_from_another_place) {
    init(512);
    table_.start_unit(unit_, 3);
    table_.seal_unit(unit_);
    EXPECT_FALSE(table_.check_unit(unit_, 4));
}

TEST_F(HomeTable, does_not_believe_a_unit_of_another_cache) {
    init(512, 1);
    table_.start_unit(unit_, 3);
    table_.seal_unit(unit_);
    init(512, 2);
    EXPECT_FALSE(table_.check_unit(unit_, 3));
}

TEST_F(HomeTable, puts_units_one_behind_the_other) {
    init(4096);
    EXPECT_EQ(table_.sector_of(0), 16u);
    EXPECT_EQ(table_.sector_of(1), 24u);
    EXPECT_EQ(table_.unit_of(table_.slots_per_unit()), 1u);
}

TEST(Format, writes_the_table_before_the_superblock) {
    World w;
    w.close();
    w.trace.clear();
    alignas(4096) static char scratch[FC_SCRATCH_BYTES];
    ASSERT_EQ(fc_core_format(&w, &w.config, scratch), FC_OK);
    EXPECT_EQ(w.trace.front().sector, 0u) << "first the old superblocks go";
    EXPECT_LE(w.trace.back().sector, 8u);
    EXPECT_EQ(w.trace[w.trace.size() - 2].op, Op::flush) << "the home table is durable first";
    EXPECT_EQ(w.trace.back().flags, FC_IO_FUA);
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
}

TEST(Format, leaves_nothing_of_an_older_log) {
    World w;
    w.make_dirty(0, 'a');
    w.close();
    alignas(4096) static char scratch[FC_SCRATCH_BYTES];
    ASSERT_EQ(fc_core_format(&w, &w.config, scratch), FC_OK);
    for (fc_u64 unit = 0; unit < w.config.log_units; unit++) {
        const std::string zeros(512, 0);
        EXPECT_EQ(std::string(w.device[FC_DEV_CACHE].at(w.config.log_offset_sectors + unit), 512), zeros) << unit;
    }
}

TEST(Format, says_when_any_of_its_writes_fails) {
    World w;
    w.close();
    w.trace.clear();
    alignas(4096) static char scratch[FC_SCRATCH_BYTES];
    ASSERT_EQ(fc_core_format(&w, &w.config, scratch), FC_OK);
    const std::size_t n = w.trace.size();
    for (std::size_t fail = 0; fail < n; fail++) {
        std::size_t seen = 0;
        w.fails = [&seen, fail](const Io &) { return seen++ == fail; };
        EXPECT_EQ(fc_core_format(&w, &w.config, scratch), FC_EIO) << fail;
    }
}

} // namespace
