// SPDX-License-Identifier: GPL-2.0-only
#include "metadata_scan.h"

#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core_host.h"
#include "support/fake_device.h"

namespace tools::test {
namespace {

constexpr std::uint64_t kSectors = 32768;

struct Record {
    unsigned slot;
    unsigned state;
};

// A formatted device whose home table and log the test writes by itself, from format.h alone.
class MetadataScanTest : public testing::TestWithParam<unsigned> {
protected:
    MetadataScanTest() : config_(planned_config(kSectors, GetParam())), device_(kSectors) {
        format_cache(device_.open(), config_);
        config_.epoch = 1;
        config_.log_tail = 1;
        seed_ = fc_os_crc32c(0, config_.cache_uuid, sizeof(config_.cache_uuid));
    }

    MetadataScan scan() { return scan_metadata(device_.open(), config_); }

    void seal(std::vector<char> &unit) {
        std::memset(unit.data() + 4, 0, 4); // the crc has this place in both headers
        const unsigned crc = fc_os_crc32c(seed_, unit.data(), unit.size());
        std::memcpy(unit.data() + 4, &crc, 4);
    }

    std::uint64_t home_byte(unsigned unit) const {
        return config_.home_offset_sectors * 512 + std::uint64_t{unit} * config_.unit_bytes;
    }

    void set_home(unsigned slot, unsigned state) {
        const unsigned per_unit = (config_.unit_bytes - 16) / 16;
        const std::uint64_t at = home_byte(slot / per_unit);
        const std::string old = device_.peek(at, config_.unit_bytes);
        std::vector<char> unit(old.begin(), old.end());
        unit[16 + slot % per_unit * 16 + 8] = static_cast<char>(state);
        seal(unit);
        device_.poke(at, unit.data(), unit.size());
    }

    void write_log(fc_u64 sequence, const std::vector<Record> &records, fc_u64 durable = 0,
                   fc_u64 epoch = 1, unsigned false_count = 0) {
        std::vector<char> unit(config_.unit_bytes);
        fc_disk_log_header header = {};
        header.magic = FC_DISK_LOG_MAGIC;
        header.epoch = epoch;
        header.sequence = sequence;
        header.durable = durable;
        header.count = false_count != 0 ? false_count : static_cast<unsigned>(records.size());
        std::memcpy(unit.data(), &header, sizeof(header));
        for (std::size_t i = 0; i < records.size(); i++) {
            const fc_disk_log_record record = {
                records[i].slot, 0,
                static_cast<fc_u64>(records[i].state) << FC_DISK_ORIGIN_BLOCK_BITS | 5};
            std::memcpy(unit.data() + sizeof(header) + i * sizeof(record), &record, sizeof(record));
        }
        seal(unit);
        device_.poke(config_.log_offset_sectors * 512 +
                         sequence % config_.log_units * config_.unit_bytes,
                     unit.data(), unit.size());
    }

    fc_config config_;
    FakeDevice device_;
    unsigned seed_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Units, MetadataScanTest, testing::Values(512u, 4096u));

TEST_P(MetadataScanTest, a_new_cache_has_no_dirty_block) {
    EXPECT_EQ(scan().dirty_blocks, 0u);
    EXPECT_EQ(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, dirty_slots_of_the_home_table_are_counted_and_clean_ones_are_not) {
    set_home(0, FC_DISK_DIRTY);
    set_home(1, FC_DISK_CLEAN);
    set_home(static_cast<unsigned>(config_.nr_blocks - 1), FC_DISK_DIRTY);
    EXPECT_EQ(scan().dirty_blocks, 2u);
    EXPECT_EQ(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, the_log_holds_before_the_home_table) {
    set_home(3, FC_DISK_DIRTY);
    set_home(4, FC_DISK_DIRTY);
    write_log(1, {{3, FC_DISK_CLEAN}, {7, FC_DISK_DIRTY}});
    write_log(2, {{7, FC_DISK_INVALID}, {8, FC_DISK_DIRTY}, {4, FC_DISK_DIRTY}});
    EXPECT_EQ(scan().dirty_blocks, 2u); // 4 and 8
}

TEST_P(MetadataScanTest, the_log_starts_at_its_tail_and_goes_round) {
    config_.log_tail = config_.log_units - 1;
    write_log(config_.log_units - 2, {{1, FC_DISK_DIRTY}}); // before the tail
    write_log(config_.log_units - 1, {{2, FC_DISK_DIRTY}});
    write_log(config_.log_units, {{3, FC_DISK_DIRTY}});
    write_log(1, {{4, FC_DISK_DIRTY}}); // of the round before
    EXPECT_EQ(scan().dirty_blocks, 2u);
    EXPECT_EQ(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, units_of_an_earlier_activation_are_not_believed) {
    write_log(1, {{2, FC_DISK_DIRTY}});
    config_.epoch = 7;
    EXPECT_EQ(scan().dirty_blocks, 0u);
    EXPECT_EQ(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, a_unit_of_a_later_activation_is_damage) {
    for (const unsigned flags : {0u, FC_DISK_FLAG_CLEAN}) {
        config_.flags = flags;
        EXPECT_EQ(scan().first_damage(), "");
        write_log(9, {}, 0, 2);
        EXPECT_NE(scan().first_damage(), "") << flags;
        write_log(9, {}, 0, 1);
    }
}

TEST_P(MetadataScanTest, a_damaged_last_unit_is_damage) {
    write_log(1, {{1, FC_DISK_DIRTY}});
    write_log(2, {{2, FC_DISK_DIRTY}});
    EXPECT_EQ(scan().first_damage(), "");
    device_.poke((config_.log_offset_sectors * 512) + 2 * config_.unit_bytes + 100, "x", 1);
    EXPECT_NE(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, behind_the_end_stand_zeros_or_once_it_has_gone_round_an_older_unit) {
    write_log(1, {{1, FC_DISK_DIRTY}});
    config_.log_tail = config_.log_units + 1;
    EXPECT_EQ(scan().first_damage(), "");
    config_.log_tail++;
    EXPECT_NE(scan().first_damage(), "") << "this place must have been used";
}

TEST_P(MetadataScanTest, replay_ends_at_a_gap_that_was_never_durable) {
    write_log(1, {{1, FC_DISK_DIRTY}});
    write_log(3, {{2, FC_DISK_DIRTY}}, 1);
    EXPECT_EQ(scan().dirty_blocks, 1u);
    EXPECT_EQ(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, a_gap_in_what_was_durable_is_damage) {
    write_log(1, {{1, FC_DISK_DIRTY}});
    write_log(3, {{2, FC_DISK_DIRTY}}, 2);
    EXPECT_NE(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, after_an_orderly_stop_a_log_hides_no_dirty_block) {
    set_home(3, FC_DISK_DIRTY);
    write_log(1, {{3, FC_DISK_INVALID}});
    config_.flags = FC_DISK_FLAG_CLEAN;
    EXPECT_EQ(scan().dirty_blocks, 1u) << "the kernel does not look at the log";
    config_.flags = 0;
    EXPECT_EQ(scan().dirty_blocks, 0u);
}

TEST_P(MetadataScanTest, the_log_ends_at_a_unit_that_claims_to_be_durable_itself) {
    set_home(3, FC_DISK_DIRTY);
    write_log(1, {{3, FC_DISK_INVALID}}, 1);
    EXPECT_EQ(scan().dirty_blocks, 1u) << "the kernel does not believe the unit";
}

TEST_P(MetadataScanTest, a_damaged_home_unit_is_damage_and_the_others_still_count) {
    set_home(0, FC_DISK_DIRTY);
    set_home(static_cast<unsigned>(config_.nr_blocks - 1), FC_DISK_DIRTY);
    device_.poke(home_byte(0) + 40, "x", 1);
    EXPECT_EQ(scan().dirty_blocks, 1u);
    EXPECT_NE(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, a_slot_in_a_state_that_there_is_not_is_damage) {
    set_home(1, FC_DISK_DIRTY + 1);
    EXPECT_NE(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, a_home_unit_in_the_place_of_another_is_damage) {
    const std::string unit = device_.peek(home_byte(1), config_.unit_bytes);
    device_.poke(home_byte(0), unit.data(), unit.size());
    EXPECT_NE(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, metadata_of_another_cache_is_damage) {
    config_.cache_uuid[0] ^= 1;
    EXPECT_NE(scan().first_damage(), "");
}

TEST_P(MetadataScanTest, records_of_blocks_that_do_not_exist_are_damage) {
    write_log(1, {{static_cast<unsigned>(config_.nr_blocks), FC_DISK_DIRTY}});
    EXPECT_NE(scan().first_damage(), "");
    EXPECT_EQ(scan().dirty_blocks, 0u);
}

TEST_P(MetadataScanTest, a_false_record_count_is_not_followed_out_of_the_unit) {
    write_log(1, {{1, FC_DISK_DIRTY}}, 0, 1, 0xffffffff);
    EXPECT_EQ(scan().dirty_blocks, 0u);
}

TEST_P(MetadataScanTest, a_tail_near_the_largest_number_does_no_harm) {
    config_.log_tail = ~0ull;
    EXPECT_EQ(scan().dirty_blocks, 0u);
}

TEST_P(MetadataScanTest, random_bytes_in_the_metadata_are_damage_and_nothing_worse) {
    std::mt19937_64 random(GetParam());
    std::vector<char> bytes((config_.data_offset_sectors - config_.home_offset_sectors) * 512);
    for (char &byte : bytes)
        byte = static_cast<char>(random());
    device_.poke(config_.home_offset_sectors * 512, bytes.data(), bytes.size());
    EXPECT_EQ(scan().dirty_blocks, 0u);
    EXPECT_NE(scan().first_damage(), "");
}

TEST(HostileSuperblock, one_flipped_byte_anywhere_is_never_taken_for_a_cache) {
    const FakeDevice device(kSectors);
    format_cache(device.open(), planned_config(kSectors));
    const std::string b = device.peek(4096, 512);
    for (unsigned at = 0; at < 512; at++) {
        const char flipped = static_cast<char>(b[at] ^ 0x10);
        device.poke(4096 + at, &flipped, 1);
        fc_config config = {};
        config.cache_device_sectors = kSectors;
        EXPECT_NE(probe_cache(device.open(), config), FC_OK) << at;
        device.poke(4096 + at, &b[at], 1);
    }
}

TEST(HostileSuperblock, any_number_with_a_right_checksum_is_refused_or_stays_on_the_device) {
    const FakeDevice device(kSectors);
    format_cache(device.open(), planned_config(kSectors));
    const std::string good = device.peek(4096, 512);
    std::mt19937_64 random(1);
    for (int round = 0; round < 3000; round++) {
        std::string bytes = good;
        // From unit_bytes to log_tail, and sometimes a nearby value.
        const std::size_t at = 64 + random() % 88;
        bytes[at] = static_cast<char>(random() % 2 ? random() : bytes[at] + 1);
        std::memset(&bytes[20], 0, 4);
        const unsigned crc = fc_os_crc32c(0, bytes.data(), bytes.size());
        std::memcpy(&bytes[20], &crc, 4);
        device.poke(4096, bytes.data(), bytes.size());
        fc_config config = {};
        config.cache_device_sectors = kSectors;
        const DeviceFile file = device.open();
        if (probe_cache(file, config) == FC_OK)
            scan_metadata(file, config); // sanitizers and direct I/O would object
    }
}

} // namespace
} // namespace tools::test
