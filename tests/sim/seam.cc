// SPDX-License-Identifier: GPL-2.0-only
// fc_os_*(): hands on what the core asks for; and the work that it asks for.
#include <cstdarg>
#include <cstdio>

#include "crc32c.h"
#include "surroundings.h"

static sim::Surroundings &at(void *os) {
    return *static_cast<sim::Surroundings *>(os);
}

unsigned int sim::do_work(fc_core *core, int work) {
    if (work == FC_WORK_WRITEBACK)
        return fc_core_writeback(core);
    if (work == FC_WORK_RUN)
        fc_core_run(core);
    else
        fc_core_checkpoint(core);
    return 0;
}

extern "C" {

void fc_os_accept(void *os, fc_request *req, unsigned int nr_sectors) {
    at(os).accept(req, nr_sectors);
}

void fc_os_complete(void *os, fc_request *req, int status) {
    at(os).complete(req, status);
}

void fc_os_submit_part(void *os, fc_request *req, int dev, fc_u64 dev_sector, unsigned int offset,
                       unsigned int count) {
    at(os).submit_part(req, dev, dev_sector, offset, count);
}

fc_job *fc_os_job_alloc(void *os) {
    return at(os).job_alloc();
}

void fc_os_job_free(void *os, fc_job *job) {
    at(os).job_free(job);
}

int fc_os_job_buffer(void *os, fc_job *job, unsigned int nr_sectors, int reserve) {
    return at(os).job_buffer(job, nr_sectors, reserve) ? 0 : -1;
}

fc_pending *fc_os_pending_alloc(void *os) {
    return at(os).pending_alloc();
}

void fc_os_pending_free(void *os, fc_pending *pending) {
    at(os).pending_free(pending);
}

void fc_os_copy_in(void *os, fc_job *job, unsigned int buffer_offset, fc_request *req,
                   unsigned int req_offset, unsigned int count) {
    at(os).copy_between(job, buffer_offset, req, req_offset, count, true);
}

void fc_os_copy_out(void *os, fc_job *job, unsigned int buffer_offset, fc_request *req,
                    unsigned int req_offset, unsigned int count) {
    at(os).copy_between(job, buffer_offset, req, req_offset, count, false);
}

unsigned int fc_os_buffer_crc(void *os, fc_job *job, unsigned int offset, unsigned int count) {
    return at(os).buffer_crc(job, offset, count);
}

void fc_os_job_io(void *os, fc_job *job, int dev, int io_op, fc_u64 dev_sector,
                  unsigned int buffer_offset, unsigned int count, unsigned int flags) {
    at(os).job_io(job, dev, io_op, dev_sector, buffer_offset, count, flags);
}

void fc_os_copy(void *os, fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector,
                unsigned int count) {
    at(os).copy(job, cache_sector, origin_sector, count);
}

void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned int count,
                    unsigned int flags, unsigned int token) {
    at(os).async_io(dev, io_op, sector, buffer, count, flags, token);
}

int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned int count,
                  unsigned int flags) {
    return at(os).sync_io(dev, io_op, sector, buffer, count, flags);
}

unsigned long fc_os_lock(void *os, unsigned int lock) {
    at(os).lock(lock);
    return lock ^ 0x5eedul;
}

void fc_os_unlock(void *os, unsigned int lock, unsigned long flags) {
    if (flags != (lock ^ 0x5eedul))
        at(os).contradiction("fc_os_unlock: not the flags that fc_os_lock() returned");
    at(os).unlock(lock);
}

void fc_os_kick(void *os, int work, unsigned int delay_ms) {
    at(os).kick(work, delay_ms);
}

void fc_os_wait(void *os, unsigned int timeout_ms) {
    at(os).wait(timeout_ms);
}

void fc_os_wake(void *os) {
    at(os).wake();
}

int fc_os_interrupted(void *os) {
    return at(os).interrupted();
}

void fc_os_resched(void *) {}

fc_u64 fc_os_now_ms(void *os) {
    return at(os).now_ms();
}

unsigned int fc_os_crc32c(unsigned int seed, const void *data, unsigned long bytes) {
    return sim::crc32c(seed, data, bytes);
}

void fc_os_stat(void *os, int stat, unsigned int n) {
    at(os).add_stat(stat, n);
}

fc_u64 fc_os_stat_sum(void *os, int stat) {
    return at(os).stat_sum(stat);
}

void fc_os_warn(void *os, const char *what) {
    at(os).contradiction(std::string("fc_os_warn: ") + what);
}

void fc_os_log(void *os, int level, const char *format, ...) {
    if (!at(os).logging())
        return;
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    at(os).log(level, text);
}

} // extern "C"
