// SPDX-License-Identifier: GPL-2.0-only
// Fibers, locks, background work and virtual time.
//
// Every call into the core runs on a fiber.  A fiber may be preempted where the core takes or
// releases a lock, so that other CPUs are played by other fibers.  What the core is allowed to do
// in a context is checked here.
#ifndef FLASHCACHE_TESTS_SIM_SCHEDULER_H
#define FLASHCACHE_TESTS_SIM_SCHEDULER_H

#include <functional>
#include <string>
#include <vector>

#include "abi.h"
#include "fiber.h"
#include "profile.h"
#include "rng.h"

namespace sim {

class StateHash;

struct Failure {
    std::string what;
    uint64_t sector; // ~0: none in particular
};

class Scheduler {
public:
    Scheduler(const Profile &profile, Rng &rng) : profile_(profile), rng_(rng) {}

    // End the run.  Never returns: from a fiber it hands the failure to the main loop.
    [[noreturn]] void fail(const std::string &what, uint64_t sector = ~0ull);

    enum class Context { kInterrupt, kMap, kTask };
    void call(Context context, std::function<void()> body);
    void check_may_submit(const char *what);
    void check_may_sleep(const char *what);
    void check_unlocked(const char *what);

    // From inside of a fiber.
    void preempt();
    void park() { Fiber::yield(); }                   // until make_runnable()
    void wait_until(std::function<bool()> condition); // the operator's only
    void sleep(uint64_t us, bool until_wake);         // a wake-up may also end it
    void make_runnable(Fiber *fiber) { runnable_.push_back(fiber); }
    void wake();

    void lock(unsigned int lock);
    void unlock(unsigned int lock);

    void kick(unsigned int work, uint64_t delay_ms);
    // @body: by kind of work; returns the delay in ms of the next call, 0: none.
    using WorkBody = std::function<unsigned int(unsigned int)>;
    void run_due_work(size_t nth, const WorkBody &body);
    size_t due_works() const;
    bool works_running() const;
    void cancel_works();

    size_t runnable() const { return runnable_.size(); }
    void resume(size_t i); // the @i-th runnable fiber
    bool operator_ready() const { return operator_ && condition_(); }
    bool operator_waits() const { return operator_ != nullptr; }
    void resume_operator();

    uint64_t now_us() const { return now_us_; }
    void tick() { now_us_ += 1 + rng_.below(profile_.tick_us); }
    // To the next date anybody waits for; false if there is none, or none so soon.
    bool advance_to_next_date(uint64_t most_us = 1ull << 60);
    void pass_dates();
    bool date_ahead() const; // does anybody wait for one?

    void know_fibers(StateHash &hash) const;
    void add_state(StateHash &hash) const;

    // Power was cut: nothing that ran goes on.
    void abandon();

private:
    struct Work {
        bool scheduled = false;
        bool running = false;
        uint64_t due_us = 0;
    };
    struct Sleeper {
        Fiber *fiber;
        uint64_t until_us;
        bool until_wake;
    };
    enum LockClass { kSet, kLog, kQueue, kWriteback, kLockClasses };

    void after_switch(Fiber *fiber);
    void run_work(unsigned int work, const WorkBody &body);
    void check_lock_order(unsigned int lock);
    static LockClass lock_class(unsigned int lock);

    const Profile &profile_;
    Rng &rng_;
    FiberPool pool_;
    std::vector<Fiber *> runnable_;
    std::vector<Sleeper> sleepers_;
    Fiber *operator_ = nullptr;
    std::function<bool()> condition_;
    Work works_[FC_NR_WORKS];
    Fiber *lock_owner_[FC_NR_LOCKS] = {};
    bool lock_order_[kLockClasses][kLockClasses] = {};
    uint64_t now_us_ = 1000000;
    bool failed_ = false;
    Failure failure_{};
};

} // namespace sim

#endif
