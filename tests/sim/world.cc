// SPDX-License-Identifier: GPL-2.0-only
// The main loop, and power.
#include "world.h"

#include <algorithm>
#include <cstdio>

namespace sim {

void Totals::operator+=(const Totals &other) {
    steps += other.steps;
    cuts += other.cuts;
    ops += other.ops;
    failed_ops += other.failed_ops;
    loads += other.loads;
    refused += other.refused;
    rolled_back += other.rolled_back;
    requests += other.requests;
    for (int i = 0; i < FC_NR_STATS; i++)
        core_stat[i] += other.core_stat[i];
}

World::World(uint64_t seed, const std::string &profile_kind, Trace &trace)
    : own_rng_(std::make_unique<Rng>(seed)), rng_(*own_rng_), trace_(trace),
      scheduler_(profile_, rng_) {
    if (!make_profile(profile_kind, rng_, profile_))
        throw Failure{"no such profile", ~0ull};
    prepare();
}

World::World(std::unique_ptr<Rng> rng, const Profile &profile, Trace &trace)
    : own_rng_(std::move(rng)), rng_(*own_rng_), profile_(profile), trace_(trace),
      scheduler_(profile_, rng_) {
    prepare();
}

void World::prepare() {
    if (!plan())
        throw Failure{"fc_core_plan() refuses the profile", ~0ull};
    faults_ = profile_.faulty();
    oracle_ = std::make_unique<Oracle>(profile_.origin_sectors);
    Device::Config cache, origin;
    cache.sectors = config_.cache_device_sectors;
    cache.volatile_cache = profile_.cache_volatile;
    cache.atomic_sectors = profile_.unit_bytes / kSectorBytes;
    cache.factory = [](uint64_t) { return Sector::user(2, 0); };
    cache.early_effects = origin.early_effects = profile_.early_effects;
    origin.sectors = profile_.origin_sectors;
    origin.volatile_cache = profile_.origin_volatile;
    origin.discard_zeroes = profile_.discard_zeroes;
    origin.factory = [](uint64_t sector) { return Sector::user(sector, 1); };
    devices_[FC_DEV_CACHE] = std::make_unique<Device>(cache, rng_);
    devices_[FC_DEV_ORIGIN] = std::make_unique<Device>(origin, rng_);
    if (profile_.damage_per_mille)
        damage_ = std::make_unique<Damage>(*devices_[FC_DEV_CACHE], config_, rng_, trace_);
    trace_.use(&config_);
    work_body_ = [this](unsigned int work) { return run_work(work); };
}

unsigned int World::run_work(unsigned int work) {
    static const char *const names[] = {"run", "writeback", "checkpoint"};
    const unsigned int again_ms = do_work(core_, static_cast<int>(work));
    if (trace_.wants(Trace::kAll, 0))
        trace_.line("work   %s ends, again after %u ms", names[work], again_ms);
    return again_ms;
}

World::~World() {
    free(memory_);
}

bool World::plan() {
    fc_config &c = config_;
    c.origin_sectors = profile_.origin_sectors;
    c.unit_bytes = profile_.unit_bytes;
    c.block_sectors = profile_.block_sectors;
    c.ways_per_set = profile_.ways;
    c.extent_blocks = profile_.extent_blocks;
    c.mode = profile_.mode;
    c.cache_volatile = profile_.cache_volatile;
    c.origin_volatile = profile_.origin_volatile;
    c.cache_sectors_wanted =
        static_cast<uint64_t>(profile_.ways) * profile_.sets * profile_.block_sectors;
    c.cache_device_sectors = c.cache_sectors_wanted + 4096 + rng_.below(2048) * 8;
    for (unsigned char &byte : c.cache_uuid)
        byte = static_cast<unsigned char>(rng_.next());
    return fc_core_plan(&c) == FC_OK;
}

void World::run(uint64_t steps) {
    step_limit_ = steps + 3000000;
    power_on();
    while (!ended_) {
        steps_++;
        ending_ = ending_ || steps_ >= steps;
        if (steps_ > step_limit_)
            stuck("does not come to rest");
        // Where hundreds of contexts want one lock, chance takes some 400,000 steps to serve them.
        if (!ops_.empty() && steps_ > last_progress_ + 1000000)
            stuck("no request ends any more");
        scheduler_.tick();
        if (trace_.on())
            trace_.at(steps_, scheduler_.now_us());
        if (profile_.steps_per_cut && !ending_ && rng_.one_in(profile_.steps_per_cut))
            power_cut();
        if (steps_ == cut_at_)
            power_cut();
        if (profile_.steps_per_outage && rng_.one_in(profile_.steps_per_outage)) {
            outage_until_ = steps_ + rng_.below(rng_.pick({100, 1000, 20000}));
            outage_dev_ = static_cast<int>(rng_.below(2));
        }
        if (profile_.steps_per_damage && users_active_ && rng_.one_in(profile_.steps_per_damage))
            damage_->strike(false);
        step();
    }
    totals_.steps = steps_;
}

// One step, chosen by chance among all that could happen next.
void World::step() {
    scheduler_.pass_dates();
    const size_t cache_ios = device(FC_DEV_CACHE).in_flight(),
                 origin_ios = device(FC_DEV_ORIGIN).in_flight();
    const bool user = live_ && users_active_ && ops_.size() < profile_.max_ops;
    const uint64_t weights[] = {
        std::min<uint64_t>(cache_ios, 4) * profile_.cache_speed,
        std::min<uint64_t>(origin_ios, 4) * profile_.origin_speed,
        std::min<uint64_t>(scheduler_.runnable(), 4) * profile_.task_speed,
        scheduler_.due_works() * profile_.task_speed,
        std::min<uint64_t>(to_map_.size(), 4) * profile_.client_speed,
        user ? profile_.client_speed : 0u,
        scheduler_.operator_ready() ? 2u : 0u,
    };
    uint64_t sum = 0;
    for (uint64_t w : weights)
        sum += w;
    // Now and then some time passes although something could happen: devices are slow.
    if (sum != 0 && rng_.one_in(200) && scheduler_.advance_to_next_date(2000000))
        return;
    if (sum == 0) {
        // A request that waits for a timer waits for somebody who forgot to wake its worker.
        constexpr uint64_t kRetryUs = 15000;
        const uint64_t before = scheduler_.now_us();
        if (scheduler_.advance_to_next_date()) {
            if (!ops_.empty() && scheduler_.now_us() - before > kRetryUs)
                stuck("requests wait for a timer");
            return;
        }
        if (scheduler_.operator_waits() && ops_.empty())
            return; // it counts steps
        stuck("stuck: nothing can happen any more");
    }
    uint64_t at = rng_.below(sum);
    unsigned int choice = 0;
    for (; at >= weights[choice]; choice++)
        at -= weights[choice];
    switch (choice) {
    case 0:
        complete_one(FC_DEV_CACHE);
        break;
    case 1:
        complete_one(FC_DEV_ORIGIN);
        break;
    case 2:
        scheduler_.resume(rng_.below(scheduler_.runnable()));
        break;
    case 3:
        scheduler_.run_due_work(rng_.below(scheduler_.due_works()), work_body_);
        break;
    case 4:
        map_piece(rng_.coin() ? 0 : rng_.below(to_map_.size()));
        break;
    case 5:
        user_step();
        break;
    default:
        scheduler_.resume_operator();
        break;
    }
}

void World::power_on() {
    scheduler_.call(Scheduler::Context::kTask, [this] { life(); });
}

// The power fails, or (now and then) the machine only starts anew.  Everything in memory is gone.
void World::power_cut() {
    const bool restart = rng_.one_in(4) && !device(FC_DEV_CACHE).lost();
    trace_.line(restart ? "RESTART" : "POWER CUT");
    totals_.cuts++;
    cut_devices(restart);
    forget_memory();
    last_progress_ = steps_;
    power_on();
}

void World::cut_devices(bool restart) {
    for (auto &dev : devices_) {
        if (restart)
            dev->reset();
        else
            dev->power_cut(config_.data_offset_sectors);
    }
    if (restart)
        oracle_->reset();
    else
        oracle_->power_cut();
    if (origin_alone_)
        check_origin_alone(!restart);
}

void World::forget_memory() {
    scheduler_.abandon();
    ops_.clear();
    bios_.clear();
    to_map_.clear();
    jobs_.clear();
    pendings_.clear();
    copies_.clear();
    free(memory_);
    memory_ = nullptr;
    core_ = nullptr;
    live_ = users_active_ = interrupt_ = no_io_ = starved_ = false;
    stopped_with_ = kUnknown;
}

void World::stuck(const char *what) {
    dump();
    uint64_t sector = ops_.empty() ? ~0ull : ops_[0]->sector;
    scheduler_.fail(what, sector);
}

void World::dump() const {
    printf("  in flight: %zu on the cache device, %zu on the origin; %zu fibers can run, %zu works "
           "due\n",
           devices_[0]->in_flight(), devices_[1]->in_flight(), scheduler_.runnable(),
           scheduler_.due_works());
    printf("  %zu operations, %zu requests (%zu not mapped), %zu jobs, %zu pendings, %zu copies\n",
           ops_.size(), bios_.size(), to_map_.size(), jobs_.size(), pendings_.size(),
           copies_.size());
    for (size_t i = 0; i < ops_.size() && i < 20; i++)
        printf("  operation #%llu kind %d sectors %llu+%llu, %llu left\n",
               static_cast<unsigned long long>(ops_[i]->number), static_cast<int>(ops_[i]->kind),
               static_cast<unsigned long long>(ops_[i]->sector),
               static_cast<unsigned long long>(ops_[i]->count),
               static_cast<unsigned long long>(ops_[i]->left));
}

std::string World::describe() const {
    char text[300];
    snprintf(text, sizeof text,
             "unit %u, block %u sectors, %u sets of %u ways, extent %u blocks, origin %llu "
             "sectors, volatile: "
             "cache %d origin %d, mode %u, cut every %u steps",
             profile_.unit_bytes, profile_.block_sectors, profile_.sets, profile_.ways,
             profile_.extent_blocks, static_cast<unsigned long long>(profile_.origin_sectors),
             profile_.cache_volatile, profile_.origin_volatile, profile_.mode,
             profile_.steps_per_cut);
    return text;
}

} // namespace sim
