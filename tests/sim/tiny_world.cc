// SPDX-License-Identifier: GPL-2.0-only
#include "tiny_world.h"

#include "state_hash.h"

namespace sim {

namespace {

constexpr uint64_t kFirstNumber = 100; // of the scenario's operations
constexpr uint64_t kMostSteps = 200000;

} // namespace

bool Steered::preempts(unsigned int) {
    if (!chooser || !preemptions_left || chooser->choose(2) == 0)
        return false;
    preemptions_left--;
    return true;
}

Profile TinyWorld::quiet(Profile profile, unsigned int preemptions) {
    profile.max_ops = 0; // users do what the scenario says
    profile.early_effects = false;
    profile.lazy_per_mille = 0;
    profile.preempt_per_mille = preemptions != 0;
    return profile;
}

TinyWorld::TinyWorld(const Scenario &scenario, unsigned int preemptions, Trace &trace)
    : World(std::make_unique<Steered>(), quiet(scenario.profile, preemptions), trace),
      scenario_(scenario), steered_(static_cast<Steered *>(&rng_)),
      early_dates_(scenario.early_dates) {
    steered_->preemptions_left = preemptions;
    step_limit_ = ~0ull;
}

// The order that the simulator's own main loop takes without chance.
void TinyWorld::by_default(const std::function<bool()> &until) {
    for (uint64_t n = 0; !until(); n++) {
        if (n > kMostSteps)
            stuck("does not come to rest");
        steps_++;
        if (trace_.on())
            trace_.at(steps_, scheduler_.now_us());
        step();
    }
}

void TinyWorld::boot(std::function<void()> body) {
    booting_ = true;
    scheduler_.call(Scheduler::Context::kTask, [this, body = std::move(body)] {
        body();
        booting_ = false;
    });
}

void TinyWorld::start() {
    boot([this] {
        format();
        load_until_it_works();
        do_before();
    });
    by_default([this] { return !booting_; });
    users_active_ = true;
    trace_.line("-- the scenario begins");
}

void TinyWorld::do_before() {
    for (const TinyOp &op : scenario_.before) {
        begin_operation(op, next_number_);
        scheduler_.wait_until([this] {
            return ops_.empty() && !scheduler_.runnable() && !scheduler_.due_works() &&
                   !device(FC_DEV_CACHE).in_flight() && !device(FC_DEV_ORIGIN).in_flight() &&
                   !gauge(FC_GAUGE_SYNCING);
        });
    }
}

void TinyWorld::start_after_cut(TinyWorld &other) {
    for (int dev = 0; dev < 2; dev++)
        device(dev).copy_durable(other.device(dev));
    formatted_ = other.formatted_;
    origin_alone_ = other.origin_alone_;
    profile_.mode = other.profile_.mode;
    *oracle_ = other.oracle_after_cut();
    next_number_ = other.next_number_ + 1000;
}

Oracle TinyWorld::oracle_after_cut() const {
    Oracle after = *oracle_;
    after.power_cut();
    return after;
}

void TinyWorld::add_cut_state(StateHash &hash) const {
    hash.value(formatted_ | origin_alone_ << 1 | profile_.mode << 2);
    oracle_after_cut().add_state(hash, {});
}

bool TinyWorld::load_step() {
    if (!core_ && !booting_)
        boot([this] { load_until_it_works(); });
    else if (booting_)
        by_default([this, at = steps_] { return steps_ > at; });
    return booting_;
}

void TinyWorld::finish() {
    users_active_ = false;
    boot([this] { finale(); });
    by_default([this] { return ended_; });
}

// ---- what may happen

bool TinyWorld::has_ended(size_t i) {
    if (!(started_ & 1u << i))
        return false;
    if (scenario_.ops[i].kind == TinyKind::kSync)
        return core_ && !gauge(FC_GAUGE_SYNCING);
    if (!is_user(i))
        return operated_ & 1u << i;
    for (size_t k = 0; k < ops_.size(); k++)
        if (ops_[k]->number == kFirstNumber + i)
            return false;
    return true;
}

bool TinyWorld::all_ended() {
    for (size_t i = 0; i < scenario_.ops.size(); i++)
        if (!has_ended(i))
            return false;
    return true;
}

bool TinyWorld::may_start(size_t i) {
    if (started_ & 1u << i || operating_ || !live_ || !users_active_)
        return false;
    for (size_t k = 0; k < scenario_.ops.size(); k++)
        if (scenario_.ops[i].after & 1u << k && !has_ended(k))
            return false;
    return true;
}

void TinyWorld::add_ios(int dev, std::vector<Option> &to) {
    for (size_t i = 0; i < device(dev).in_flight(); i++) {
        to.push_back({Option::kComplete, dev, i});
        if (device(dev).order_matters(i))
            to.push_back({Option::kEffect, dev, i});
    }
}

std::vector<TinyWorld::Option> TinyWorld::options() {
    std::vector<Option> all;
    auto add = [&](Option::Kind kind, size_t n) {
        for (size_t i = 0; i < n; i++)
            all.push_back({kind, 0, i});
    };
    scheduler_.pass_dates();
    add_ios(FC_DEV_CACHE, all);
    add_ios(FC_DEV_ORIGIN, all);
    add(Option::kResume, scheduler_.runnable());
    add(Option::kWork, scheduler_.due_works());
    add(Option::kMap, to_map_.size());
    for (size_t i = 0; i < scenario_.ops.size(); i++)
        if (may_start(i))
            all.push_back({Option::kStart, 0, i});
    add(Option::kOperator, scheduler_.operator_ready());
    const bool over = all.empty() && all_ended() && !operating_;
    if (!over && (all.empty() || early_dates_) && scheduler_.date_ahead())
        all.push_back({Option::kTime, 0, all.empty()});
    if (all.empty() && !over)
        stuck("stuck: nothing can happen any more");
    return all;
}

void TinyWorld::perform(const Option &option, Chooser &chooser) {
    steps_++;
    if (trace_.on())
        trace_.at(steps_, scheduler_.now_us());
    steered_->chooser = &chooser;
    switch (option.kind) {
    case Option::kComplete:
        complete_io(option.dev, option.index);
        break;
    case Option::kEffect:
        trace_.io("effect", option.dev, device(option.dev).pending(option.index), 0);
        device(option.dev).effect(option.index);
        break;
    case Option::kResume:
        scheduler_.resume(option.index);
        break;
    case Option::kWork:
        scheduler_.run_due_work(option.index, work_body_);
        break;
    case Option::kMap:
        map_piece(option.index);
        break;
    case Option::kStart:
        begin(option.index);
        break;
    case Option::kOperator:
        scheduler_.resume_operator();
        break;
    case Option::kTime:
        early_dates_ -= option.index ? 0 : 1;
        scheduler_.advance_to_next_date();
        break;
    }
    steered_->chooser = nullptr;
}

void TinyWorld::begin(size_t i) {
    started_ |= 1u << i;
    const size_t queued = to_map_.size();
    if (is_user(i)) {
        begin_operation(scenario_.ops[i], kFirstNumber + i);
        map_piece(queued);
    } else if (scenario_.ops[i].kind == TinyKind::kSync ||
               scenario_.ops[i].kind == TinyKind::kCheckpoint) {
        operated_ |= 1u << i;
        begin_operation(scenario_.ops[i], 0);
    } else if (scenario_.ops[i].kind >= TinyKind::kSetPolicy) {
        begin_under_load(i);
    } else {
        operating_ = true;
        scheduler_.call(Scheduler::Context::kTask, [this, i] {
            operate(scenario_.ops[i]);
            operated_ |= 1u << i;
            operating_ = false;
        });
    }
}

// Requests come and go meanwhile.
void TinyWorld::begin_under_load(size_t i) {
    scheduler_.call(Scheduler::Context::kTask, [this, i] {
        change(scenario_.ops[i]);
        operated_ |= 1u << i;
    });
}

void TinyWorld::change(const TinyOp &op) {
    if (op.kind == TinyKind::kSetPolicy)
        set_policy(static_cast<int>(op.sector));
    else if (fc_core_tune(core_, static_cast<int>(op.sector), static_cast<unsigned int>(op.count)))
        scheduler_.fail("the scenario's tunable is out of range");
}

// What needs no fiber of its own.
void TinyWorld::begin_operation(const TinyOp &op, size_t number) {
    if (op.kind == TinyKind::kCheckpoint) {
        scheduler_.kick(FC_WORK_CHECKPOINT, 0);
    } else if (op.kind == TinyKind::kSync) {
        auto start = [this] { fc_core_start_sync(core_); };
        if (Fiber::current())
            start();
        else
            scheduler_.call(Scheduler::Context::kTask, start);
    } else if (op.kind >= TinyKind::kSetPolicy) {
        change(op); // before the scenario: in the fiber that boots
    } else {
        static const DevOp kinds[] = {DevOp::kRead, DevOp::kWrite, DevOp::kDiscard,
                                      DevOp::kWriteZeroes, DevOp::kFlush};
        next_number_ = number;
        start_op(kinds[static_cast<int>(op.kind)], op.sector, op.count, op.fua)->marks = op.marks;
        next_number_ = std::max(next_number_, kFirstNumber + 32);
    }
}

void TinyWorld::operate(const TinyOp &op) {
    if (op.kind == TinyKind::kSetMode) {
        quiesce();
        suspend();
        profile_.mode = static_cast<uint32_t>(op.sector);
        if (profile_.mode == FC_MODE_WRITE_BACK || profile_.mode == FC_MODE_WRITE_ONLY)
            origin_alone_ = false;
        fc_core_set_mode(core_, static_cast<int>(profile_.mode));
        fc_core_resume(core_);
    } else {
        close(op.kind == TinyKind::kReloadKeep);
        load_until_it_works();
    }
    users_active_ = true;
}

uint64_t TinyWorld::hash() {
    StateHash hash;
    hash.value(state());
    hash.value(started_ | static_cast<uint64_t>(operated_) << 32);
    hash.value(operating_ | booting_ << 1 | static_cast<uint64_t>(early_dates_) << 8 |
               static_cast<uint64_t>(steered_->preemptions_left) << 16);
    return hash.result();
}

} // namespace sim
