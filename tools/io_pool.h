// SPDX-License-Identifier: GPL-2.0-only
//
// Several blocking I/Os at a time: threads do them, and whoever started them runs what comes after.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tools {

inline constexpr unsigned kDiskDepth = 16; // I/Os at a time: what a disk can still sort

class IoPool {
public:
    using Work = std::function<int()>;     // on a thread of the pool; returns errno or 0
    using End = std::function<void(int)>;  // by run_ends(), with what the work returned

    explicit IoPool(unsigned threads);
    IoPool(const IoPool &) = delete;
    IoPool &operator=(const IoPool &) = delete;
    ~IoPool(); // lets the work that was started end; its ends are not run

    void start(Work work, End end);
    // Runs the ends of what is done; if nothing is, waits for it, but not longer than this.
    void run_ends(std::chrono::milliseconds longest);
    bool idle() const; // nothing started whose end has not run

private:
    struct Item {
        Work work;
        End end;
        int result = 0;
    };
    void serve();

    mutable std::mutex mutex_;
    std::condition_variable started_;
    std::condition_variable done_changed_;
    std::deque<Item> waiting_;
    std::deque<Item> done_;
    unsigned unfinished_ = 0;
    bool closing_ = false;
    std::vector<std::thread> threads_;
};

} // namespace tools
