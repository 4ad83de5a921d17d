// SPDX-License-Identifier: GPL-2.0-only
#include "tiny_world.h"

#include <algorithm>
#include <cstring>

namespace {

constexpr unsigned kSectorBytes = 512;
constexpr std::uintptr_t kAlignment = 4096;

// What fc_os_job_alloc() gives out; the job comes first.
struct TinyJob {
    fc_job job = {};
    std::vector<char> buffer;
};

TinyWorld &world_of(void *os) {
    return *static_cast<TinyWorld *>(os);
}

char *buffer_of(fc_job *job, unsigned offset) {
    return reinterpret_cast<TinyJob *>(job)->buffer.data() + offset * kSectorBytes;
}

void transfer_now(TinyWorld &world, int dev, int io_op, fc_u64 sector, void *buffer, unsigned n) {
    if (io_op == FC_IO_READ)
        std::memcpy(buffer, world.at(dev, sector), n * kSectorBytes);
    else if (io_op == FC_IO_WRITE)
        std::memcpy(world.at(dev, sector), buffer, n * kSectorBytes);
}

} // namespace

TinyWorld::TinyWorld(std::uint64_t cache_sectors, std::uint64_t origin_sectors) {
    device_[FC_DEV_CACHE].resize(cache_sectors * kSectorBytes);
    device_[FC_DEV_ORIGIN].resize(origin_sectors * kSectorBytes);
}

TinyWorld::~TinyWorld() = default;

int TinyWorld::format(const fc_config &config) {
    config_ = config;
    std::vector<char> scratch(FC_SCRATCH_BYTES);
    return fc_core_format(this, &config_, scratch.data());
}

int TinyWorld::open() {
    char scratch[4096];
    if (const int bad = fc_core_probe(this, &config_, scratch))
        return bad;
    memory_.assign(fc_core_bytes(&config_) + kAlignment, 0);
    const auto start = reinterpret_cast<std::uintptr_t>(memory_.data());
    const std::uintptr_t aligned = (start + kAlignment - 1) / kAlignment * kAlignment;
    core_ = fc_core_init(reinterpret_cast<void *>(aligned), this, &config_);
    return fc_core_open(core_);
}

int TinyWorld::close(bool keep_dirty) {
    const int status = fc_core_close(core_, keep_dirty);
    pump();
    core_ = nullptr;
    return status;
}

void TinyWorld::complete(int status) {
    completed_ = true;
    status_ = status;
}

void TinyWorld::pump() {
    for (;;) {
        if (!ends_.empty()) {
            const auto end = std::move(ends_.front());
            ends_.pop_front();
            end();
        } else if (kicked_[FC_WORK_RUN]) {
            kicked_[FC_WORK_RUN] = false;
            fc_core_run(core_);
        } else if (kicked_[FC_WORK_WRITEBACK]) {
            kicked_[FC_WORK_WRITEBACK] = false;
            fc_core_writeback(core_);
        } else if (kicked_[FC_WORK_CHECKPOINT]) {
            kicked_[FC_WORK_CHECKPOINT] = false;
            fc_core_checkpoint(core_);
        } else {
            return;
        }
    }
}

void TinyWorld::checkpoint() {
    fc_core_checkpoint(core_);
    pump();
}

int TinyWorld::run(fc_request &request) {
    completed_ = false;
    const int action = fc_core_map(core_, &request);
    if (action == FC_ACT_REMAP_CACHE || action == FC_ACT_REMAP_ORIGIN) {
        const int dev = action == FC_ACT_REMAP_CACHE ? FC_DEV_CACHE : FC_DEV_ORIGIN;
        transfer_now(*this, dev, request.op == FC_OP_READ ? FC_IO_READ : FC_IO_WRITE,
                     request.target_sector, data_.data(), request.nr_sectors);
        if (!fc_core_end_io(core_, &request, FC_OK))
            complete(request.status);
    } else if (action == FC_ACT_COMPLETE) {
        complete(request.status);
    }
    pump();
    return completed_ ? status_ : -1;
}

int TinyWorld::transfer(int op, std::uint64_t sector, unsigned nr_sectors) {
    fc_request request = {};
    request.sector = sector;
    request.nr_sectors = nr_sectors;
    request.op = static_cast<unsigned char>(op);
    return run(request);
}

int TinyWorld::write(std::uint64_t sector, const std::string &data) {
    data_ = data;
    return transfer(FC_OP_WRITE, sector, static_cast<unsigned>(data.size() / kSectorBytes));
}

int TinyWorld::discard(std::uint64_t sector, unsigned nr_sectors) {
    return transfer(FC_OP_DISCARD, sector, nr_sectors);
}

std::string TinyWorld::read(std::uint64_t sector, unsigned nr_sectors) {
    data_.assign(nr_sectors * kSectorBytes, '\0');
    return transfer(FC_OP_READ, sector, nr_sectors) == FC_OK ? data_ : "";
}

std::vector<unsigned char> TinyWorld::sector(std::uint64_t number) const {
    const auto *from = device_[FC_DEV_CACHE].data() + number * kSectorBytes;
    return {from, from + kSectorBytes};
}

// ---- what the core calls

// Requests of the tests are never longer than what one treatment serves.
FC_OS void fc_os_accept(void *, fc_request *, unsigned) {
    std::abort();
}

FC_OS void fc_os_complete(void *os, fc_request *, int status) {
    world_of(os).complete(status);
}

FC_OS void fc_os_submit_part(void *os, fc_request *req, int dev, fc_u64 dev_sector, unsigned offset,
                             unsigned count) {
    TinyWorld &world = world_of(os);
    world.later([&world, req, dev, dev_sector, offset, count] {
        if (req->op == FC_OP_READ || req->op == FC_OP_WRITE)
            transfer_now(world, dev, req->op == FC_OP_READ ? FC_IO_READ : FC_IO_WRITE, dev_sector,
                         world.request_data().data() + offset * kSectorBytes, count);
        fc_core_part_done(world.core(), req, FC_OK);
    });
}

FC_OS fc_job *fc_os_job_alloc(void *) {
    return &(new TinyJob)->job;
}

FC_OS void fc_os_job_free(void *, fc_job *job) {
    delete reinterpret_cast<TinyJob *>(job);
}

FC_OS int fc_os_job_buffer(void *, fc_job *job, unsigned nr_sectors, int) {
    reinterpret_cast<TinyJob *>(job)->buffer.resize(nr_sectors * kSectorBytes);
    return 0;
}

FC_OS fc_pending *fc_os_pending_alloc(void *) {
    return new fc_pending{};
}

FC_OS void fc_os_pending_free(void *, fc_pending *pending) {
    delete pending;
}

FC_OS void fc_os_copy_in(void *os, fc_job *job, unsigned buffer_offset, fc_request *,
                         unsigned req_offset, unsigned count) {
    std::memcpy(buffer_of(job, buffer_offset),
                world_of(os).request_data().data() + req_offset * kSectorBytes,
                count * kSectorBytes);
}

FC_OS void fc_os_copy_out(void *os, fc_job *job, unsigned buffer_offset, fc_request *,
                          unsigned req_offset, unsigned count) {
    std::memcpy(world_of(os).request_data().data() + req_offset * kSectorBytes,
                buffer_of(job, buffer_offset), count * kSectorBytes);
}

FC_OS unsigned fc_os_buffer_crc(void *os, fc_job *job, unsigned offset, unsigned count) {
    (void)os;
    return fc_os_crc32c(0, buffer_of(job, offset), count * kSectorBytes);
}

FC_OS void fc_os_job_io(void *os, fc_job *job, int dev, int io_op, fc_u64 dev_sector,
                        unsigned buffer_offset, unsigned count, unsigned) {
    TinyWorld &world = world_of(os);
    world.later([&world, job, dev, io_op, dev_sector, buffer_offset, count] {
        transfer_now(world, dev, io_op, dev_sector, buffer_of(job, buffer_offset), count);
        fc_core_job_io_done(world.core(), job, dev, FC_OK);
    });
}

FC_OS void fc_os_copy(void *os, fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector,
                      unsigned count) {
    TinyWorld &world = world_of(os);
    world.later([&world, job, cache_sector, origin_sector, count] {
        transfer_now(world, FC_DEV_CACHE, FC_IO_READ, cache_sector,
                     world.at(FC_DEV_ORIGIN, origin_sector), count);
        fc_core_job_io_done(world.core(), job, FC_DEV_ORIGIN, FC_OK);
    });
}

FC_OS void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                          unsigned, unsigned token) {
    TinyWorld &world = world_of(os);
    world.later([&world, dev, io_op, sector, buffer, count, token] {
        transfer_now(world, dev, io_op, sector, buffer, count);
        fc_core_async_done(world.core(), token, FC_OK);
    });
}

FC_OS int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                        unsigned) {
    transfer_now(world_of(os), dev, io_op, sector, buffer, count);
    return FC_OK;
}

FC_OS unsigned long fc_os_lock(void *, unsigned) {
    return 0;
}

FC_OS void fc_os_unlock(void *, unsigned, unsigned long) {}

// Work that is wanted later is not wanted here: the clock stands still.
FC_OS void fc_os_kick(void *os, int work, unsigned delay_ms) {
    if (!delay_ms)
        world_of(os).kick(work);
}

FC_OS void fc_os_wait(void *os, unsigned) {
    world_of(os).pump();
}

FC_OS void fc_os_wake(void *) {}

FC_OS int fc_os_interrupted(void *) {
    return 0;
}

FC_OS void fc_os_resched(void *) {}

FC_OS fc_u64 fc_os_now_ms(void *) {
    return 1;
}

FC_OS unsigned fc_os_crc32c(unsigned seed, const void *data, unsigned long bytes) {
    const auto *at = static_cast<const unsigned char *>(data);
    unsigned crc = ~seed;
    for (; bytes; bytes--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

FC_OS void fc_os_stat(void *, int, unsigned) {}

FC_OS fc_u64 fc_os_stat_sum(void *, int) {
    return 0;
}

FC_OS void fc_os_warn(void *, const char *) {
    std::abort();
}

FC_OS void fc_os_log(void *, int, const char *, ...) {}
