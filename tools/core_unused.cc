// SPDX-License-Identifier: GPL-2.0-only
//
// What the core asks of its surroundings while a cache is live.  The linker wants it, because the
// functions that the tools call stand in the same files; a tool never starts a cache in its own
// process, so nothing here is ever reached.
#include <cstdlib>

#include "core/abi.h"

FC_OS void fc_os_accept(void *, fc_request *, unsigned) {
    std::abort();
}
FC_OS void fc_os_complete(void *, fc_request *, int) {
    std::abort();
}
FC_OS void fc_os_submit_part(void *, fc_request *, int, fc_u64, unsigned, unsigned) {
    std::abort();
}
FC_OS fc_job *fc_os_job_alloc(void *) {
    std::abort();
}
FC_OS void fc_os_job_free(void *, fc_job *) {
    std::abort();
}
FC_OS int fc_os_job_buffer(void *, fc_job *, unsigned, int) {
    std::abort();
}
FC_OS fc_pending *fc_os_pending_alloc(void *) {
    std::abort();
}
FC_OS void fc_os_pending_free(void *, fc_pending *) {
    std::abort();
}
FC_OS void fc_os_copy_in(void *, fc_job *, unsigned, fc_request *, unsigned, unsigned) {
    std::abort();
}
FC_OS void fc_os_copy_out(void *, fc_job *, unsigned, fc_request *, unsigned, unsigned) {
    std::abort();
}
FC_OS unsigned fc_os_buffer_crc(void *, fc_job *, unsigned, unsigned) {
    std::abort();
}
FC_OS void fc_os_job_io(void *, fc_job *, int, int, fc_u64, unsigned, unsigned, unsigned) {
    std::abort();
}
FC_OS void fc_os_copy(void *, fc_job *, fc_u64, fc_u64, unsigned) {
    std::abort();
}
FC_OS void fc_os_async_io(void *, int, int, fc_u64, void *, unsigned, unsigned, unsigned) {
    std::abort();
}
FC_OS unsigned long fc_os_lock(void *, unsigned) {
    std::abort();
}
FC_OS void fc_os_unlock(void *, unsigned, unsigned long) {
    std::abort();
}
FC_OS void fc_os_kick(void *, int, unsigned) {
    std::abort();
}
FC_OS void fc_os_wait(void *, unsigned) {
    std::abort();
}
FC_OS void fc_os_wake(void *) {
    std::abort();
}
FC_OS int fc_os_interrupted(void *) {
    std::abort();
}
FC_OS fc_u64 fc_os_now_ms(void *) {
    std::abort();
}
FC_OS fc_u64 fc_os_stat_sum(void *, int) {
    std::abort();
}
FC_OS void fc_os_warn(void *, const char *) {
    std::abort();
}
