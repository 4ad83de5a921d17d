// SPDX-License-Identifier: GPL-2.0-only
//
// What the core calls.
#include <cstdarg>

#include "platform.h"

namespace {

struct PlatformJob {
    fc_job job = {}; // first
    std::vector<char> buffer;
};

Platform &of(void *os) {
    return *static_cast<Platform *>(os);
}

char *buffer_of(fc_job *job, unsigned offset, unsigned count) {
    std::vector<char> &buffer = reinterpret_cast<PlatformJob *>(job)->buffer;
    require((fc_u64{offset} + count) * kSector <= buffer.size(), "beyond a job's buffer");
    return buffer.data() + offset * kSector;
}

} // namespace

FC_OS void fc_os_accept(void *os, fc_request *req, unsigned nr_sectors) {
    require(nr_sectors > 0 && nr_sectors < req->nr_sectors, "accepts nothing, or all");
    of(os).accept(nr_sectors);
}

FC_OS void fc_os_complete(void *os, fc_request *, int status) {
    of(os).complete(status);
}

FC_OS void fc_os_submit_part(void *os, fc_request *req, int dev, fc_u64 dev_sector, unsigned offset,
                             unsigned count) {
    Platform &platform = of(os);
    platform.expect_unlocked();
    platform.later([&platform, req, dev, dev_sector, offset, count] {
        std::vector<char> zeroes(req->op > FC_OP_WRITE ? count * kSector : 0);
        char *data = zeroes.empty() ? platform.data() + offset * kSector : zeroes.data();
        platform.io(dev, req->op == FC_OP_READ ? FC_IO_READ : FC_IO_WRITE, dev_sector, data, count);
        fc_core_part_done(platform.core(), req, FC_OK);
    });
}

FC_OS fc_job *fc_os_job_alloc(void *os) {
    of(os).count_memory(1);
    return &(new PlatformJob)->job;
}

FC_OS void fc_os_job_free(void *os, fc_job *job) {
    of(os).count_memory(-1);
    delete reinterpret_cast<PlatformJob *>(job);
}

FC_OS int fc_os_job_buffer(void *, fc_job *job, unsigned nr_sectors, int) {
    reinterpret_cast<PlatformJob *>(job)->buffer.resize(nr_sectors * kSector);
    return 0;
}

FC_OS fc_pending *fc_os_pending_alloc(void *os) {
    of(os).count_memory(1);
    return new fc_pending{};
}

FC_OS void fc_os_pending_free(void *os, fc_pending *pending) {
    of(os).count_memory(-1);
    delete pending;
}

FC_OS void fc_os_copy_in(void *os, fc_job *job, unsigned buffer_offset, fc_request *req,
                         unsigned req_offset, unsigned count) {
    char *to = buffer_of(job, buffer_offset, count);
    if (req->op == FC_OP_WRITE_ZEROES)
        std::memset(to, 0, count * kSector);
    else
        std::memcpy(to, of(os).data() + req_offset * kSector, count * kSector);
}

FC_OS void fc_os_copy_out(void *os, fc_job *job, unsigned buffer_offset, fc_request *,
                          unsigned req_offset, unsigned count) {
    std::memcpy(of(os).data() + req_offset * kSector, buffer_of(job, buffer_offset, count), count * kSector);
}

FC_OS unsigned fc_os_buffer_crc(void *, fc_job *job, unsigned offset, unsigned count) {
    return fc_os_crc32c(0, buffer_of(job, offset, count), count * kSector);
}

FC_OS void fc_os_job_io(void *os, fc_job *job, int dev, int io_op, fc_u64 dev_sector,
                        unsigned buffer_offset, unsigned count, unsigned) {
    Platform &platform = of(os);
    platform.expect_unlocked();
    platform.later([&platform, job, dev, io_op, dev_sector, buffer_offset, count] {
        platform.io(dev, io_op, dev_sector, buffer_of(job, buffer_offset, count), count);
        fc_core_job_io_done(platform.core(), job, dev, FC_OK);
    });
}

FC_OS void fc_os_copy(void *os, fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector, unsigned count) {
    Platform &platform = of(os);
    platform.expect_unlocked();
    platform.later([&platform, job, cache_sector, origin_sector, count] {
        std::vector<char> bytes(count * kSector);
        platform.io(FC_DEV_CACHE, FC_IO_READ, cache_sector, bytes.data(), count);
        platform.io(FC_DEV_ORIGIN, FC_IO_WRITE, origin_sector, bytes.data(), count);
        fc_core_job_io_done(platform.core(), job, FC_DEV_ORIGIN, FC_OK);
    });
}

FC_OS void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                          unsigned, unsigned token) {
    Platform &platform = of(os);
    platform.expect_unlocked();
    platform.later([&platform, dev, io_op, sector, buffer, count, token] {
        platform.io(dev, io_op, sector, buffer, count);
        fc_core_async_done(platform.core(), token, FC_OK);
    });
}

FC_OS int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                        unsigned) {
    of(os).expect_unlocked();
    of(os).io(dev, io_op, sector, buffer, count);
    return FC_OK;
}

FC_OS unsigned long fc_os_lock(void *os, unsigned) {
    of(os).lock(1);
    return 0;
}

FC_OS void fc_os_unlock(void *os, unsigned, unsigned long) {
    of(os).lock(-1);
}

FC_OS void fc_os_kick(void *os, int work, unsigned delay_ms) {
    of(os).kick(work, delay_ms);
}

FC_OS void fc_os_wait(void *os, unsigned timeout_ms) {
    of(os).expect_unlocked();
    of(os).pass(timeout_ms);
}

FC_OS void fc_os_wake(void *) {}

FC_OS int fc_os_interrupted(void *) {
    return 0;
}

FC_OS void fc_os_resched(void *) {}

FC_OS fc_u64 fc_os_now_ms(void *os) {
    return of(os).now_ms();
}

FC_OS void fc_os_stat(void *, int stat, unsigned) {
    require(stat >= 0 && stat < FC_NR_STATS, "a counter that there is not");
}

FC_OS fc_u64 fc_os_stat_sum(void *, int) {
    return 0;
}

FC_OS void fc_os_warn(void *, const char *what) {
    require(false, what);
}

// Nobody reads it, but its arguments must be there.
FC_OS void fc_os_log(void *, int, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
}
