// SPDX-License-Identifier: GPL-2.0-only
//
// What the core asks of its surroundings while a cache is live, beside what core_host.cc answers.
// One thread runs the core, so that its locks have nothing to do.
#include <cstdio>
#include <cstdlib>

#include "live_cache.h"

namespace {

tools::LiveCache &of(void *os) {
    return *static_cast<tools::LiveCache *>(static_cast<tools::CoreHost *>(os));
}

// A request was never begun.
[[noreturn]] void unreachable() {
    std::fputs("the core served a request that nobody made\n", stderr);
    std::abort();
}

} // namespace

FC_OS fc_job *fc_os_job_alloc(void *) {
    return new fc_job{};
}
FC_OS void fc_os_job_free(void *, fc_job *job) {
    delete job;
}
FC_OS void fc_os_copy(void *os, fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector,
                      unsigned count) {
    of(os).copy(job, cache_sector, origin_sector, count);
}
FC_OS void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                          unsigned flags, unsigned token) {
    of(os).async_io(dev, io_op, sector, buffer, count, flags, token);
}
FC_OS unsigned long fc_os_lock(void *, unsigned) {
    return 0;
}
FC_OS void fc_os_unlock(void *, unsigned, unsigned long) {}
FC_OS void fc_os_kick(void *os, int work, unsigned delay_ms) {
    of(os).kick(work, delay_ms);
}
FC_OS void fc_os_wait(void *os, unsigned timeout_ms) {
    of(os).wait(timeout_ms);
}
FC_OS void fc_os_wake(void *os) {
    of(os).wake();
}
FC_OS int fc_os_interrupted(void *os) {
    return of(os).interrupted() ? 1 : 0;
}
FC_OS void fc_os_resched(void *) {}

FC_OS fc_u64 fc_os_now_ms(void *os) {
    return of(os).now_ms();
}
FC_OS fc_u64 fc_os_stat_sum(void *, int) {
    return 0;
}
FC_OS void fc_os_warn(void *, const char *what) {
    std::fprintf(stderr, "a contradiction inside the cache: %s\n", what);
}

// ---- of requests

FC_OS void fc_os_accept(void *, fc_request *, unsigned) {
    unreachable();
}
FC_OS void fc_os_complete(void *, fc_request *, int) {
    unreachable();
}
FC_OS void fc_os_submit_part(void *, fc_request *, int, fc_u64, unsigned, unsigned) {
    unreachable();
}
FC_OS int fc_os_job_buffer(void *, fc_job *, unsigned, int) {
    unreachable();
}
FC_OS fc_pending *fc_os_pending_alloc(void *) {
    unreachable();
}
FC_OS void fc_os_pending_free(void *, fc_pending *) {
    unreachable();
}
FC_OS void fc_os_copy_in(void *, fc_job *, unsigned, fc_request *, unsigned, unsigned) {
    unreachable();
}
FC_OS void fc_os_copy_out(void *, fc_job *, unsigned, fc_request *, unsigned, unsigned) {
    unreachable();
}
FC_OS unsigned fc_os_buffer_crc(void *, fc_job *, unsigned, unsigned) {
    unreachable();
}
FC_OS void fc_os_job_io(void *, fc_job *, int, int, fc_u64, unsigned, unsigned, unsigned) {
    unreachable();
}
