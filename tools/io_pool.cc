// SPDX-License-Identifier: GPL-2.0-only
#include "io_pool.h"

#include <utility>

namespace tools {

IoPool::IoPool(unsigned threads) {
    for (unsigned i = 0; i < threads; i++)
        threads_.emplace_back([this] { serve(); });
}

IoPool::~IoPool() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    started_.notify_all();
    for (std::thread &thread : threads_)
        thread.join();
}

void IoPool::start(Work work, End end) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({std::move(work), std::move(end)});
        unfinished_++;
    }
    started_.notify_one();
}

void IoPool::serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
        started_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
        if (waiting_.empty())
            return;
        Item item = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        item.result = item.work();
        lock.lock();
        done_.push_back(std::move(item));
        done_changed_.notify_one();
    }
}

void IoPool::run_ends(std::chrono::milliseconds longest) {
    std::deque<Item> done;
    {
        std::unique_lock lock(mutex_);
        done_changed_.wait_for(lock, longest, [this] { return !done_.empty(); });
        done.swap(done_);
        unfinished_ -= static_cast<unsigned>(done.size());
    }
    for (const Item &item : done)
        item.end(item.result);
}

bool IoPool::idle() const {
    const std::lock_guard lock(mutex_);
    return unfinished_ == 0;
}

} // namespace tools
