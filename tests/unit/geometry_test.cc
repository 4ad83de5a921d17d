// SPDX-License-Identifier: GPL-2.0-only
#include <set>

#include <gtest/gtest.h>

#include "geometry.h"

namespace {

constexpr fc_u64 kGiB = 2097152; // sectors

fc_config devices(fc_u64 cache_sectors, fc_u64 origin_sectors) {
    fc_config c = {};
    c.cache_device_sectors = cache_sectors;
    c.origin_sectors = origin_sectors;
    c.unit_bytes = 512;
    c.mode = FC_MODE_WRITE_BACK;
    return c;
}

fc_config planned(unsigned unit = 512) {
    fc_config c = devices(kGiB, 16 * kGiB);
    c.unit_bytes = unit;
    EXPECT_EQ(fc_core_plan(&c), FC_OK);
    return c;
}

TEST(Geometry, fills_in_the_defaults) {
    const fc_config c = planned();
    EXPECT_EQ(c.block_sectors, 8u);
    EXPECT_EQ(c.ways_per_set, 512u);
    EXPECT_EQ(c.extent_blocks, 64u);
    EXPECT_EQ(c.chunk_blocks, 64u);
    EXPECT_EQ(c.chunk_sectors, 512u);
}

TEST(Geometry, lays_the_parts_out_one_behind_the_other) {
    for (const unsigned unit : {512u, 4096u}) {
        const fc_config c = planned(unit);
        EXPECT_EQ(c.home_offset_sectors, 16u);
        EXPECT_GE(c.log_offset_sectors, c.home_offset_sectors + c.home_units * unit / 512);
        EXPECT_GE(c.data_offset_sectors, c.log_offset_sectors + c.log_units * unit / 512);
        EXPECT_EQ(c.data_offset_sectors % 2048, 0u) << "data is aligned to 1 MiB";
        EXPECT_LE(c.data_offset_sectors + c.nr_blocks * 8, c.cache_device_sectors);
        EXPECT_GE(c.home_units * fc::home_slots_per_unit(unit), c.nr_blocks);
    }
}

TEST(Geometry, gives_up_no_more_than_the_sets_that_do_not_fit) {
    const fc_config c = planned();
    const fc_u64 set_sectors = 512 * 8;
    const fc_u64 end = c.data_offset_sectors + c.nr_blocks * 8;
    EXPECT_LT(c.cache_device_sectors - end, set_sectors + 4096);
}

TEST(Geometry, accepts_what_it_has_planned) {
    EXPECT_EQ(fc::check_geometry(planned(512)), FC_OK);
    EXPECT_EQ(fc::check_geometry(planned(4096)), FC_OK);
}

TEST(Geometry, takes_only_as_much_of_the_device_as_was_wanted) {
    fc_config c = devices(kGiB, kGiB);
    c.cache_sectors_wanted = 512 * 8 * 3;
    EXPECT_EQ(fc_core_plan(&c), FC_OK);
    EXPECT_EQ(c.nr_sets, 3u);
}

TEST(Geometry, refuses_to_take_more_than_the_device_has) {
    fc_config c = devices(kGiB, kGiB);
    c.cache_sectors_wanted = kGiB + 1;
    EXPECT_EQ(fc_core_plan(&c), FC_E_CACHE_DEVICE_SIZE);
}

TEST(Geometry, refuses_a_device_without_room_for_one_set) {
    fc_config c = devices(4096, kGiB);
    EXPECT_EQ(fc_core_plan(&c), FC_E_TOO_SMALL);
    c = devices(0, kGiB);
    EXPECT_EQ(fc_core_plan(&c), FC_E_TOO_SMALL);
}

TEST(Geometry, refuses_a_size_below_one_set_by_another_name) {
    fc_config c = devices(kGiB, kGiB);
    c.cache_sectors_wanted = 512 * 8 - 1;
    EXPECT_EQ(fc_core_plan(&c), FC_E_BELOW_ONE_SET);
}

TEST(Geometry, refuses_more_blocks_than_have_numbers) {
    fc_config c = devices(1ull << 45, kGiB);
    EXPECT_EQ(fc_core_plan(&c), FC_E_TOO_LARGE);
    c = devices(kGiB, 1ull << 55);
    EXPECT_EQ(fc_core_plan(&c), FC_E_TOO_LARGE);
}

struct Wrong {
    unsigned fc_config::*field;
    unsigned value;
    int status;
};

constexpr Wrong kWrong[] = {
    {&fc_config::unit_bytes, 0, FC_E_UNIT},
    {&fc_config::unit_bytes, 1024, FC_E_UNIT},
    {&fc_config::block_sectors, 3, FC_E_BLOCK_SIZE},
    {&fc_config::block_sectors, 256, FC_E_BLOCK_SIZE},
    {&fc_config::ways_per_set, 1, FC_E_WAYS},
    {&fc_config::ways_per_set, 100, FC_E_WAYS},
    {&fc_config::ways_per_set, 16384, FC_E_WAYS},
    {&fc_config::extent_blocks, 3, FC_E_EXTENT},
    {&fc_config::extent_blocks, 1024, FC_E_EXTENT},
    {&fc_config::mode, 0, FC_E_MODE},
    {&fc_config::mode, 5, FC_E_MODE},
};

TEST(Geometry, refuses_wrong_numbers_in_a_plan) {
    for (const Wrong &wrong : kWrong) {
        fc_config c = devices(kGiB, kGiB);
        c.*wrong.field = wrong.value;
        EXPECT_EQ(fc_core_plan(&c), wrong.status) << wrong.value;
    }
}

TEST(Geometry, refuses_a_block_below_the_unit) {
    fc_config c = devices(kGiB, kGiB);
    c.unit_bytes = 4096;
    c.block_sectors = 4;
    EXPECT_EQ(fc_core_plan(&c), FC_E_BLOCK_SIZE);
}

TEST(Geometry, refuses_wrong_numbers_that_were_read) {
    for (const Wrong &wrong : kWrong) {
        fc_config c = planned();
        c.*wrong.field = wrong.value;
        EXPECT_EQ(fc::check_geometry(c), wrong.status) << wrong.value;
    }
}

TEST(Geometry, refuses_hostile_places_and_sizes) {
    fc_u64 fc_config::*const fields[] = {
        &fc_config::nr_sets,    &fc_config::home_offset_sectors,
        &fc_config::home_units, &fc_config::log_offset_sectors,
        &fc_config::log_units,  &fc_config::data_offset_sectors,
    };
    const fc_u64 values[] = {0, 1, 1ull << 31, 1ull << 32, 1ull << 63, ~0ull, ~0ull - 2047};
    for (const auto field : fields)
        for (const fc_u64 value : values) {
            fc_config c = planned();
            if (value == c.*field)
                continue;
            c.*field = value;
            c.nr_blocks = c.nr_sets * c.ways_per_set;
            EXPECT_NE(fc::check_geometry(c), FC_OK) << value;
        }
}

TEST(Geometry, refuses_a_device_that_has_become_smaller) {
    fc_config c = planned();
    c.cache_device_sectors /= 2;
    EXPECT_EQ(fc::check_geometry(c), FC_E_CACHE_DEVICE_SIZE);
}

TEST(Geometry, makes_chunks_of_at_most_256_KiB_within_an_extent) {
    fc_config c = planned();
    c.extent_blocks = 4;
    fc::set_chunk(c);
    EXPECT_EQ(c.chunk_blocks, 4u);
    c.extent_blocks = 512;
    fc::set_chunk(c);
    EXPECT_EQ(c.chunk_blocks, 64u);
    c.block_sectors = 128;
    fc::set_chunk(c);
    EXPECT_EQ(c.chunk_blocks, 4u);
    EXPECT_EQ(c.chunk_sectors, 512u);
}

TEST(Geometry, finds_the_origin_block_from_set_and_tag) {
    for (const unsigned sets : {1u, 3u, 7u, 64u}) {
        fc_config c = planned();
        c.nr_sets = sets;
        fc::Geometry geo;
        geo.init(c);
        for (fc_u64 block = 0; block < 200000; block += 17) {
            const fc::Placement place = geo.place(block);
            ASSERT_LT(place.set, sets);
            ASSERT_EQ(geo.origin_block(place.set, place.tag), block);
        }
    }
}

TEST(Geometry, keeps_an_extent_in_one_set_and_its_neighbour_out_of_it) {
    const fc_config c = planned();
    fc::Geometry geo;
    geo.init(c);
    for (fc_u64 extent = 0; extent + 1 < c.nr_sets; extent++) {
        const fc::u32 set = geo.place(extent * 64).set;
        EXPECT_EQ(geo.place(extent * 64 + 63).set, set);
        EXPECT_NE(geo.place((extent + 1) * 64).set, set);
    }
}

TEST(Geometry, spreads_a_region_as_large_as_the_cache_over_all_sets) {
    const fc_config c = planned();
    fc::Geometry geo;
    geo.init(c);
    std::set<fc::u32> sets;
    for (fc_u64 extent = 0; extent < c.nr_sets; extent++)
        sets.insert(geo.place(extent * 64).set);
    EXPECT_EQ(sets.size(), c.nr_sets);
}

TEST(Geometry, spreads_a_stride_of_a_whole_row) {
    const fc_config c = planned();
    fc::Geometry geo;
    geo.init(c);
    std::set<fc::u32> sets;
    for (fc_u64 row = 0; row < 64; row++)
        sets.insert(geo.place(row * c.nr_sets * 64).set);
    EXPECT_GT(sets.size(), 32u);
}

TEST(Geometry, gives_every_slot_a_place_of_its_own) {
    const fc_config c = planned();
    fc::Geometry geo;
    geo.init(c);
    EXPECT_EQ(geo.data_sector(0, 0), c.data_offset_sectors);
    EXPECT_EQ(geo.data_sector(0, 1), c.data_offset_sectors + 8);
    EXPECT_EQ(geo.data_sector(1, 0), c.data_offset_sectors + 512 * 8);
}

TEST(Geometry, blocks_behind_2_tib_of_the_cache_device_follow_those_before) {
    fc_config c = devices(8192 * kGiB, 8192 * kGiB);
    ASSERT_EQ(fc_core_plan(&c), FC_OK);
    fc::Geometry geo;
    geo.init(c);
    const fc::u32 last = geo.nr_sets() - 1;
    EXPECT_EQ(geo.data_sector(last, 511), c.data_offset_sectors + c.nr_blocks * 8 - 8);
    EXPECT_EQ(geo.data_sector(last, 0) - geo.data_sector(last / 2, 0), (last - last / 2) * 512ull * 8);
}

} // namespace
