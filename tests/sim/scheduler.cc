// SPDX-License-Identifier: GPL-2.0-only
#include "scheduler.h"

#include <algorithm>

namespace sim {

void Scheduler::fail(const std::string &what, uint64_t sector) {
    if (!Fiber::current())
        throw Failure{what, sector};
    failed_ = true;
    failure_ = {what, sector};
    for (;;)
        Fiber::yield();
}

void Scheduler::after_switch(Fiber *fiber) {
    if (failed_)
        throw failure_;
    if (!fiber->finished())
        return;
    if (fiber->locks_held)
        fail("a lock is still held at the end of a call");
    pool_.put(fiber);
}

void Scheduler::call(Context context, std::function<void()> body) {
    Fiber *fiber = pool_.get();
    fiber->may_submit = context != Context::kInterrupt;
    fiber->may_sleep = context == Context::kTask;
    fiber->local = nullptr;
    fiber->start(std::move(body));
    after_switch(fiber);
}

void Scheduler::resume(size_t i) {
    Fiber *fiber = runnable_[i];
    runnable_[i] = runnable_.back();
    runnable_.pop_back();
    fiber->resume();
    after_switch(fiber);
}

void Scheduler::check_may_submit(const char *what) {
    if (!Fiber::current()->may_submit)
        fail(std::string(what) + ": called where nothing may be submitted");
    check_unlocked(what);
}

void Scheduler::check_may_sleep(const char *what) {
    if (!Fiber::current()->may_sleep)
        fail(std::string(what) + ": called where nobody may sleep");
    check_unlocked(what);
}

void Scheduler::check_unlocked(const char *what) {
    if (Fiber::current()->locks_held)
        fail(std::string(what) + ": called with a lock held");
}

void Scheduler::preempt() {
    if (!profile_.preempt_per_mille || !rng_.preempts(profile_.preempt_per_mille))
        return;
    runnable_.push_back(Fiber::current());
    Fiber::yield();
}

void Scheduler::wait_until(std::function<bool()> condition) {
    operator_ = Fiber::current();
    condition_ = std::move(condition);
    Fiber::yield();
}

void Scheduler::resume_operator() {
    Fiber *fiber = operator_;
    operator_ = nullptr;
    fiber->resume();
    after_switch(fiber);
}

void Scheduler::sleep(uint64_t us, bool until_wake) {
    sleepers_.push_back({Fiber::current(), now_us_ + us, until_wake});
    Fiber::yield();
}

void Scheduler::wake() {
    for (size_t i = 0; i < sleepers_.size();) {
        if (!sleepers_[i].until_wake) {
            i++;
            continue;
        }
        runnable_.push_back(sleepers_[i].fiber);
        sleepers_.erase(sleepers_.begin() + static_cast<long>(i));
    }
}

Scheduler::LockClass Scheduler::lock_class(unsigned int lock) {
    return lock < FC_LOCK_SETS ? kSet : static_cast<LockClass>(kLog + lock - FC_LOCK_LOG);
}

// No two locks of a kind at once, and no two kinds in both orders.
void Scheduler::check_lock_order(unsigned int lock) {
    if (lock >= FC_NR_LOCKS)
        fail("a lock that does not exist: " + std::to_string(lock));
    if (!Fiber::current()->locks_held)
        return;
    const LockClass inner = lock_class(lock);
    for (unsigned int held = 0; held < FC_NR_LOCKS; held++) {
        if (lock_owner_[held] != Fiber::current())
            continue;
        const LockClass outer = lock_class(held);
        if (outer == inner)
            fail("two locks of one kind: " + std::to_string(held) + " and " + std::to_string(lock));
        lock_order_[outer][inner] = true;
        if (lock_order_[inner][outer])
            fail("locks taken in both orders: " + std::to_string(held) + ", " +
                 std::to_string(lock));
    }
}

void Scheduler::lock(unsigned int lock) {
    check_lock_order(lock);
    preempt();
    while (lock_owner_[lock]) {
        runnable_.push_back(Fiber::current());
        Fiber::yield();
    }
    lock_owner_[lock] = Fiber::current();
    Fiber::current()->locks_held++;
}

void Scheduler::unlock(unsigned int lock) {
    if (lock >= FC_NR_LOCKS || lock_owner_[lock] != Fiber::current())
        fail("unlock of a lock that is not held: " + std::to_string(lock));
    lock_owner_[lock] = nullptr;
    Fiber::current()->locks_held--;
    preempt();
}

void Scheduler::kick(unsigned int work, uint64_t delay_ms) {
    if (work >= FC_NR_WORKS)
        fail("work that does not exist: " + std::to_string(work));
    const uint64_t due_us = now_us_ + delay_ms * 1000;
    Work &w = works_[work];
    if (w.scheduled && w.due_us <= due_us)
        return;
    w.scheduled = true;
    w.due_us = due_us;
}

size_t Scheduler::due_works() const {
    return static_cast<size_t>(
        std::count_if(std::begin(works_), std::end(works_), [&](const Work &w) {
            return w.scheduled && !w.running && w.due_us <= now_us_;
        }));
}

bool Scheduler::works_running() const {
    return std::any_of(std::begin(works_), std::end(works_),
                       [](const Work &w) { return w.running; });
}

void Scheduler::cancel_works() {
    for (Work &w : works_)
        w.scheduled = false;
}

void Scheduler::run_due_work(size_t nth, const WorkBody &body) {
    for (unsigned int i = 0; i < FC_NR_WORKS; i++) {
        const Work &w = works_[i];
        if (w.scheduled && !w.running && w.due_us <= now_us_ && nth-- == 0) {
            run_work(i, body);
            return;
        }
    }
}

void Scheduler::run_work(unsigned int work, const WorkBody &body) {
    works_[work].scheduled = false;
    works_[work].running = true;
    call(Context::kTask, [this, work, &body] {
        const unsigned int again_ms = body(work);
        works_[work].running = false;
        if (again_ms)
            kick(work, again_ms);
    });
}

// The earliest date in the future that anybody waits for.
bool Scheduler::advance_to_next_date(uint64_t most_us) {
    uint64_t next = ~0ull;
    for (const Work &w : works_)
        if (w.scheduled && !w.running)
            next = std::min(next, w.due_us);
    for (const Sleeper &s : sleepers_)
        next = std::min(next, s.until_us);
    if (next == ~0ull || next > now_us_ + most_us)
        return false;
    now_us_ = std::max(now_us_, next);
    pass_dates();
    return true;
}

bool Scheduler::date_ahead() const {
    return !sleepers_.empty() ||
           std::any_of(std::begin(works_), std::end(works_), [&](const Work &w) {
               return w.scheduled && !w.running && w.due_us > now_us_;
           });
}

void Scheduler::pass_dates() {
    for (size_t i = 0; i < sleepers_.size();) {
        if (sleepers_[i].until_us > now_us_) {
            i++;
            continue;
        }
        runnable_.push_back(sleepers_[i].fiber);
        sleepers_.erase(sleepers_.begin() + static_cast<long>(i));
    }
}

void Scheduler::abandon() {
    pool_.abandon_all();
    runnable_.clear();
    sleepers_.clear();
    operator_ = nullptr;
    for (Work &w : works_)
        w = {};
    for (Fiber *&owner : lock_owner_)
        owner = nullptr;
}

} // namespace sim
