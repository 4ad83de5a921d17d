// SPDX-License-Identifier: GPL-2.0-only
#include <cstring>

#include <gtest/gtest.h>

#include "checksum.h"
#include "world.h"

namespace {

constexpr int kCache = FC_DEV_CACHE;
constexpr int kOrigin = FC_DEV_ORIGIN;

Shape volatile_cache() {
    Shape shape;
    shape.cache_volatile = true;
    return shape;
}

// Change the log unit of this sequence and give it a right checksum again.
template <typename F>
void change_unit(World &w, fc_u64 sequence, F change) {
    char *at = w.device[kCache].at(w.config.log_offset_sectors + sequence % w.config.log_units);
    auto &header = *reinterpret_cast<fc_disk_log_header *>(at);
    change(header, reinterpret_cast<fc_disk_log_record *>(at + sizeof(header))[0]);
    header.crc = fc::crc_without_field(fc::unit_seed(w.config), at, 512, offsetof(fc_disk_log_header, crc));
    w.device[kCache].write(w.config.log_offset_sectors + sequence % w.config.log_units, std::string(at, 512), true);
}

template <typename F>
void change_home(World &w, F change) {
    char *at = w.device[kCache].at(w.config.home_offset_sectors);
    auto &header = *reinterpret_cast<fc_disk_home_header *>(at);
    change(reinterpret_cast<fc_disk_home_slot *>(at + sizeof(header)));
    header.crc = fc::crc_without_field(fc::unit_seed(w.config), at, 512, offsetof(fc_disk_home_header, crc));
    w.device[kCache].write(w.config.home_offset_sectors, std::string(at, 512), true);
}

// ---- what comes back

TEST(Recovery, finds_acknowledged_writes_after_a_power_cut) {
    World w;
    for (fc_u64 block = 0; block < 16; block++)
        w.make_dirty(block * 2, static_cast<char>('a' + block));
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_UNCLEAN_LOAD), 1u);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 16u);
    for (fc_u64 block = 0; block < 16; block++)
        EXPECT_EQ(w.read_letter(block * 2), static_cast<char>('a' + block));
}

TEST(Recovery, rule_1_a_record_without_its_data_is_void) {
    World w;
    w.make_dirty(1, 'x');
    w.write(0, 'a');
    w.complete(w.ios[0].sector < w.config.data_offset_sectors ? 0 : 1); // the record alone
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_VOID), 1u);
    EXPECT_EQ(w.read_letter(0), 'o');
    EXPECT_EQ(w.read_letter(1), 'x');
}

TEST(Recovery, rule_2_a_confirmed_record_is_believed_without_a_look_at_its_data) {
    World w;
    w.make_dirty(0, 'a');
    w.confirm();
    w.device[kCache].write(w.data_sector(0), std::string(4096, 'b'), true); // an overwrite in place
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_VOID), 0u);
    EXPECT_EQ(w.read_letter(0), 'b');
}

TEST(Recovery, rule_2_a_slot_with_a_void_record_is_invalid) {
    World w(volatile_cache());
    w.make_dirty(0, 'a'); // acknowledged, never flushed
    const fc_u64 log = w.config.log_offset_sectors;
    const fc_u64 data = w.data_sector(0);
    std::set<fc_u64> record;
    for (const fc_u64 sector : w.device[kCache].unstable())
        if (sector >= log && sector < data)
            record.insert(sector);
    w.device[kCache].flush(record); // the record has reached the medium by itself
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_VOID), 1u);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
}

TEST(Recovery, rule_5_data_may_reach_the_medium_before_its_record) {
    World w(volatile_cache());
    w.make_dirty(0, 'a');
    std::set<fc_u64> data;
    for (fc_u64 s = w.data_sector(0); s < w.data_sector(0) + 8; s++)
        data.insert(s);
    w.device[kCache].flush(data);
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
    EXPECT_EQ(w.read_letter(0), 'o');
}

TEST(Recovery, rule_6_clean_blocks_are_not_trusted_after_an_unclean_stop) {
    World w;
    w.make_clean(0);
    w.make_dirty(1, 'a');
    w.close(true);
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.state(0), "clean");
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.state(0), "none");
    EXPECT_EQ(w.state(1), "dirty");
}

TEST(Recovery, rule_7_is_idempotent) {
    World w;
    w.make_dirty(0, 'a');
    w.make_dirty(9, 'b');
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
        EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 2u);
    }
    EXPECT_EQ(w.read_letter(0), 'a');
    EXPECT_EQ(w.read_letter(9), 'b');
}

TEST(Recovery, rule_7_may_be_cut_off_at_every_write_and_be_begun_again) {
    for (int cut = 0; cut < 20; cut++) {
        World w;
        w.make_dirty(0, 'a', 4);
        w.make_dirty(9, 'b');
        w.power_cut();
        int writes = 0;
        w.fails = [&](const Io &io) { return io.op != Op::read && writes++ >= cut; };
        const int status = w.open();
        w.fails = nullptr;
        if (status == FC_OK && cut)
            return;
        EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
        EXPECT_EQ(w.gauge(FC_GAUGE_RECOVERED_DIRTY), 5u) << cut;
        EXPECT_EQ(w.read_letter(3), 'a');
    }
    FAIL() << "opening never succeeded";
}

// Without a loss of power all is found, though in a volatile cache.  The home table says "dirty" without
// a checksum: it must not get there before the data.
TEST(Recovery, rule_5_what_a_restart_finds_is_durable_before_the_home_table_says_so) {
    World w(volatile_cache());
    w.make_dirty(0, 'a');
    w.crash();
    const fc_u64 from = w.config.home_offset_sectors, to = w.config.log_offset_sectors;
    bool home_written = false;
    w.fails = [&](const Io &io) {
        home_written |= io.op == Op::write && io.sector >= from && io.sector < to;
        return io.op == Op::flush && home_written;
    };
    EXPECT_EQ(w.open(), FC_EIO);
    ASSERT_TRUE(home_written);
    w.fails = nullptr;
    std::set<fc_u64> home; // has reached the medium by itself
    for (fc_u64 s = from; s < to; s++)
        home.insert(s);
    w.device[kCache].flush(home);
    ASSERT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    EXPECT_EQ(w.read_letter(0), 'a');
}

TEST(Recovery, rule_9_nothing_is_written_before_open) {
    World w;
    w.close();
    w.trace.clear();
    ASSERT_EQ(w.probe(), FC_OK);
    std::vector<char> memory(fc_core_bytes(&w.config) + 4096);
    const auto odd = reinterpret_cast<std::uintptr_t>(memory.data()) % 4096;
    fc_core_init(memory.data() + (4096 - odd) % 4096, &w, &w.config);
    for (const Io &io : w.trace)
        EXPECT_TRUE(io.reads());
}

// ---- the superblock in use

TEST(Recovery, rule_8_neither_superblock_says_clean_before_the_first_change) {
    World w;
    for (const fc_u64 sector : {0ull, 8ull}) {
        const auto &sb = *reinterpret_cast<fc_disk_superblock *>(w.device[kCache].at(sector));
        EXPECT_EQ(sb.flags & FC_DISK_FLAG_CLEAN, 0u);
    }
}

TEST(Recovery, rule_8_dirty_blocks_stand_in_the_table_or_the_log_without_the_flag) {
    World w;
    w.make_dirty(0, 'a');
    w.close(true);
    EXPECT_EQ(w.open(), FC_OK); // now "in use", and the log is empty
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
}

TEST(Recovery, an_open_that_fails_changes_no_superblock) {
    World w;
    w.close();
    w.fails = [&w](const Io &io) { return io.reads() && io.sector == w.config.home_offset_sectors; };
    w.trace.clear();
    EXPECT_EQ(w.open(), FC_EIO);
    w.fails = nullptr;
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_UNCLEAN_LOAD), 0u);
}

TEST(Recovery, an_origin_that_was_changed_while_detached_is_refused) {
    World w;
    w.make_clean(100);
    w.close();
    w.device[kOrigin].write(0, std::string(512, '!'), true);
    EXPECT_EQ(w.open(), FC_E_ORIGIN_CHANGED);
    w.device[kOrigin].write(0, std::string(512, 'o'), true);
    EXPECT_EQ(w.open(), FC_OK);
}

// ---- damage and hostility

TEST(Recovery, a_damaged_home_unit_is_refused) {
    World w;
    w.make_dirty(0, 'a');
    w.close(true);
    w.device[kCache].at(w.config.home_offset_sectors)[100] ^= 1;
    EXPECT_EQ(w.open(), FC_E_HOME_DAMAGED);
    EXPECT_TRUE(w.logged("home unit 0"));
}

TEST(Recovery, hostile_home_slots_are_refused) {
    const fc_disk_home_slot hostile[] = {
        {0, 3, 0, {}}, {0, 255, 0, {}}, {1ull << 40, FC_DISK_DIRTY, 0, {}}, {~0ull, FC_DISK_CLEAN, 0, {}}};
    for (const fc_disk_home_slot &slot : hostile) {
        World w;
        w.close();
        change_home(w, [&](fc_disk_home_slot *slots) { slots[2] = slot; });
        EXPECT_EQ(w.open(), FC_E_HOME_CONTRADICTION);
    }
}

TEST(Recovery, a_block_outside_of_its_set_is_refused) {
    World w;
    w.close();
    fc::Geometry geo;
    geo.init(w.config);
    fc_u64 stranger = 0;
    while (geo.place(stranger).set == 0)
        stranger += 8;
    change_home(w, [&](fc_disk_home_slot *slots) { slots[0] = {stranger, FC_DISK_CLEAN, 0, {}}; });
    EXPECT_EQ(w.open(), FC_E_HOME_CONTRADICTION);
}

TEST(Recovery, two_slots_that_claim_one_block_are_refused) {
    World w;
    w.close();
    fc::Geometry geo;
    geo.init(w.config);
    const fc_u64 block = geo.origin_block(0, 0);
    change_home(w, [&](fc_disk_home_slot *slots) { slots[0] = slots[1] = {block, FC_DISK_DIRTY, 0, {}}; });
    EXPECT_EQ(w.open(), FC_E_HOME_CONTRADICTION);
}

TEST(Recovery, hostile_log_records_are_refused) {
    const fc_u64 dirty = static_cast<fc_u64>(FC_DISK_DIRTY) << 56;
    for (const fc_disk_log_record record : {fc_disk_log_record{32, 0, dirty}, {~0u, 0, dirty}, {0, 0, 3ull << 56},
                                            {0, 0, dirty | 1ull << 40}, {0, 0, ~0ull}}) {
        World w;
        w.make_dirty(0, 'a');
        change_unit(w, w.core->log.tail(), [&](fc_disk_log_header &, fc_disk_log_record &r) { r = record; });
        EXPECT_EQ(w.reopen_after_power_cut(), FC_E_LOG_DAMAGED) << record.slot;
    }
}

// The device writes units whole or not at all: a unit of this place and time that makes no sense, or
// is nothing at all, is damage, and not the end of the log.
TEST(Recovery, a_last_unit_that_makes_no_sense_is_refused) {
    using Change = void (*)(fc_disk_log_header &);
    for (const Change change : {Change([](fc_disk_log_header &h) { h.count = 30; }),
                                Change([](fc_disk_log_header &h) { h.confirmed = ~0ull; }),
                                Change([](fc_disk_log_header &h) { h.durable = h.sequence; }),
                                Change([](fc_disk_log_header &h) { h.epoch++; }),
                                Change([](fc_disk_log_header &h) { h.sequence++; }),
                                Change([](fc_disk_log_header &h) { h.sequence += 1ull << 40; })}) {
        World w;
        w.make_dirty(0, 'a');
        change_unit(w, w.core->log.tail(), [&](fc_disk_log_header &h, fc_disk_log_record &) { change(h); });
        EXPECT_EQ(w.reopen_after_power_cut(), FC_E_LOG_DAMAGED);
    }
}

// The log is read twice, and more than a window of it must be for that to show.
TEST(Recovery, a_unit_that_rots_between_two_readings_is_refused) {
    int last = 0;
    for (const bool rots : {false, true}) {
        World w(shape_for_full_logs());
        for (fc_u64 block = 0; block < 150; block++) {
            w.write(block, 'a'); // whose data does not arrive
            w.complete_all([&w](const Io &io) { return io.sector < w.config.data_offset_sectors; });
        }
        w.crash();
        const fc_u64 sector = w.config.log_offset_sectors + 2;
        int readings = 0;
        w.fails = [&](const Io &io) {
            if (!io.reads() || io.dev != kCache || io.sector > sector || io.sector + io.count <= sector)
                return false;
            if (++readings == last && rots)
                *w.device[kCache].at(sector) ^= 1;
            return false;
        };
        EXPECT_EQ(w.open(), rots ? FC_E_LOG_DAMAGED : FC_OK);
        last = readings;
        ASSERT_GT(last, 1);
    }
}

TEST(Recovery, a_unit_of_an_older_epoch_ends_the_log) {
    World w;
    w.make_dirty(0, 'a');
    change_unit(w, w.core->log.tail(), [&](fc_disk_log_header &h, fc_disk_log_record &) { h.epoch--; });
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u);
}

// No superblock that is believed is older than the log: not even one that says CLEAN may be.
TEST(Recovery, a_unit_of_a_later_epoch_is_refused_wherever_it_stands) {
    for (const bool clean : {false, true})
        for (const fc_u64 ahead : {1u, 2u, 100u}) {
            World w;
            w.make_dirty(0, 'a');
            const fc_u64 sequence = w.core->log.tail() + ahead;
            if (clean)
                w.close(true);
            else
                w.power_cut();
            const auto later = [&](fc_u64 epochs) {
                change_unit(w, sequence, [&](fc_disk_log_header &h, fc_disk_log_record &) {
                    h = {.magic = FC_DISK_LOG_MAGIC, .crc = 0, .epoch = w.config.epoch + epochs, .sequence = sequence,
                         .confirmed = 0, .durable = 0, .count = 0, .reserved = 0};
                });
            };
            ASSERT_EQ(w.probe(), FC_OK);
            later(1);
            EXPECT_EQ(w.open(), FC_E_LOG_DAMAGED) << ahead;
            EXPECT_TRUE(w.logged("later epoch"));
            w.device[kCache].at(w.config.log_offset_sectors + sequence % w.config.log_units)[100] ^= 1;
            EXPECT_EQ(w.open(), clean || ahead > 1 ? FC_OK : FC_E_LOG_DAMAGED) << "not whole: no unit of ours";
        }
}

TEST(Recovery, after_an_orderly_stop_the_log_need_not_be_readable) {
    World w;
    w.make_dirty(0, 'a');
    w.close(true);
    const fc_u64 log = w.config.log_offset_sectors;
    w.fails = [log](const Io &io) { return io.reads() && io.dev == kCache && io.sector == log; };
    ASSERT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.state(0), "dirty");
    w.power_cut();
    EXPECT_EQ(w.open(), FC_EIO);
}

TEST(Recovery, a_flipped_bit_in_the_last_unit_is_refused_and_changes_nothing) {
    for (const fc_u64 bit : {3u, 40u, 100u, 200u, 400u, 4095u}) {
        World w;
        w.make_dirty(0, 'a');
        w.make_dirty(1, 'b');
        const fc_u64 sector = w.config.log_offset_sectors + (w.core->log.tail() + 1) % w.config.log_units;
        w.power_cut();
        std::string unit(w.device[kCache].at(sector), 512);
        const std::string whole = unit;
        unit[bit / 8] = static_cast<char>(unit[bit / 8] ^ 1 << bit % 8);
        w.device[kCache].write(sector, unit, true);
        EXPECT_EQ(w.open(), FC_E_LOG_DAMAGED) << bit;
        w.device[kCache].write(sector, whole, true);
        EXPECT_EQ(w.open(), FC_OK) << bit;
        EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 2u) << bit;
    }
}

TEST(Recovery, a_zeroed_unit_is_refused_once_the_log_has_gone_round) {
    for (const bool round : {false, true}) {
        World w;
        const fc_u64 target = round ? w.config.log_units + 2 : 2;
        w.close();
        w.config.log_tail = target;
        const fc::SuperblockState state = {
            .sequence = 10, .epoch = 7, .log_tail = target, .flags = FC_DISK_FLAG_CLEAN, .mode = 1, .origin_fingerprint = 0};
        alignas(4096) static char scratch[FC_SCRATCH_BYTES];
        ASSERT_EQ(fc::write_superblock(&w, w.config, state, scratch), FC_OK);
        ASSERT_EQ(w.open(), FC_OK);
        w.make_dirty(0, 'a');
        w.power_cut();
        w.device[kCache].write(w.config.log_offset_sectors + target % w.config.log_units, std::string(512, 0), true);
        EXPECT_EQ(w.open(), round ? FC_E_LOG_DAMAGED : FC_OK);
    }
}

// The first unit of the log that a load needs becomes these bytes.
void spoil_first_unit(World &w, char byte) {
    const fc_u64 first = w.core->log.tail();
    for (fc_u64 block = 0; block < 4; block++)
        w.make_dirty(block, 'a');
    w.power_cut();
    w.device[kCache].write(w.config.log_offset_sectors + first % w.config.log_units, std::string(512, byte), true);
}

TEST(Recovery, a_durable_unit_that_is_missing_is_refused) {
    World w;
    spoil_first_unit(w, '!');
    EXPECT_EQ(w.open(), FC_E_LOG_DAMAGED);
}

// A write that the device has lost leaves what was there before: here nothing.
TEST(Recovery, a_durable_unit_that_was_never_written_is_missed_by_those_behind_it) {
    World w;
    spoil_first_unit(w, 0);
    EXPECT_EQ(w.open(), FC_E_LOG_DAMAGED);
    EXPECT_TRUE(w.logged("is missing, but unit"));
}

TEST(Recovery, a_unit_that_was_never_durable_may_be_missing) {
    World w(volatile_cache());
    w.flush(kCache);
    w.finish();
    const fc_u64 first = w.core->log.tail();
    w.make_dirty(0, 'a');
    w.make_dirty(1, 'b');
    const fc_u64 second = w.config.log_offset_sectors + (first + 1) % w.config.log_units;
    w.device[kCache].flush({second}); // only the later one has reached the medium
    EXPECT_EQ(w.reopen_after_power_cut(), FC_OK);
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 0u) << "recovery stops at the first gap";
}

TEST(Recovery, a_block_that_cannot_be_read_stops_it_and_changes_nothing) {
    World w;
    w.make_dirty(0, 'a');
    const fc_u64 sector = w.data_sector(0);
    w.power_cut();
    w.fails = [sector](const Io &io) { return io.reads() && io.dev == kCache && io.sector == sector; };
    EXPECT_EQ(w.open(), FC_EIO);
    w.fails = nullptr;
    EXPECT_EQ(w.open(), FC_OK);
    EXPECT_EQ(w.read_letter(0), 'a');
}

} // namespace
