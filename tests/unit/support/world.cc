// SPDX-License-Identifier: GPL-2.0-only
#include "world.h"

#include <cstring>
#include <utility>

#include <gtest/gtest.h>

#include "job_memory.h"

namespace {

constexpr fc_u64 kNever = ~0ull;

char *aligned(std::vector<char> &memory, fc_u64 bytes) {
    memory.assign(bytes + 4096, 0);
    const auto start = reinterpret_cast<std::uintptr_t>(memory.data());
    return memory.data() + ((4096 - start % 4096) % 4096);
}

} // namespace

void Device::init(std::string bytes, bool is_volatile, fc_u64 base) {
    base_ = base;
    now_ = std::move(bytes);
    stable_ = now_;
    volatile_ = is_volatile;
}

void Device::write(fc_u64 sector, const std::string &data, bool fua) {
    ASSERT_TRUE(has(sector, data.size() / 512)) << "beyond the end of the device";
    now_.replace((sector - base_) * 512, data.size(), data);
    for (fc_u64 s = sector; s < sector + data.size() / 512; s++)
        unstable_.insert(s);
    if (!volatile_)
        flush(unstable_);
    else if (fua)
        for (fc_u64 s = sector; s < sector + data.size() / 512; s++)
            flush({s});
}

void Device::flush(const std::set<fc_u64> &covered) {
    const std::set<fc_u64> which = covered;
    for (const fc_u64 s : which) {
        stable_.replace((s - base_) * 512, 512, now_, (s - base_) * 512, 512);
        unstable_.erase(s);
    }
}

void Device::power_cut() {
    now_ = stable_;
    unstable_.clear();
}

World::World(const Shape &shape) {
    std::fill(std::begin(due_), std::end(due_), kNever);
    config.origin_sectors = shape.origin_base + shape.origin_sectors;
    config.cache_sectors_wanted = fc_u64{shape.sets} * shape.ways * shape.block_sectors;
    config.cache_device_sectors = 2048 + config.cache_sectors_wanted;
    config.unit_bytes = shape.unit;
    config.block_sectors = shape.block_sectors;
    config.ways_per_set = shape.ways;
    config.extent_blocks = shape.extent;
    config.mode = shape.mode;
    config.cache_volatile = shape.cache_volatile;
    config.origin_volatile = shape.origin_volatile;
    std::strcpy(config.cache_name, "test");
    device[FC_DEV_CACHE].init(std::string(config.cache_device_sectors * 512, 0), shape.cache_volatile);
    device[FC_DEV_ORIGIN].init(std::string(shape.origin_sectors * 512, 'o'), shape.origin_volatile, shape.origin_base);
    std::vector<char> memory;
    EXPECT_EQ(fc_core_plan(&config), FC_OK);
    EXPECT_EQ(fc_core_format(this, &config, aligned(memory, FC_SCRATCH_BYTES)), FC_OK);
    EXPECT_EQ(open(), FC_OK);
}

World::World(unsigned mode, unsigned unit, std::string cache, std::string origin) {
    std::fill(std::begin(due_), std::end(due_), kNever);
    config.mode = mode;
    config.unit_bytes = unit;
    config.cache_device_sectors = cache.size() / 512;
    config.origin_sectors = origin.size() / 512;
    device[FC_DEV_CACHE].init(std::move(cache), false);
    device[FC_DEV_ORIGIN].init(std::move(origin), false);
}

World::~World() {
    EXPECT_EQ(warnings, 0u) << "contradictions";
    if (ios.empty() && core && due() < 0) {
        EXPECT_EQ(pendings.size(), 0u);
        EXPECT_EQ(jobs.size(), 0u);
    }
    crash();
}

int World::probe() {
    std::vector<char> memory;
    return fc_core_probe(this, &config, aligned(memory, 4096));
}

int World::open() {
    if (const int bad = probe())
        return bad;
    char *at = aligned(memory_, fc_core_bytes(&config));
    core = fc_core_init(at, this, &config);
    const int status = fc_core_open(core);
    if (status)
        core = nullptr;
    trace.clear();
    return status;
}

int World::close(bool keep_dirty) {
    const int status = fc_core_close(core, keep_dirty);
    finish();
    core = nullptr;
    return status;
}

void World::crash() {
    for (fc_job *job : jobs)
        delete reinterpret_cast<JobMemory *>(job);
    for (fc_pending *pending : pendings)
        delete pending;
    jobs.clear();
    pendings.clear();
    ios.clear();
    core = nullptr;
    std::fill(std::begin(due_), std::end(due_), kNever);
}

void World::power_cut() {
    crash();
    for (Device &d : device)
        d.power_cut();
}

void World::end(UserRequest &user, int status) {
    EXPECT_FALSE(user.ended()) << "ended twice";
    user.status = status;
}

UserRequest &World::submit(int op, fc_u64 sector, unsigned n, char letter, unsigned flags, int dev) {
    UserRequest &user = requests_.emplace_back();
    user.req.sector = sector;
    user.req.nr_sectors = n;
    user.req.op = static_cast<unsigned char>(op);
    user.req.flags = static_cast<unsigned char>(flags);
    user.req.flush_dev = static_cast<unsigned char>(dev);
    if (op == FC_OP_READ || op == FC_OP_WRITE)
        user.data.assign(n * 512, letter);
    user.action = fc_core_map(core, &user.req);
    if (user.action == FC_ACT_COMPLETE) {
        end(user, user.req.status);
    } else if (user.action != FC_ACT_TAKEN) {
        Io io;
        io.kind = Io::kRemap;
        io.user = &user;
        io.dev = user.action == FC_ACT_REMAP_CACHE ? FC_DEV_CACHE : FC_DEV_ORIGIN;
        io.op = op == FC_OP_READ ? Op::read : op == FC_OP_WRITE ? Op::write : Op::flush;
        io.sector = user.req.target_sector;
        io.count = user.req.nr_sectors;
        io.flags = flags & FC_REQ_FUA ? FC_IO_FUA : 0;
        start(io);
    }
    return user;
}

void World::start(Io io) {
    if (io.op == Op::flush)
        io.covered = device[io.dev].unstable();
    trace.push_back(io);
    if (io.kind != Io::kSync)
        ios.push_back(io);
}

void World::apply(const Io &io) {
    Device &d = device[io.dev];
    d.flush(io.covered);
    if (io.op == Op::copy)
        d.write(io.sector, device[FC_DEV_CACHE].read(io.from, io.count), false);
    if (io.op == Op::zeroes || io.op == Op::discard)
        d.write(io.sector, std::string(io.count * 512, '\0'), false);
    if (io.op != Op::read && io.op != Op::write)
        return;
    ASSERT_TRUE(d.has(io.sector, io.count)) << "beyond the end of the device";
    char *memory = io.job    ? job_buffer(io.job)
                   : io.user ? io.user->data.data()
                             : static_cast<char *>(io.buffer);
    memory += io.offset * 512;
    if (io.reads())
        std::memcpy(memory, d.at(io.sector), io.count * 512);
    else
        d.write(io.sector, std::string(memory, io.count * 512), io.flags & FC_IO_FUA);
}

void World::report(const Io &io, int status) {
    if (io.kind == Io::kAsync)
        fc_core_async_done(core, io.token, status);
    else if (io.kind == Io::kPart)
        fc_core_part_done(core, &io.user->req, status);
    else if (io.kind != Io::kRemap)
        fc_core_job_io_done(core, io.job, io.dev, status);
    else if (!fc_core_end_io(core, &io.user->req, status))
        end(*io.user, io.user->req.status);
}

void World::complete(int i, int status) {
    ASSERT_GE(i, 0) << "no such I/O is in flight";
    const Io io = ios.at(static_cast<std::size_t>(i));
    ios.erase(ios.begin() + i);
    if (!status && fails && fails(io))
        status = FC_EIO;
    if (!status)
        apply(io);
    report(io, status);
}

void World::complete(int dev, Op op, int status) {
    complete(find(dev, op), status);
}

void World::complete_all(const std::function<bool(const Io &)> &which) {
    for (std::size_t i = 0; i < ios.size();)
        if (which(ios[i])) {
            complete(static_cast<int>(i));
            i = 0;
        } else {
            i++;
        }
}

// In the core's own memory only the scratch area is for synchronous I/O.
void World::check_buffer(const Io &io) const {
    const char *at = static_cast<char *>(io.buffer);
    if (at < memory_.data() || at >= memory_.data() + memory_.size())
        return;
    ASSERT_TRUE(core);
    EXPECT_GE(at, core->scratch);
    EXPECT_LE(at + io.count * 512, core->scratch + FC_SCRATCH_BYTES) << "beyond the scratch memory";
}

int World::do_sync(Io io) {
    io.kind = Io::kSync;
    check_buffer(io);
    start(io);
    if (fails && fails(io)) {
        if (core && (io.op == Op::flush || io.flags & FC_IO_FUA))
            fc_core_sync_failed(core, io.dev, io.op == Op::flush);
        if (before_sleeper_wakes)
            std::exchange(before_sleeper_wakes, nullptr)();
        return FC_EIO;
    }
    apply(trace.back());
    return FC_OK;
}

void World::kick(int work, unsigned delay_ms) {
    due_[work] = std::min(due_[work], now_ms + delay_ms);
}

int World::due() const {
    for (int work = 0; work < FC_NR_WORKS; work++)
        if (due_[work] <= now_ms)
            return work;
    return -1;
}

void World::run() {
    for (int rounds = 0; core && due() >= 0; rounds++) {
        ASSERT_LT(rounds, 10000) << "the core spins";
        const int work = due();
        due_[work] = kNever;
        if (work == FC_WORK_RUN)
            fc_core_run(core);
        else if (work == FC_WORK_CHECKPOINT)
            fc_core_checkpoint(core);
        else if (const unsigned ms = fc_core_writeback(core))
            kick(work, ms);
    }
}

void World::finish() {
    for (run(); !ios.empty(); run())
        complete(0);
}

void World::pass(fc_u64 ms) {
    now_ms += ms;
    finish();
}

void World::lock(unsigned id) {
    if (on_lock && held_.empty())
        std::exchange(on_lock, nullptr)();
    const bool nested = held_.size() == 1 && held_[0] < FC_LOCK_SETS && id == FC_LOCK_QUEUE;
    EXPECT_TRUE(held_.empty() || nested) << "two locks at a time: " << id;
    EXPECT_LT(id, FC_NR_LOCKS) << "no such lock";
    held_.push_back(id);
}

void World::unlock(unsigned id) {
    EXPECT_TRUE(!held_.empty() && held_.back() == id);
    held_.pop_back();
    if (on_unlock && held_.empty())
        std::exchange(on_unlock, nullptr)();
}

void World::check_unlocked(const char *what) const {
    EXPECT_TRUE(held_.empty()) << what << " under a lock";
}
