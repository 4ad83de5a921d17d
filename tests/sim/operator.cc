// SPDX-License-Identifier: GPL-2.0-only
// The operator: brings the cache up after each start, and changes things while it is in use.
#include <algorithm>
#include <cstring>
#include <map>

#include "world.h"

namespace sim {

// One life of the machine, from power on to power off.
void World::life() {
    if (!formatted_)
        format();
    load_until_it_works();
    if (rng_.coin())
        read_everything();
    users_active_ = true;
    while (!ending_) {
        pause(1 + rng_.below(2 * profile_.steps_per_operator));
        if (!ending_)
            act();
    }
    finale();
}

void World::pause(uint64_t steps) {
    const uint64_t until = steps_ + steps;
    scheduler_.wait_until([this, until] { return steps_ >= until || ending_; });
}

void World::format() {
    fc_config config = config_;
    int status;
    while ((status = fc_core_format(self(), &config, scratch_)) != FC_OK)
        if (!profile_.faulty())
            scheduler_.fail(std::string("format failed: ") + fc_status_text(status));
    formatted_ = true;
    origin_alone_ = true;
}

int World::load() {
    fc_config config{};
    config.origin_sectors = config_.origin_sectors;
    config.cache_device_sectors = config_.cache_device_sectors;
    config.cache_volatile = config_.cache_volatile;
    config.origin_volatile = config_.origin_volatile;
    if (const int status = fc_core_probe(self(), &config, scratch_))
        return status;
    if (config.data_offset_sectors != config_.data_offset_sectors ||
        config.nr_blocks != config_.nr_blocks)
        scheduler_.fail("fc_core_probe() found another geometry");
    if (profile_.change_modes && rng_.one_in(3))
        profile_.mode = static_cast<uint32_t>(rng_.between(FC_MODE_WRITE_BACK, FC_MODE_WRITE_ONLY));
    config.mode = profile_.mode;
    const uint64_t bytes = (fc_core_bytes(&config) + 4095) / 4096 * 4096;
    memory_ = static_cast<char *>(aligned_alloc(4096, bytes));
    memset(memory_, 0, bytes);
    no_io_ = true; // rule 9: nothing is touched before resume
    core_ = fc_core_init(memory_, self(), &config);
    no_io_ = false;
    if (profile_.mode == FC_MODE_WRITE_BACK || profile_.mode == FC_MODE_WRITE_ONLY)
        origin_alone_ = false;
    const int status = fc_core_open(core_);
    if (status)
        forget_core();
    return status;
}

// As the glue does: no work starts any more, and whoever is inside of the core leaves it.
void World::forget_core() {
    scheduler_.cancel_works();
    scheduler_.wait_until([this] { return !scheduler_.works_running() && !scheduler_.runnable(); });
    scheduler_.cancel_works();
    if (device(FC_DEV_CACHE).in_flight() || device(FC_DEV_ORIGIN).in_flight())
        scheduler_.fail("I/O is in flight although the cache is closed");
    if (!jobs_.empty() || !pendings_.empty())
        scheduler_.fail("jobs or pendings are left although the cache is closed");
    free(memory_);
    memory_ = nullptr;
    core_ = nullptr;
    // What a device has lost is gone at once, really; nobody looks at it before the next load does.
    if (device(FC_DEV_CACHE).lost())
        cut_devices(false);
}

// Metadata may have gone bad: that is noticed, or made good from what else there is, and a load
// that is refused has changed nothing.
int World::load_damaged() {
    if (rng_.per_mille(profile_.damage_per_mille))
        damage_->strike(true);
    const Damage::Verdict verdict = damage_->judge();
    const uint64_t writes = writes_submitted_;
    int status = load();
    totals_.refused += status != FC_OK;
    totals_.rolled_back += verdict.rolled_back && !status;
    if (status ? status != verdict.refusal : !verdict.may_load)
        scheduler_.fail(std::string("metadata has gone bad, and a load answers: ") +
                        fc_status_text(status) +
                        (verdict.may_load ? "; it may load" : "; it must not load") +
                        ", it may say: " + fc_status_text(verdict.refusal));
    if (verdict.rolled_back)
        stopped_with_ = kUnknown;
    if (!status)
        return status;
    if (writes_submitted_ != writes)
        scheduler_.fail("a load that was refused has written to a device");
    trace_.line("operator load refused: %s", fc_status_text(status));
    damage_->undo();
    return load();
}

void World::load_until_it_works() {
    totals_.loads++;
    trace_.line("operator loads");
    int status;
    while ((status = damage_ ? load_damaged() : load()) != FC_OK) {
        if (!profile_.faulty())
            scheduler_.fail(std::string("load failed: ") + fc_status_text(status));
        trace_.line("operator load failed: %s", fc_status_text(status));
        if (status != FC_EIO)
            scheduler_.fail(std::string("load failed, and not with an I/O error: ") +
                            fc_status_text(status));
        pause(20);
    }
    trace_.line("operator loaded in mode %u", profile_.mode);
    live_ = true;
    if (stopped_with_ != kUnknown && !profile_.faulty() && gauge(FC_GAUGE_CACHED) != stopped_with_)
        scheduler_.fail("stopped with " + std::to_string(stopped_with_) + " blocks, loaded with " +
                        std::to_string(gauge(FC_GAUGE_CACHED)));
    stopped_with_ = kUnknown;
    check_gauges();
}

void World::quiesce() {
    users_active_ = false;
    scheduler_.wait_until([this] { return ops_.empty(); });
}

int World::close(bool keep_dirty) {
    quiesce();
    check_gauges();
    if (rng_.coin()) // as "dmsetup remove" does
        suspend();
    trace_.line("operator closes%s", keep_dirty ? ", keeps dirty blocks" : "");
    const Time before = oracle_->now();
    const int status = fc_core_close(core_, keep_dirty);
    live_ = false;
    interrupt_ = false;
    if (status != FC_OK && status != FC_EINTR && !profile_.faulty())
        scheduler_.fail(std::string("close failed: ") + fc_status_text(status));
    if (status == FC_OK && !keep_dirty && gauge(FC_GAUGE_DIRTY))
        scheduler_.fail("dirty blocks are left although the cache was closed with FC_OK");
    const uint64_t cached = gauge(FC_GAUGE_CACHED), dirty = gauge(FC_GAUGE_DIRTY);
    forget_core();
    trace_.line("operator closed: %s", status ? fc_status_text(status) : "ok");
    if (status == FC_OK || status == FC_EINTR) {
        oracle_->flushed(before);
        check_home_table(status == FC_OK && !keep_dirty, cached, dirty);
        stopped_with_ = cached;
    }
    if (status == FC_OK && !keep_dirty) {
        origin_alone_ = true;
        check_origin_alone(false);
    }
    return status;
}

void World::reload() {
    const bool keep_dirty = rng_.coin();
    quiesce();
    interrupt_ = rng_.one_in(5);
    close(keep_dirty);
    load_until_it_works();
    if (rng_.one_in(3))
        read_everything();
    users_active_ = true;
}

void World::suspend() {
    trace_.line("operator suspends");
    const Time before = oracle_->now();
    const int status = fc_core_suspend(core_);
    if (status != FC_OK && !profile_.faulty())
        scheduler_.fail(std::string("suspend failed: ") + fc_status_text(status));
    if (status == FC_OK)
        oracle_->flushed(before);
    if (device(FC_DEV_CACHE).in_flight() || device(FC_DEV_ORIGIN).in_flight())
        scheduler_.fail("I/O is in flight although the cache is suspended");
    if (status == FC_OK && origin_alone_)
        check_origin_alone(false);
}

void World::suspend_and_resume() {
    quiesce();
    check_gauges();
    suspend();
    no_io_ = true;
    pause(rng_.below(200));
    no_io_ = false;
    if (profile_.change_modes) {
        profile_.mode = static_cast<uint32_t>(rng_.between(FC_MODE_WRITE_BACK, FC_MODE_WRITE_ONLY));
        if (profile_.mode == FC_MODE_WRITE_BACK || profile_.mode == FC_MODE_WRITE_ONLY)
            origin_alone_ = false;
        fc_core_set_mode(core_, static_cast<int>(profile_.mode));
    }
    fc_core_resume(core_);
    trace_.line("operator resumed in mode %u", profile_.mode);
    users_active_ = true;
}

// Write back everything; now and then while users go on.
void World::sync() {
    const bool quiet = rng_.coin();
    if (quiet)
        quiesce();
    trace_.line("operator syncs");
    fc_core_start_sync(core_);
    scheduler_.wait_until([this] { return steps_ % 16 == 0; });
    const uint64_t until = steps_ + (quiet ? 200000 : 5000);
    while (gauge(FC_GAUGE_SYNCING) && steps_ < until)
        scheduler_.wait_until([this, at = steps_ + 16] { return steps_ >= at; });
    if (quiet && !faults_ && gauge(FC_GAUGE_SYNCING))
        scheduler_.fail("a sync does not end");
    trace_.line("operator synced");
    if (quiet && !faults_ && gauge(FC_GAUGE_DIRTY))
        scheduler_.fail("dirty blocks are left after a sync");
    users_active_ = true;
}

void World::tune() {
    const auto which = static_cast<int>(rng_.below(FC_NR_TUNABLES));
    unsigned int low = 0, high = 0;
    fc_core_tune_range(which, &low, &high);
    // So that what waits for a time, or for a long stream, comes to pass in a short life.
    static const std::map<int, unsigned int> most = {
        {FC_TUNE_FALLOW_DELAY_S, 5},        {FC_TUNE_IDLE_DELAY_MS, 1000},
        {FC_TUNE_SKIP_SEQ_READ_KB, 64},     {FC_TUNE_SKIP_SEQ_WRITE_KB, 64},
        {FC_TUNE_WRITEBACK_CENTISECS, 200}, {FC_TUNE_STOP_SYNC, 0}};
    if (const auto found = most.find(which); found != most.end())
        high = found->second;
    const auto value = static_cast<unsigned int>(rng_.between(low, high));
    trace_.line("operator tunes %d to %u", which, value);
    const unsigned int before = fc_core_tuned(core_, which);
    if (!fc_core_tune(core_, which, 0x7fffffff) || fc_core_tuned(core_, which) != before)
        scheduler_.fail("tunable " + std::to_string(which) + " takes any value");
    if (fc_core_tune(core_, which, value) || fc_core_tuned(core_, which) != value)
        scheduler_.fail("tunable " + std::to_string(which) + " refuses " + std::to_string(value));
}

void World::change_policy() {
    set_policy(static_cast<int>(rng_.below(FC_NR_POLICIES)));
}

// Under load; the memory of a policy that was left is gone at once.
void World::set_policy(int policy) {
    std::vector<char> &memory = next_policy_memory_; // state() looks at it during the change
    memory.assign(fc_core_policy_bytes(core_, policy), 0);
    trace_.line("operator changes the policy to %d", policy);
    char *const given = memory.empty() ? nullptr : memory.data();
    const void *const unused = fc_core_set_policy(core_, policy, given);
    if (gauge(FC_GAUGE_POLICY) != static_cast<uint64_t>(policy))
        scheduler_.fail("the policy is not the one that was asked for");
    if (unused != given || !given)
        policy_memory_.swap(memory);
    std::vector<char>().swap(memory);
}

void World::act() {
    switch (rng_.below(9)) {
    case 8:
        change_policy();
        break;
    case 0:
    case 1:
        suspend_and_resume();
        break;
    case 2:
    case 3:
        reload();
        break;
    case 4:
        sync();
        break;
    case 5:
        tune();
        break;
    case 6:
        quiesce();
        check_gauges();
        read_everything();
        users_active_ = true;
        break;
    default:
        idle();
        break;
    }
    if (profile_.faulty() && rng_.one_in(4))
        mend();
}

// Nobody does anything for a while: timers pass, and the cleaner uses the time.
void World::idle() {
    quiesce();
    const unsigned int idle_ms = fc_core_tuned(core_, FC_TUNE_IDLE_DELAY_MS);
    const uint64_t dirty = gauge(FC_GAUGE_DIRTY);
    const uint64_t us = rng_.below(4) ? rng_.below(20000000) : 3600000000ull;
    scheduler_.sleep(us, false);
    if (us >= 3600000000ull && idle_ms && !profile_.faulty() && gauge(FC_GAUGE_DIRTY))
        scheduler_.fail(std::to_string(dirty) +
                        " blocks were dirty, and an idle hour has not cleaned them all");
    users_active_ = true;
}

// The cache device works again, and the operator says so.
void World::mend() {
    outage_until_ = 0;
    if (gauge(FC_GAUGE_DEGRADED))
        trace_.line("operator clears errors: %d", fc_core_clear_errors(core_));
}

// Through the cache, with nobody else.
void World::read_everything() {
    trace_.line("operator reads everything");
    const uint64_t end = oracle_->sectors(), grain = profile_.unit_bytes / kSectorBytes;
    uint64_t most = config_.chunk_sectors / grain * rng_.between(1, 4);
    for (uint64_t at = 0, n; at < end; at += n) {
        n = std::min(rng_.between(1, most) * grain, end - at);
        start_op(DevOp::kRead, at, n, false);
        scheduler_.wait_until([this] { return ops_.size() < 6; });
    }
    scheduler_.wait_until([this] { return ops_.empty(); });
}

// Everything comes to rest; then all must be right, with the cache and without it.
void World::finale() {
    faults_ = false;
    quiesce();
    check_gauges();
    if (gauge(FC_GAUGE_DEGRADED) && fc_core_clear_errors(core_)) {
        close(true);
        load_until_it_works();
    }
    read_everything();
    scheduler_.wait_until([this] { return steps_ % 16 == 0; });
    if (rng_.coin()) {
        sync();
        quiesce();
    }
    if (int status = close(false); status != FC_OK)
        scheduler_.fail(std::string("the last close failed: ") + fc_status_text(status));
    load_until_it_works();
    read_everything();
    close(false);
    check_counters();
    ended_ = true;
}

} // namespace sim
