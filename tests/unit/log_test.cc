// SPDX-License-Identifier: GPL-2.0-only
//
// The log by itself: its stages, its units, its room.
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

#include "alone.h"
#include "world.h"

namespace {

class Log : public ::testing::Test {
protected:
    explicit Log(bool is_volatile = false) {
        config_ = world_.config;
        config_.cache_volatile = is_volatile;
        memory_.assign(fc::Log::memory_bytes() / 8, 0);
        log_.init(&world_, config_, reinterpret_cast<char *>(memory_.data()));
        log_.start(5, 100);
    }

    // A job whose n DIRTY (or CLEAN) records are in the batch that fills.
    fc_job &append(fc::u32 n, fc::u32 state = FC_DISK_DIRTY, unsigned char flags = 0) FC_REQUIRES(fc::log_lock) {
        jobs_.push_back({});
        fc_job &job = jobs_.back();
        job.flags = flags;
        for (fc::u32 i = 0; i < n; i++)
            log_.add({slot_++, state, 0x1234, 77});
        log_.attach(job, state == FC_DISK_DIRTY ? n : 0);
        return job;
    }
    // One write of the log; returns the jobs that are told.
    std::vector<fc_job *> write(int status = FC_OK) FC_REQUIRES(fc::log_lock) {
        std::vector<fc_job *> told;
        EXPECT_TRUE(log_.prepare_write());
        world_.ios.clear();
        log_.write();
        fc_job *done = nullptr;
        const std::vector<Io> ios = world_.ios;
        for (const Io &io : ios) {
            if (!status)
                world_.device[0].write(io.sector, std::string(static_cast<char *>(io.buffer), io.count * 512), true);
            failed_ = false;
            log_.write_done(status, done, failed_);
        }
        for (; done; done = done->log_next)
            told.push_back(done);
        return told;
    }
    void append_and_arrive() FC_REQUIRES(fc::log_lock) {
        fc_job &job = append(29);
        write();
        log_.data_arrived(job.log_sequence);
    }
    void fill_to_confirmation() FC_REQUIRES(fc::log_lock) {
        while (!log_.settle_wanted()) {
            ASSERT_TRUE(log_.has_room(29, false));
            append_and_arrive();
        }
    }
    bool settles() FC_REQUIRES(fc::log_lock) {
        fc::u32 first, n;
        const bool yes = log_.next_to_settle(first, n);
        if (yes)
            log_.settled();
        return yes;
    }
    // The job's data arrives; what that confirms is written, if there is room.
    void arrive_and_confirm(fc_job &job) FC_REQUIRES(fc::log_lock) {
        log_.data_arrived(job.log_sequence);
        log_.want_confirm();
        if (!log_.prepare_write())
            return;
        log_.write();
        fc_job *done = nullptr;
        log_.write_done(FC_OK, done, failed_);
        world_.ios.clear();
    }
    const fc_disk_log_header &unit(fc_u64 sequence) {
        return *reinterpret_cast<fc_disk_log_header *>(
            world_.device[0].at(config_.log_offset_sectors + sequence % config_.log_units));
    }

    World world_;
    fc_config config_;
    std::vector<fc_u64> memory_;
    fc::Log log_ = {};
    std::deque<fc_job> jobs_;
    fc::u32 slot_ = 0;
    bool failed_ = false;
};

class VolatileLog : public Log {
protected:
    VolatileLog() : Log(true) {}
};

TEST_F(Log, writes_nothing_if_there_is_nothing_to_write) {
    const Alone alone;
    EXPECT_FALSE(log_.prepare_write());
    EXPECT_TRUE(log_.idle());
    EXPECT_TRUE(log_.all_settled());
}

TEST_F(Log, writes_units_that_say_what_they_are) {
    const Alone alone;
    append(30); // 29 fit into a unit of 512 bytes
    write();
    EXPECT_EQ(unit(100).magic, FC_DISK_LOG_MAGIC);
    EXPECT_EQ(unit(100).epoch, 5u);
    EXPECT_EQ(unit(100).sequence, 100u);
    EXPECT_EQ(unit(100).count, 29u);
    EXPECT_EQ(unit(101).sequence, 101u);
    EXPECT_EQ(unit(101).count, 1u);
    EXPECT_EQ(unit(100).confirmed, 99u);
    const auto *record = reinterpret_cast<const fc_disk_log_record *>(&unit(100) + 1);
    EXPECT_EQ(record[3].slot, 3u);
    EXPECT_EQ(record[3].data_crc, 0x1234u);
    EXPECT_EQ(record[3].origin_block_state, 77 | static_cast<fc_u64>(FC_DISK_DIRTY) << 56);
}

TEST_F(Log, gathers_while_a_write_is_in_flight) {
    const Alone alone;
    fc_job &first = append(1);
    ASSERT_TRUE(log_.prepare_write());
    log_.write();
    append(1);
    append(1);
    EXPECT_FALSE(log_.prepare_write()) << "one at a time";
    fc_job *done = nullptr;
    EXPECT_TRUE(log_.write_done(FC_OK, done, failed_));
    EXPECT_EQ(done, &first);
    EXPECT_EQ(write().size(), 2u) << "group commit";
    EXPECT_EQ(log_.next_sequence(), 102u);
}

TEST_F(Log, wraps_around_with_two_ios) {
    const Alone alone;
    log_.start(5, config_.log_units * 3 - 1);
    append(40);
    ASSERT_TRUE(log_.prepare_write());
    world_.ios.clear();
    log_.write();
    ASSERT_EQ(world_.ios.size(), 2u);
    EXPECT_EQ(world_.ios[0].sector, config_.log_offset_sectors + config_.log_units - 1);
    EXPECT_EQ(world_.ios[1].sector, config_.log_offset_sectors);
    fc_job *done = nullptr;
    EXPECT_FALSE(log_.write_done(FC_OK, done, failed_));
    EXPECT_TRUE(log_.write_done(FC_OK, done, failed_));
    world_.ios.clear();
}

TEST_F(Log, rule_2_confirms_a_record_only_when_its_data_has_arrived) {
    const Alone alone;
    fc_job &job = append(1);
    write();
    log_.want_confirm();
    EXPECT_FALSE(log_.prepare_write()) << "nothing to confirm yet";
    append(1);
    write();
    EXPECT_EQ(unit(101).confirmed, 99u);
    log_.data_arrived(job.log_sequence);
    write();
    EXPECT_EQ(unit(102).confirmed, 100u) << "the second one's has not arrived";
}

TEST_F(Log, rule_2_confirms_no_record_behind_one_whose_data_is_missing) {
    const Alone alone;
    fc_job &first = append(1);
    write();
    fc_job &second = append(1);
    write();
    log_.data_arrived(second.log_sequence);
    log_.want_confirm();
    EXPECT_FALSE(log_.prepare_write());
    log_.data_arrived(first.log_sequence);
    write();
    EXPECT_EQ(unit(102).confirmed, 101u);
}

TEST_F(Log, rule_3_settles_dirty_records_only_when_the_confirmation_is_written) {
    const Alone alone;
    fc_job &job = append(1);
    write();
    log_.data_arrived(job.log_sequence);
    EXPECT_FALSE(settles());
    log_.want_confirm();
    ASSERT_TRUE(log_.prepare_write());
    world_.ios.clear();
    log_.write();
    EXPECT_FALSE(settles()) << "it is only in flight";
    fc_job *done = nullptr;
    log_.write_done(FC_OK, done, failed_);
    EXPECT_TRUE(settles());
    EXPECT_EQ(log_.settled_sequence(), 100u);
    world_.ios.clear();
}

TEST_F(Log, settles_clean_records_when_memory_agrees) {
    const Alone alone;
    fc_job &job = append(1, FC_DISK_CLEAN, fc::kLogDurable);
    write();
    EXPECT_FALSE(settles());
    log_.applied(job);
    EXPECT_TRUE(settles());
    EXPECT_TRUE(log_.all_settled());
}

TEST_F(Log, retries_a_failed_write_once_at_the_same_place) {
    const Alone alone;
    append(1);
    EXPECT_TRUE(write(FC_EIO).empty());
    EXPECT_FALSE(failed_);
    EXPECT_EQ(write().size(), 1u);
    EXPECT_EQ(unit(100).sequence, 100u);
    EXPECT_EQ(log_.next_sequence(), 101u);
}

TEST_F(Log, fails_for_good_after_the_second_failure_and_tells_everybody) {
    const Alone alone;
    append(1);
    write(FC_EIO);
    append(1);
    EXPECT_EQ(write(FC_EIO).size(), 2u) << "also what has gathered";
    EXPECT_TRUE(failed_);
    EXPECT_TRUE(log_.failed());
    EXPECT_FALSE(log_.prepare_write());
}

TEST_F(Log, keeps_room_for_urgent_records) {
    const Alone alone;
    fc::u32 written = 0;
    for (; log_.has_room(29, false); written++) {
        append(29);
        write();
    }
    EXPECT_EQ(written, config_.log_units - fc::kLogReserveUnits);
    EXPECT_TRUE(log_.has_room(29, true));
    log_.move_tail(110);
    EXPECT_TRUE(log_.has_room(29, false)) << "after a checkpoint";
}

TEST_F(Log, never_writes_over_units_that_recovery_needs) {
    const Alone alone;
    while (log_.has_room(29, true)) {
        append(29, FC_DISK_INVALID);
        write();
    }
    EXPECT_LE(log_.used_units(), log_.capacity());
}

TEST_F(Log, asks_for_a_confirmation_before_it_is_full) {
    const Alone alone;
    fill_to_confirmation();
    EXPECT_LE(log_.used_units(), log_.capacity() / 4 + 2);
}

TEST_F(Log, asks_for_the_next_confirmation_when_one_is_done) {
    const Alone alone;
    log_.set_volatile();
    fill_to_confirmation();
    const fc::FlushTicket first = log_.flush_ticket();
    for (int i = 0; i < 5; i++) // while the flush goes on
        append_and_arrive();
    log_.flushed(first);
    append_and_arrive(); // its unit confirms
    log_.flushed(log_.flush_ticket());
    EXPECT_FALSE(log_.confirm_pending());
    EXPECT_TRUE(settles());
}

TEST_F(Log, forgotten_records_have_no_slot) {
    const Alone alone;
    fc_job &job = append(3);
    log_.forget_records(job, 3);
    for (fc::u32 i = 0; i < 3; i++)
        EXPECT_EQ(log_.slot_at(job.batch + i), fc::kNoSlot);
}

// With the largest log it is not the units that run out.
TEST_F(Log, has_no_room_for_more_batches_than_its_ring_holds) {
    const Alone alone;
    config_.log_units = 65536;
    log_.init(&world_, config_, reinterpret_cast<char *>(memory_.data()));
    while (log_.has_room(1, false)) {
        ASSERT_LT(log_.unsettled(), fc::kLogBatches);
        append(1);
        write();
    }
    EXPECT_LE(log_.unsettled() + fc::kLogReserveBatches, fc::kLogBatches);
    while (log_.has_room(1, true)) {
        ASSERT_LT(log_.unsettled(), fc::kLogBatches);
        append(1, FC_DISK_INVALID);
        write();
    }
    for (std::size_t i = 0; i < 10; i++) { // each confirmation takes a place, too
        arrive_and_confirm(jobs_[i]);
        ASSERT_LT(log_.unsettled(), fc::kLogBatches);
    }
}

TEST_F(Log, has_no_room_for_more_slots_than_its_ring_holds) {
    const Alone alone;
    constexpr fc::u32 kAtOnce = 29 * 32; // as many as a batch holds
    config_.log_units = 65536;
    log_.init(&world_, config_, reinterpret_cast<char *>(memory_.data()));
    fc::u32 records = 0;
    for (; log_.has_room(kAtOnce, false); records += kAtOnce) {
        ASSERT_LE(records + kAtOnce, fc::kLogSlots);
        append(kAtOnce);
        write();
    }
    EXPECT_GT(records + kAtOnce, fc::kLogSlots);
    for (fc::u32 i = 0; i < records; i++)
        ASSERT_EQ(log_.slot_at(i), i);
}

// One job's data arrives after the other's, and each confirmation takes a unit.
TEST_F(Log, confirms_nothing_over_its_tail) {
    const Alone alone;
    while (log_.has_room(29, false)) {
        append(29);
        write();
    }
    for (fc_job &job : jobs_) {
        arrive_and_confirm(job);
        ASSERT_LE(log_.used_units(), log_.capacity());
    }
    EXPECT_EQ(log_.used_units(), log_.capacity());
    EXPECT_TRUE(log_.too_full_to_confirm());
}

TEST_F(Log, a_write_that_ends_after_it_has_failed_counts_no_more) {
    const Alone alone;
    for (const int status : {FC_OK, FC_EIO}) {
        log_ = {};
        log_.init(&world_, config_, reinterpret_cast<char *>(memory_.data()));
        log_.start(5, 100);
        fc_job &job = append(1);
        write();
        log_.data_arrived(job.log_sequence);
        log_.want_confirm();
        ASSERT_TRUE(log_.prepare_write()); // the confirmation
        world_.ios.clear();
        log_.write();
        log_.fail();
        fc_job *done = nullptr;
        log_.write_done(status, done, failed_);
        EXPECT_EQ(done, nullptr);
        EXPECT_TRUE(log_.confirm_pending()) << "nobody knows whether it has arrived";
        EXPECT_FALSE(log_.write_pending()) << "a suspend would wait for ever";
        world_.ios.clear();
    }
}

// ---- with a volatile write cache

TEST_F(VolatileLog, rule_5_a_completed_write_is_not_durable) {
    const Alone alone;
    fc_job &job = append(1, FC_DISK_CLEAN, fc::kLogDurable);
    EXPECT_TRUE(write().empty());
    EXPECT_TRUE(log_.flush_wanted());
    const fc::FlushTicket ticket = log_.flush_ticket();
    EXPECT_EQ(log_.flushed(ticket), &job);
    EXPECT_FALSE(log_.flush_wanted());
}

TEST_F(VolatileLog, rule_5_a_flush_covers_what_was_complete_when_it_was_issued) {
    const Alone alone;
    const fc::FlushTicket early = log_.flush_ticket();
    append(1, FC_DISK_CLEAN, fc::kLogDurable);
    write();
    EXPECT_EQ(log_.flushed(early), nullptr);
    EXPECT_TRUE(log_.flush_wanted());
}

TEST_F(VolatileLog, rule_5_data_that_arrives_after_the_flush_was_issued_is_not_confirmed_by_it) {
    const Alone alone;
    fc_job &job = append(1);
    write();
    const fc::FlushTicket early = log_.flush_ticket();
    log_.data_arrived(job.log_sequence);
    log_.flushed(early);
    append(1);
    write();
    EXPECT_EQ(unit(101).confirmed, 99u);
    log_.flushed(log_.flush_ticket());
    append(1);
    write();
    EXPECT_EQ(unit(102).confirmed, 100u);
}

// A flush in front of the write that confirms would not do: one of somebody else's may fail, and ours
// behind it end well.
TEST_F(VolatileLog, rule_2_confirms_durably_when_a_flush_has_ended_well) {
    const Alone alone;
    fc_job &job = append(1);
    write();
    EXPECT_EQ(world_.ios[0].flags, 0u);
    log_.data_arrived(job.log_sequence);
    EXPECT_FALSE(log_.flush_wanted());
    log_.want_confirm();
    EXPECT_FALSE(log_.prepare_write()) << "nothing to confirm yet";
    EXPECT_TRUE(log_.flush_wanted());
    log_.flushed(log_.flush_ticket());
    EXPECT_FALSE(log_.flush_wanted());
    write();
    EXPECT_EQ(world_.ios[0].flags, FC_IO_FUA);
    EXPECT_EQ(unit(101).confirmed, 100u);
    EXPECT_TRUE(settles());
}

TEST_F(VolatileLog, a_confirmation_behind_units_that_are_not_durable_is_flushed) {
    const Alone alone;
    fc_job &job = append(1);
    write();
    log_.data_arrived(job.log_sequence);
    log_.want_confirm();
    const fc::FlushTicket ticket = log_.flush_ticket();
    append(1);
    write();
    log_.flushed(ticket);
    write();
    EXPECT_EQ(world_.ios[0].flags, 0u) << "the unit before it may be lost, and it with that";
    EXPECT_FALSE(settles());
    EXPECT_FALSE(log_.prepare_write()) << "once is enough";
    EXPECT_TRUE(log_.flush_wanted());
    log_.flushed(log_.flush_ticket());
    EXPECT_FALSE(log_.flush_wanted());
    EXPECT_TRUE(settles());
}

TEST_F(VolatileLog, a_confirmation_without_a_flush_counts_when_it_is_flushed) {
    const Alone alone;
    fc_job &job = append(1);
    write();
    log_.data_arrived(job.log_sequence);
    log_.flushed(log_.flush_ticket());
    fc_job &next = append(1);
    write(); // carries the confirmation, volatile
    EXPECT_FALSE(settles());
    log_.flushed(log_.flush_ticket());
    EXPECT_TRUE(settles());
    log_.data_arrived(next.log_sequence);
}

TEST_F(VolatileLog, fua_waits_for_a_flush_only_if_earlier_units_are_volatile) {
    const Alone alone;
    append(1, FC_DISK_DIRTY, fc::kLogFua);
    write();
    EXPECT_EQ(world_.ios[0].flags, FC_IO_FUA);
    EXPECT_FALSE(log_.flush_wanted());
    append(1);
    write();
    fc_job &job = append(1, FC_DISK_DIRTY, fc::kLogFua);
    write();
    EXPECT_EQ(world_.ios[0].flags, 0u);
    EXPECT_TRUE(log_.flush_wanted());
    EXPECT_EQ(log_.flushed(log_.flush_ticket()), &job);
}

} // namespace
