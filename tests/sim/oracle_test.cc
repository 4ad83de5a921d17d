// SPDX-License-Identifier: GPL-2.0-only
// The oracle knows which contents are legal.
#include <gtest/gtest.h>

#include "oracle.h"

namespace sim {
namespace {

class OracleTest : public testing::Test {
protected:
    void issue(uint64_t number) {
        const Sector value = Sector::user(0, number);
        oracle_.write_issued(0, 1, &value, number);
    }
    void end(uint64_t number, bool ok = true, bool persisted = false) {
        oracle_.write_ended(0, 1, number, ok, persisted);
    }
    void write(uint64_t number, bool persisted = false) {
        issue(number);
        end(number, true, persisted);
    }
    bool reads(uint64_t number, Time issued) {
        oracle_.read_dropped(issued);
        return oracle_.read_ended(0, Sector::user(0, number), issued).empty();
    }
    bool reads(uint64_t number) { return reads(number, oracle_.read_issued()); }
    void flush() { oracle_.flushed(oracle_.now()); }

    Oracle oracle_{4};
};

TEST_F(OracleTest, a_read_returns_the_last_acknowledged_write) {
    write(2);
    write(3);
    EXPECT_FALSE(reads(2));
    EXPECT_TRUE(reads(3));
}

TEST_F(OracleTest, a_read_beside_a_write_may_return_either_but_not_go_back) {
    issue(2);
    EXPECT_TRUE(reads(1));
    EXPECT_TRUE(reads(2));
    EXPECT_FALSE(reads(1));
}

TEST_F(OracleTest, a_read_that_began_before_a_write_ended_may_return_what_was_before) {
    const Time issued = oracle_.read_issued();
    write(2);
    EXPECT_TRUE(reads(1, issued));
    EXPECT_FALSE(reads(1));
}

TEST_F(OracleTest, of_two_writes_at_a_time_either_may_last_but_only_one) {
    issue(2);
    issue(3);
    end(2);
    end(3);
    EXPECT_TRUE(reads(2));
    EXPECT_FALSE(reads(3));
}

TEST_F(OracleTest, another_sectors_bytes_are_never_legal) {
    const Time issued = oracle_.read_issued();
    EXPECT_FALSE(oracle_.read_ended(0, Sector::user(1, 1), issued).empty());
}

TEST_F(OracleTest, an_unflushed_write_may_be_lost_by_a_power_cut_but_then_stays_lost) {
    write(2);
    oracle_.power_cut();
    EXPECT_TRUE(reads(1));
    EXPECT_FALSE(reads(2));
    oracle_.power_cut();
    EXPECT_FALSE(reads(2));
    EXPECT_TRUE(reads(1));
}

TEST_F(OracleTest, a_flushed_write_survives) {
    write(2);
    flush();
    oracle_.power_cut();
    EXPECT_FALSE(reads(1));
    EXPECT_TRUE(reads(2));
}

TEST_F(OracleTest, a_flush_says_nothing_of_writes_that_ended_after_its_issue) {
    issue(2);
    const Time issued = oracle_.now();
    end(2);
    oracle_.flushed(issued);
    oracle_.power_cut();
    EXPECT_TRUE(reads(1));
}

TEST_F(OracleTest, a_fua_write_survives) {
    write(2, true);
    oracle_.power_cut();
    EXPECT_FALSE(reads(1));
}

TEST_F(OracleTest, a_failed_write_decides_nothing) {
    write(2);
    issue(3);
    EXPECT_TRUE(reads(3));
    end(3, false);
    EXPECT_TRUE(reads(2));
    EXPECT_TRUE(reads(3));
    EXPECT_FALSE(reads(1));
    write(4);
    EXPECT_FALSE(reads(3));
    EXPECT_FALSE(reads(2));
}

TEST_F(OracleTest, a_write_in_flight_may_survive_a_power_cut) {
    write(2, true);
    issue(3);
    oracle_.power_cut();
    EXPECT_TRUE(reads(3));
    EXPECT_FALSE(reads(2));
}

TEST_F(OracleTest, a_restart_loses_nothing_that_was_acknowledged) {
    write(2);
    oracle_.reset();
    EXPECT_FALSE(reads(1));
    EXPECT_TRUE(reads(2));
    oracle_.power_cut();
    EXPECT_TRUE(reads(1)); // nobody has flushed
}

TEST_F(OracleTest, a_write_that_a_restart_cut_off_is_there_or_not_for_good) {
    issue(2);
    oracle_.reset();
    EXPECT_TRUE(reads(1));
    EXPECT_FALSE(reads(2));
    issue(3);
    oracle_.reset();
    EXPECT_TRUE(reads(3));
    EXPECT_FALSE(reads(1));
    flush();
    oracle_.power_cut();
    EXPECT_FALSE(reads(1));
}

TEST_F(OracleTest, a_write_that_was_cut_off_may_lie_under_one_beside_it) {
    issue(2);
    write(3);
    oracle_.reset();
    EXPECT_TRUE(reads(3));
    EXPECT_FALSE(reads(2));
    oracle_.power_cut(); // which takes the third away, as nobody has flushed
    EXPECT_TRUE(reads(2));
    EXPECT_FALSE(reads(1));
}

TEST_F(OracleTest, a_write_that_was_seen_and_then_cut_off_may_be_gone) {
    write(2);
    issue(3);
    EXPECT_TRUE(reads(3));
    EXPECT_FALSE(reads(2));
    oracle_.reset();
    EXPECT_TRUE(reads(2));
    EXPECT_FALSE(reads(1));
    EXPECT_FALSE(reads(3));
}

TEST_F(OracleTest, discarded_sectors_read_as_anything_of_their_own) {
    write(2);
    write(3);
    oracle_.discard_issued(0, 1, 4);
    oracle_.write_ended(0, 1, 4, true, false);
    EXPECT_TRUE(reads(2));
    EXPECT_TRUE(oracle_.check_current(0, Sector()).empty());
    EXPECT_FALSE(oracle_.check_current(0, Sector::user(1, 1)).empty());
}

} // namespace
} // namespace sim
