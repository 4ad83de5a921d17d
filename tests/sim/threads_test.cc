// SPDX-License-Identifier: GPL-2.0-only
// Many threads on one cache.  Each user has sectors of its own beside those that all share, so
// that neighbours meet in blocks, sets and the log, and yet everybody knows what it must read.
#include <gtest/gtest.h>

#include "rng.h"
#include "threads.h"

namespace sim {
namespace {

constexpr uint64_t kUsers = 4;
constexpr uint64_t kOriginSectors = 4096;
constexpr uint64_t kShared = 3 * kOriginSectors / 4; // from here on: everybody's

class User {
public:
    User(ThreadedOs &os, uint64_t number)
        : os_(os), number_(number), rng_(number + 1), last_(kShared) {}

    void run(int operations) {
        for (int i = 0; i < operations && ok_; i++)
            act();
    }
    bool ok() const { return ok_; }
    // What is on the origin when the cache is gone.
    bool check_origin() {
        bool same = true;
        for (uint64_t s = 0; s < kShared; s++)
            same = same && (!mine(s) || os_.origin(s) == last_[s]);
        return same;
    }

private:
    bool mine(uint64_t sector) const { return sector / 4 % kUsers == number_; } // half blocks

    void act() {
        const uint64_t kind = rng_.below(20);
        if (kind == 0)
            ok_ = ok_ && os_.flush() == FC_OK;
        else if (kind <= 3)
            share(kind == 1);
        else if (kind == 4)
            rewrite(FC_OP_WRITE_ZEROES);
        else
            kind < 12 ? rewrite(FC_OP_WRITE) : check();
    }

    // Four sectors of its own.
    uint64_t pick() { return (rng_.below(kShared / 4 / kUsers) * kUsers + number_) * 4; }

    void rewrite(int op) {
        const uint64_t first = pick();
        Sector data[4];
        for (uint64_t i = 0; i < 4 && op == FC_OP_WRITE; i++)
            data[i] = Sector::user(first + i, ++writes_);
        ok_ = ok_ && os_.request(op, first, 4, op == FC_OP_WRITE ? data : nullptr,
                                 rng_.one_in(10)) == FC_OK;
        std::copy(data, data + 4, last_.begin() + static_cast<long>(first));
    }

    void check() {
        const uint64_t first = rng_.below(kShared - 64), count = rng_.between(1, 64);
        std::vector<Sector> data(count, Sector::user(0, 0));
        ok_ = ok_ && os_.request(FC_OP_READ, first, count, data.data()) == FC_OK;
        for (uint64_t i = 0; i < count; i++)
            if (mine(first + i))
                ok_ = ok_ && data[i] == last_[first + i];
    }

    void share(bool write) {
        const uint64_t first = rng_.between(kShared, kOriginSectors - 100),
                       count = rng_.between(1, 100);
        std::vector<Sector> data(count, Sector::user(0, 0));
        for (uint64_t i = 0; i < count && write; i++)
            data[i] = Sector::user(first + i, ++writes_);
        ok_ = ok_ &&
              os_.request(write ? FC_OP_WRITE : FC_OP_READ, first, count, data.data()) == FC_OK;
        for (uint64_t i = 0; i < count && !write; i++)
            ok_ = ok_ && (data[i].is_zero() || data[i].origin_sector() == first + i);
    }

    ThreadedOs &os_;
    uint64_t number_;
    Rng rng_;
    std::vector<Sector> last_;
    uint64_t writes_ = 0;
    bool ok_ = true;
};

fc_config plan() {
    fc_config c = {};
    c.origin_sectors = kOriginSectors;
    c.unit_bytes = 512;
    c.block_sectors = 8;
    c.ways_per_set = 16;
    c.extent_blocks = 4;
    c.mode = FC_MODE_WRITE_BACK;
    c.cache_volatile = 1;
    c.origin_volatile = 1;
    c.cache_sectors_wanted = 8 * 16 * 8;
    c.cache_device_sectors = c.cache_sectors_wanted + 4096;
    EXPECT_EQ(fc_core_plan(&c), FC_OK);
    return c;
}

class ThreadsTest : public testing::TestWithParam<unsigned int> {};

TEST_P(ThreadsTest, users_read_what_they_wrote_while_the_cache_is_cleaned_and_watched) {
    ThreadedOs os(plan());
    ASSERT_EQ(os.start(GetParam()), FC_OK);
    std::vector<User> users;
    for (uint64_t i = 0; i < kUsers; i++)
        users.emplace_back(os, i);
    for (int round = 0; round < 4; round++) {
        std::vector<std::thread> threads;
        for (User &user : users)
            threads.emplace_back([&user] { user.run(400); });
        for (int i = 0; i < 5; i++) {
            fc_core_start_sync(os.core());
            for (int gauge = 0; gauge < FC_NR_GAUGES; gauge++)
                fc_core_gauge(os.core(), gauge);
            fc_core_tune(os.core(), FC_TUNE_DIRTY_THRESH_PCT, 20 + 10 * i);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        for (std::thread &thread : threads)
            thread.join();
        EXPECT_EQ(fc_core_gauge(os.core(), FC_GAUGE_WAITING), 0u);
        ASSERT_EQ(fc_core_suspend(os.core()), FC_OK);
        fc_core_resume(os.core());
        if (round == 1) {
            ASSERT_EQ(os.stop(true), FC_OK);
            ASSERT_EQ(os.start(GetParam()), FC_OK);
        }
    }
    ASSERT_EQ(os.stop(false), FC_OK);
    for (User &user : users) {
        EXPECT_TRUE(user.ok());
        EXPECT_TRUE(user.check_origin());
    }
    EXPECT_EQ(os.contradictions, 0);
}

INSTANTIATE_TEST_SUITE_P(Modes, ThreadsTest,
                         testing::Values(FC_MODE_WRITE_BACK, FC_MODE_WRITE_THROUGH,
                                         FC_MODE_WRITE_AROUND, FC_MODE_WRITE_ONLY));

} // namespace
} // namespace sim
