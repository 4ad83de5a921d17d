// SPDX-License-Identifier: GPL-2.0-only
// What the core asks of its surroundings (fc_os_*() of abi.h), as a class: the simulator is one,
// the threaded stress another.  Names and meanings are those of abi.h.
#ifndef FLASHCACHE_TESTS_SIM_SURROUNDINGS_H
#define FLASHCACHE_TESTS_SIM_SURROUNDINGS_H

#include <cstdint>
#include <string>

#include "abi.h"

namespace sim {

class Surroundings {
public:
    virtual void accept(fc_request *req, uint64_t nr_sectors) = 0;
    virtual void complete(fc_request *req, int status) = 0;
    virtual void submit_part(fc_request *req, int dev, uint64_t sector, uint64_t offset,
                             uint64_t count) = 0;

    virtual fc_job *job_alloc() = 0;
    virtual void job_free(fc_job *job) = 0;
    virtual bool job_buffer(fc_job *job, uint64_t nr_sectors, bool reserve) = 0;
    virtual fc_pending *pending_alloc() = 0;
    virtual void pending_free(fc_pending *pending) = 0;

    virtual void copy_between(fc_job *job, uint64_t buffer_offset, fc_request *req,
                              uint64_t req_offset, uint64_t count, bool in) = 0;
    virtual uint32_t buffer_crc(fc_job *job, uint64_t offset, uint64_t count) = 0;

    virtual void job_io(fc_job *job, int dev, int io_op, uint64_t sector, uint64_t offset,
                        uint64_t count, unsigned int flags) = 0;
    virtual void copy(fc_job *job, uint64_t cache_sector, uint64_t origin_sector,
                      uint64_t count) = 0;
    virtual void async_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                          unsigned int flags, unsigned int token) = 0;
    virtual int sync_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                        unsigned int flags) = 0;

    virtual void lock(unsigned int lock) = 0;
    virtual void unlock(unsigned int lock) = 0;
    virtual void kick(int work, unsigned int delay_ms) = 0;
    virtual void wait(unsigned int timeout_ms) = 0;
    virtual void wake() = 0;
    virtual bool interrupted() = 0;
    virtual uint64_t now_ms() = 0;

    virtual void add_stat(int stat, unsigned int n) = 0;
    virtual uint64_t stat_sum(int stat) = 0;
    virtual void contradiction(const std::string &what) = 0; // fc_os_warn() and broken calls
    virtual bool logging() const { return false; }
    virtual void log(int level, const char *text) = 0;

protected:
    ~Surroundings() = default;
};

// What the core wants done in the background (FC_WORK_*).  Returns after how many ms again; 0: not.
unsigned int do_work(fc_core *core, int work);

} // namespace sim

#endif
