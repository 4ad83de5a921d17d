// SPDX-License-Identifier: GPL-2.0-only
#include "platform.h"

#include <algorithm>
#include <map>
#include <memory>

namespace {

constexpr fc_u64 kNever = ~0ull;
constexpr std::size_t kPage = 4096;

struct Free {
    void operator()(void *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

// Zeroed memory of exactly this size, so that a step beyond it is seen; the same each time.
void *memory_of(fc_u64 bytes) {
    static std::map<fc_u64, Memory> known;
    require(bytes < 64 << 20, "the core wants more memory than so small a cache can need");
    Memory &memory = known[bytes];
    if (!memory) {
        void *fresh = nullptr;
        require(posix_memalign(&fresh, kPage, bytes) == 0, "no memory");
        memory.reset(fresh);
    }
    return std::memset(memory.get(), 0, bytes);
}

} // namespace

Platform::Platform(Disk &ssd, Disk &origin) : ssd_(ssd), origin_(origin) {
    std::fill(std::begin(due_), std::end(due_), kNever);
}

Platform::~Platform() {
    require(!core_, "the core was left open");
}

int Platform::probe(fc_config &config) {
    return fc_core_probe(this, &config, memory_of(kPage));
}

int Platform::open(const fc_config &config) {
    core_ = fc_core_init(memory_of(fc_core_bytes(&config)), this, &config);
    const int status = fc_core_open(core_);
    if (status)
        core_ = nullptr;
    return status;
}

int Platform::close(bool keep_dirty) {
    const int status = fc_core_close(core_, keep_dirty);
    pump();
    core_ = nullptr;
    require(in_use_ == 0, "a job or a pending request was not given back");
    return status;
}

// Only between requests: so nobody holds anything but copies in progress, which are let end.
void Platform::crash() {
    while (!ends_.empty())
        pump();
    core_ = nullptr;
    std::fill(std::begin(due_), std::end(due_), kNever);
}

Platform::Written Platform::written(int dev) {
    return std::exchange(written_[dev], {});
}

void Platform::io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count) {
    if (io_op == FC_IO_FLUSH)
        return;
    if (io_op == FC_IO_READ) {
        std::memcpy(buffer, disk(dev).at(sector, count), count * kSector);
        return;
    }
    disk(dev).write(sector, buffer, count);
    written_[dev].first = std::min(written_[dev].first, sector);
    written_[dev].end = std::max(written_[dev].end, sector + count);
}

void Platform::complete(int status) {
    expect_unlocked();
    require(!ended_, "a request ended twice");
    ended_ = true;
    status_ = status;
}

void Platform::kick(int work, unsigned delay_ms) {
    due_[work] = std::min(due_[work], now_ms_ + delay_ms);
}

void Platform::lock(int change) {
    held_ += change;
    require(held_ >= 0 && held_ <= 2, "locks are nested");
}

int Platform::due() const {
    for (int work = 0; work < FC_NR_WORKS; work++)
        if (due_[work] <= now_ms_)
            return work;
    return -1;
}

void Platform::pump() {
    for (int rounds = 0; core_ && (!ends_.empty() || due() >= 0); rounds++) {
        require(rounds < 100000, "the core spins");
        if (!ends_.empty()) {
            const auto end = std::move(ends_.front());
            ends_.pop_front();
            end();
            continue;
        }
        const int work = due();
        due_[work] = kNever;
        if (work == FC_WORK_RUN)
            fc_core_run(core_);
        else if (work == FC_WORK_CHECKPOINT)
            fc_core_checkpoint(core_);
        else if (const unsigned ms = fc_core_writeback(core_))
            kick(work, ms);
    }
}

void Platform::pass(unsigned ms) {
    now_ms_ += ms;
    pump();
}

int Platform::run(fc_request &request) {
    ended_ = false;
    accepted_ = 0;
    const int action = fc_core_map(core_, &request);
    if (action == FC_ACT_COMPLETE) {
        complete(request.status);
    } else if (action != FC_ACT_TAKEN) {
        const int dev = action == FC_ACT_REMAP_CACHE ? FC_DEV_CACHE : FC_DEV_ORIGIN;
        const int io_op = request.op == FC_OP_READ ? FC_IO_READ : request.op == FC_OP_WRITE ? FC_IO_WRITE : FC_IO_FLUSH;
        io(dev, io_op, request.target_sector, data_, accepted_ ? accepted_ : request.nr_sectors);
        if (!fc_core_end_io(core_, &request, FC_OK))
            complete(request.status);
    }
    pump();
    require(ended_, "a request never ends");
    return status_;
}

int Platform::transfer(int op, fc_u64 sector, unsigned nr, char *data) {
    data_ = data;
    for (unsigned done = 0; done < nr;) {
        fc_request request = {};
        request.sector = sector + done;
        request.nr_sectors = nr - done;
        request.op = static_cast<unsigned char>(op);
        if (const int status = run(request))
            return status;
        const unsigned piece = accepted_ ? accepted_ : nr - done;
        done += piece;
        data_ += piece * kSector;
    }
    return FC_OK;
}

int Platform::flush(int dev) {
    fc_request request = {};
    request.op = FC_OP_FLUSH;
    request.flush_dev = static_cast<unsigned char>(dev);
    return run(request);
}
