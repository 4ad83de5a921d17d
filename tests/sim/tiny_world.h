// SPDX-License-Identifier: GPL-2.0-only
// A world with a few blocks and a few operations, in which somebody else (explorer.h) says what
// happens next.
//
// Where the order of two things cannot matter (an I/O takes effect long before it completes, and
// nobody else is at its sectors), only one is offered.  Time stands still while anything can
// happen, but for as many early dates as the scenario allows.
#ifndef FLASHCACHE_TESTS_SIM_TINY_WORLD_H
#define FLASHCACHE_TESTS_SIM_TINY_WORLD_H

#include "world.h"

namespace sim {

enum class TinyKind {
    kRead,
    kWrite,
    kDiscard,
    kWriteZeroes,
    kFlush,
    kSync,       // write back everything
    kCheckpoint, // now
    kSetMode,    // suspend, another mode (sector), resume
    kReload,     // close, load; dirty blocks are written back first ...
    kReloadKeep, // ... or kept
    kSetPolicy,  // fc_policy (sector), while requests run
    kTune,       // fc_tunable (sector) to a value (count), while requests run
};

struct TinyOp {
    TinyKind kind;
    uint64_t sector = 0;
    uint64_t count = 0;
    bool fua = false;
    uint32_t after = 0; // a bit for each operation that ends before this one begins
    unsigned char marks = 0; // FC_REQ_AVOID or FC_REQ_WANT
};

struct Scenario {
    const char *name;
    const char *what;
    Profile profile;
    std::vector<TinyOp> before; // one by one, each at rest before the next
    std::vector<TinyOp> ops;
    unsigned int early_dates = 0;
    unsigned int preemptions = 0; // at least so many
};

const std::vector<Scenario> &scenarios();

// Makes the choices: one of @n.
class Chooser {
public:
    virtual size_t choose(size_t n) = 0;

protected:
    ~Chooser() = default;
};

// No chance: always the last possibility, and nothing rare.
class Steered final : public Rng {
public:
    Steered() : Rng(1) {}
    uint64_t below(uint64_t n) override { return n ? n - 1 : 0; }
    bool preempts(unsigned int) override;

    Chooser *chooser = nullptr; // while it may preempt
    unsigned int preemptions_left = 0;
};

class TinyWorld final : public World {
public:
    TinyWorld(const Scenario &scenario, unsigned int preemptions, Trace &trace);

    // Format, load, and what the scenario does before.
    void start();
    // As another one is after a power cut, with what is durable there.
    void start_after_cut(TinyWorld &other);
    // With what was durable when the power was cut: is that legal for the origin alone?
    void check_cut() {
        if (origin_alone_)
            check_origin_alone(true);
    }

    struct Option {
        enum Kind { kComplete, kEffect, kResume, kWork, kMap, kStart, kOperator, kTime } kind;
        int dev;
        size_t index;
    };
    // What may happen next; nothing: the scenario has come to its end.
    std::vector<Option> options();
    void perform(const Option &option, Chooser &chooser);
    uint64_t hash();

    // Load (after a cut).  False: it is loaded; then finish() remains.
    bool load_step();
    // All must be right, with the cache and without it.
    void finish();

    Device &disk(int dev) { return device(dev); }
    // All that decides what comes after a power cut now, but what is on the devices.
    void add_cut_state(StateHash &hash) const;

private:
    Oracle oracle_after_cut() const;
    static Profile quiet(Profile profile, unsigned int preemptions);
    void boot(std::function<void()> body);
    void by_default(const std::function<bool()> &until);
    void do_before();
    bool is_user(size_t i) const { return scenario_.ops[i].kind <= TinyKind::kFlush; }
    bool has_ended(size_t i);
    bool may_start(size_t i);
    void begin(size_t i);
    void begin_operation(const TinyOp &op, size_t number);
    void operate(const TinyOp &op);
    void begin_under_load(size_t i);
    void change(const TinyOp &op);
    bool all_ended();
    void add_ios(int dev, std::vector<Option> &to);

    const Scenario &scenario_;
    Steered *steered_;
    uint32_t started_ = 0, operated_ = 0; // bits of operations
    bool operating_ = false, booting_ = false;
    unsigned int early_dates_;
};

} // namespace sim

#endif
