// SPDX-License-Identifier: GPL-2.0-only
#include "io_pool.h"

#include <atomic>
#include <vector>

#include <gtest/gtest.h>

namespace tools::test {
namespace {

using std::chrono::milliseconds;

TEST(IoPoolTest, every_end_is_run_once_with_its_result_by_who_asks) {
    IoPool pool(8);
    const auto here = std::this_thread::get_id();
    std::vector<int> results(1000, -1);
    for (int i = 0; i < 1000; i++)
        pool.start([i] { return i; },
                   [&, i](int result) {
                       EXPECT_EQ(std::this_thread::get_id(), here);
                       EXPECT_EQ(results[static_cast<std::size_t>(i)], -1);
                       results[static_cast<std::size_t>(i)] = result;
                   });
    while (!pool.idle())
        pool.run_ends(milliseconds(1000));
    for (int i = 0; i < 1000; i++)
        EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
}

TEST(IoPoolTest, works_at_several_things_at_a_time) {
    IoPool pool(2);
    std::atomic<int> arrived = 0;
    const auto meet = [&arrived] {
        arrived++;
        while (arrived < 2)
            std::this_thread::yield();
        return 0;
    };
    pool.start(meet, [](int) {});
    pool.start(meet, [](int) {});
    while (!pool.idle())
        pool.run_ends(milliseconds(1000));
    EXPECT_EQ(arrived, 2);
}

TEST(IoPoolTest, an_end_may_start_more) {
    IoPool pool(1);
    int left = 5;
    std::function<void(int)> again = [&](int) {
        if (--left != 0)
            pool.start([] { return 0; }, again);
    };
    pool.start([] { return 0; }, again);
    while (!pool.idle())
        pool.run_ends(milliseconds(1000));
    EXPECT_EQ(left, 0);
}

TEST(IoPoolTest, waits_no_longer_than_it_is_told) {
    IoPool pool(1);
    pool.run_ends(milliseconds(1));
    EXPECT_TRUE(pool.idle());
}

} // namespace
} // namespace tools::test
