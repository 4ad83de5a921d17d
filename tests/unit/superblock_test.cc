// SPDX-License-Identifier: GPL-2.0-only
#include <cstring>

#include <gtest/gtest.h>

#include "checksum.h"
#include "world.h"

namespace {

constexpr fc_u64 kSlot[] = {0, 8}; // sectors

fc_disk_superblock &superblock(World &w, int slot) {
    return *reinterpret_cast<fc_disk_superblock *>(w.device[FC_DEV_CACHE].at(kSlot[slot]));
}

void seal(fc_disk_superblock &sb) {
    sb.crc = fc::crc_without_field(0, &sb, sizeof(sb), offsetof(fc_disk_superblock, crc));
}

int newest(World &w) {
    return superblock(w, 1).sequence > superblock(w, 0).sequence;
}

// What open() says after vandal() has changed both superblocks, which then are sealed again.
template <typename F>
int open_after(F vandal) {
    World w;
    EXPECT_EQ(w.close(), FC_OK);
    for (int slot = 0; slot < 2; slot++) {
        vandal(superblock(w, slot));
        seal(superblock(w, slot));
    }
    return w.open();
}

TEST(Superblock, is_found_after_format) {
    World w;
    fc_config found = {};
    found.cache_device_sectors = w.config.cache_device_sectors;
    std::swap(found, w.config);
    EXPECT_EQ(w.probe(), FC_OK);
    EXPECT_EQ(w.config.origin_sectors, found.origin_sectors);
    EXPECT_EQ(w.config.nr_blocks, found.nr_blocks);
    EXPECT_EQ(w.config.chunk_sectors, found.chunk_sectors);
    EXPECT_STREQ(w.config.cache_name, "test");
}

TEST(Superblock, is_written_in_turns_with_a_flush_in_front_and_durably) {
    World w;
    const fc_u64 before[] = {superblock(w, 0).sequence, superblock(w, 1).sequence};
    w.close();
    int written = 0;
    for (const Io &io : w.trace)
        if (io.op == Op::write && io.sector <= 8) {
            written++;
            EXPECT_EQ(io.flags, FC_IO_FUA);
        }
    EXPECT_EQ(written, 1);
    const int old = before[0] < before[1] ? 0 : 1;
    EXPECT_EQ(superblock(w, 1 - old).sequence, before[1 - old]) << "the newer one stays whole";
    EXPECT_GT(superblock(w, old).sequence, before[1 - old]);
}

TEST(Superblock, the_other_one_holds_if_one_is_damaged) {
    World w;
    w.close();
    superblock(w, newest(w)).mode ^= 1;
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_UNCLEAN_LOAD), 1u) << "the older one does not say CLEAN";
}

TEST(Superblock, both_damaged_are_refused) {
    World w;
    w.close();
    superblock(w, 0).mode ^= 1;
    superblock(w, 1).mode ^= 1;
    EXPECT_EQ(w.open(), FC_E_SUPERBLOCK_DAMAGED);
}

TEST(Superblock, none_is_refused) {
    World w;
    w.close();
    std::memset(w.device[0].at(0), 0, 16 * 512);
    EXPECT_EQ(w.open(), FC_E_NO_SUPERBLOCK);
}

TEST(Superblock, one_that_cannot_be_read_does_not_hide_the_other) {
    World w;
    w.close();
    const fc_u64 bad = kSlot[1 - newest(w)];
    w.fails = [bad](const Io &io) { return io.reads() && io.dev == FC_DEV_CACHE && io.sector == bad; };
    EXPECT_EQ(w.open(), FC_OK);
}

TEST(Superblock, none_that_can_be_read_is_an_io_error) {
    World w;
    w.close();
    w.fails = [](const Io &io) { return io.reads(); };
    EXPECT_EQ(w.open(), FC_EIO);
}

TEST(Superblock, wipe_leaves_none) {
    World w;
    w.close();
    char scratch[4096];
    EXPECT_EQ(fc_core_wipe(&w, &w.config, scratch), FC_OK);
    EXPECT_EQ(w.trace.back().op, Op::flush) << "and that is durable";
    EXPECT_EQ(w.open(), FC_E_NO_SUPERBLOCK);
}

TEST(Superblock, wipe_says_when_it_fails) {
    World w;
    w.close();
    char scratch[4096];
    for (const Op op : {Op::write, Op::flush}) {
        w.fails = [op](const Io &io) { return io.op == op; };
        EXPECT_EQ(fc_core_wipe(&w, &w.config, scratch), FC_EIO);
    }
}

TEST(Superblock, another_version_is_refused) {
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { sb.version = 2; }), FC_E_VERSION);
}

TEST(Superblock, another_size_of_the_origin_is_refused) {
    World w;
    w.close();
    w.config.origin_sectors -= 8;
    EXPECT_EQ(w.open(), FC_E_ORIGIN_SIZE);
}

TEST(Superblock, tells_the_size_of_the_origin_to_who_does_not_know_it) {
    World w;
    w.config.origin_sectors = 0;
    EXPECT_EQ(w.probe(), FC_OK);
    EXPECT_EQ(w.config.origin_sectors, 2048u);
}

TEST(Superblock, a_smaller_cache_device_is_refused) {
    World w;
    w.close();
    w.config.cache_device_sectors -= 8;
    EXPECT_EQ(w.open(), FC_E_CACHE_DEVICE_SIZE);
}

TEST(Superblock, remembers_the_size_of_a_cache_device_that_has_grown_since) {
    World w;
    w.close();
    w.config.cache_device_sectors += 8; // and is not used
    EXPECT_EQ(w.open(), FC_OK);
    w.close();
    w.config.cache_device_sectors -= 8;
    EXPECT_EQ(w.open(), FC_OK);
}

TEST(Superblock, hostile_numbers_are_refused) {
    unsigned fc_disk_superblock::*const words[] = {
        &fc_disk_superblock::unit_bytes, &fc_disk_superblock::block_sectors,
        &fc_disk_superblock::ways_per_set, &fc_disk_superblock::extent_blocks, &fc_disk_superblock::mode};
    for (const auto word : words)
        for (const unsigned value : {0u, 3u * 1024, 0x80000000u, ~0u})
            EXPECT_NE(open_after([=](fc_disk_superblock &sb) { sb.*word = value; }), FC_OK) << value;
    unsigned long long fc_disk_superblock::*const longs[] = {
        &fc_disk_superblock::nr_sets, &fc_disk_superblock::home_offset_sectors,
        &fc_disk_superblock::home_units, &fc_disk_superblock::log_offset_sectors,
        &fc_disk_superblock::log_units, &fc_disk_superblock::data_offset_sectors};
    for (const auto field : longs)
        for (const fc_u64 value : {0ull, 1ull, 1ull << 32, 1ull << 60, ~0ull})
            EXPECT_NE(open_after([=](fc_disk_superblock &sb) { sb.*field = value; }), FC_OK) << value;
}

TEST(Superblock, sequences_of_zero_are_refused) {
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { sb.log_tail = 0; }), FC_E_GEOMETRY);
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { sb.sequence = 0; }), FC_E_GEOMETRY);
}

TEST(Superblock, sequences_that_could_overflow_are_refused) {
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { sb.log_tail = ~0ull; }), FC_E_GEOMETRY);
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { sb.sequence = ~0ull; }), FC_E_GEOMETRY);
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { sb.epoch = ~0ull; }), FC_E_GEOMETRY);
}

TEST(Superblock, names_without_an_end_or_with_control_characters_are_refused) {
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { std::memset(sb.cache_name, 'x', 64); }), FC_E_GEOMETRY);
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { sb.origin_path[0] = '\n'; }), FC_E_GEOMETRY);
    EXPECT_EQ(open_after([](fc_disk_superblock &sb) { std::memset(sb.origin_id, 0x7f, 8); }), FC_E_GEOMETRY);
}

TEST(Superblock, another_cache_between_probe_and_open_is_refused) {
    World w;
    w.close();
    std::vector<char> memory(fc_core_bytes(&w.config) + 4096);
    const auto odd = reinterpret_cast<std::uintptr_t>(memory.data()) % 4096;
    ASSERT_EQ(w.probe(), FC_OK);
    fc_core *core = fc_core_init(memory.data() + (4096 - odd) % 4096, &w, &w.config);
    for (int slot = 0; slot < 2; slot++) {
        superblock(w, slot).cache_uuid[0] ^= 1;
        seal(superblock(w, slot));
    }
    EXPECT_EQ(fc_core_open(core), FC_E_SUPERBLOCK_CHANGED);
}

} // namespace
