// SPDX-License-Identifier: GPL-2.0-only
// What the core may ask for.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "world.h"

namespace sim {

void World::accept(fc_request *req, uint64_t nr_sectors) {
    auto *call = static_cast<MapCall *>(Fiber::current()->local);
    if (!call || &call->bio->req != req || call->accepted)
        scheduler_.fail("fc_os_accept: not once, within fc_core_map()", req->sector);
    if (!nr_sectors || nr_sectors > call->bio->count)
        scheduler_.fail("fc_os_accept: " + std::to_string(nr_sectors) + " sectors", req->sector);
    if (call->bio->ios)
        scheduler_.fail("fc_os_accept: after I/O was submitted", req->sector);
    call->accepted = nr_sectors;
    call->bio->count = nr_sectors;
}

void World::complete(fc_request *req, int status) {
    scheduler_.check_unlocked("fc_os_complete");
    auto *bio = reinterpret_cast<Bio *>(req);
    if (!bios_.owns(bio))
        scheduler_.fail("fc_os_complete: a request that had ended");
    end_bio(bio, status);
}

fc_job *World::job_alloc() {
    const bool short_of = !jobs_.empty() && rng_.per_mille(profile_.no_memory_per_mille);
    if (short_of || jobs_.size() >= profile_.max_jobs) {
        starved_ = true;
        return nullptr;
    }
    return &jobs_.get()->job;
}

void World::job_free(fc_job *job) {
    auto *memory = reinterpret_cast<JobMemory *>(job);
    if (!jobs_.owns(memory))
        scheduler_.fail("fc_os_job_free: a job that was free");
    if (memory->ios)
        scheduler_.fail("fc_os_job_free: I/O of the job is in flight");
    jobs_.put(memory);
    if (starved_)
        scheduler_.kick(FC_WORK_RUN, 0);
    starved_ = false;
}

bool World::job_buffer(fc_job *job, uint64_t nr_sectors, bool reserve) {
    auto *memory = reinterpret_cast<JobMemory *>(job);
    if (!nr_sectors || nr_sectors > FC_JOB_MAX_SECTORS || !memory->buffer.empty())
        scheduler_.fail("fc_os_job_buffer: " + std::to_string(nr_sectors) + " sectors");
    if (rng_.per_mille(profile_.no_memory_per_mille) && (!reserve || jobs_.size() > 1)) {
        starved_ = true;
        return false;
    }
    memory->buffer.assign(nr_sectors, Sector::user(1, 0));
    return true;
}

fc_pending *World::pending_alloc() {
    if (!pendings_.empty() && rng_.per_mille(profile_.no_memory_per_mille)) {
        starved_ = true;
        return nullptr;
    }
    return &pendings_.get()->pending;
}

void World::pending_free(fc_pending *pending) {
    auto *memory = reinterpret_cast<PendingMemory *>(pending);
    if (!pendings_.owns(memory))
        scheduler_.fail("fc_os_pending_free: was free");
    pendings_.put(memory);
    if (starved_)
        scheduler_.kick(FC_WORK_RUN, 0);
    starved_ = false;
}

void World::copy_between(fc_job *job, uint64_t buffer_offset, fc_request *req, uint64_t req_offset,
                         uint64_t count, bool in) {
    auto *memory = reinterpret_cast<JobMemory *>(job);
    auto *bio = reinterpret_cast<Bio *>(req);
    if (!bios_.owns(bio) || (!in && bio->op->kind != OpKind::kRead))
        scheduler_.fail("a copy from or to a request that has ended or has no data");
    if (buffer_offset + count > memory->buffer.size() || req_offset + count > bio->count)
        scheduler_.fail("a copy beyond the job's buffer or the request", req->sector);
    for (uint64_t i = 0; i < count; i++) {
        Sector &buffer = memory->buffer[buffer_offset + i];
        if (bio->op->kind == OpKind::kWriteZeroes && in)
            buffer = Sector();
        else if (in)
            buffer = bio->op->data[bio->offset + req_offset + i];
        else
            bio->op->data[bio->offset + req_offset + i] = buffer;
    }
}

uint32_t World::buffer_crc(fc_job *job, uint64_t offset, uint64_t count) {
    auto *memory = reinterpret_cast<JobMemory *>(job);
    if (offset + count > memory->buffer.size())
        scheduler_.fail("a checksum of what is beyond the job's buffer");
    uint32_t crc = 0;
    for (uint64_t i = 0; i < count; i++)
        crc = memory->buffer[offset + i].crc(crc);
    return crc;
}

bool World::interrupted() {
    return interrupt_ && rng_.one_in(4);
}

} // namespace sim

using sim::World;

static World &world(void *os) {
    return *static_cast<World *>(os);
}

extern "C" {

void fc_os_accept(void *os, fc_request *req, unsigned int nr_sectors) {
    world(os).accept(req, nr_sectors);
}

void fc_os_complete(void *os, fc_request *req, int status) {
    world(os).complete(req, status);
}

void fc_os_submit_part(void *os, fc_request *req, int dev, fc_u64 dev_sector, unsigned int offset,
                       unsigned int count) {
    world(os).submit_part(req, dev, dev_sector, offset, count);
}

fc_job *fc_os_job_alloc(void *os) {
    return world(os).job_alloc();
}

void fc_os_job_free(void *os, fc_job *job) {
    world(os).job_free(job);
}

int fc_os_job_buffer(void *os, fc_job *job, unsigned int nr_sectors, int reserve) {
    return world(os).job_buffer(job, nr_sectors, reserve) ? 0 : -1;
}

fc_pending *fc_os_pending_alloc(void *os) {
    return world(os).pending_alloc();
}

void fc_os_pending_free(void *os, fc_pending *pending) {
    world(os).pending_free(pending);
}

void fc_os_copy_in(void *os, fc_job *job, unsigned int buffer_offset, fc_request *req,
                   unsigned int req_offset, unsigned int count) {
    world(os).copy_between(job, buffer_offset, req, req_offset, count, true);
}

void fc_os_copy_out(void *os, fc_job *job, unsigned int buffer_offset, fc_request *req,
                    unsigned int req_offset, unsigned int count) {
    world(os).copy_between(job, buffer_offset, req, req_offset, count, false);
}

unsigned int fc_os_buffer_crc(void *os, fc_job *job, unsigned int offset, unsigned int count) {
    return world(os).buffer_crc(job, offset, count);
}

void fc_os_job_io(void *os, fc_job *job, int dev, int io_op, fc_u64 dev_sector,
                  unsigned int buffer_offset, unsigned int count, unsigned int flags) {
    world(os).job_io(job, dev, io_op, dev_sector, buffer_offset, count, flags);
}

void fc_os_copy(void *os, fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector, unsigned int count) {
    world(os).copy(job, cache_sector, origin_sector, count);
}

void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned int count,
                    unsigned int flags, unsigned int token) {
    world(os).async_io(dev, io_op, sector, buffer, count, flags, token);
}

int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned int count,
                  unsigned int flags) {
    return world(os).sync_io(dev, io_op, sector, buffer, count, flags);
}

unsigned long fc_os_lock(void *os, unsigned int lock) {
    world(os).scheduler().lock(lock);
    return lock ^ 0x5eedul;
}

void fc_os_unlock(void *os, unsigned int lock, unsigned long flags) {
    if (flags != (lock ^ 0x5eedul))
        world(os).scheduler().fail("fc_os_unlock: not the flags that fc_os_lock() returned");
    world(os).scheduler().unlock(lock);
}

void fc_os_kick(void *os, int work, unsigned int delay_ms) {
    world(os).scheduler().kick(static_cast<unsigned int>(work), delay_ms);
    world(os).scheduler().preempt();
}

void fc_os_wait(void *os, unsigned int timeout_ms) {
    world(os).scheduler().check_may_sleep("fc_os_wait");
    world(os).scheduler().sleep(timeout_ms * 1000ull, true);
}

void fc_os_wake(void *os) {
    world(os).scheduler().wake();
}

int fc_os_interrupted(void *os) {
    return world(os).interrupted();
}

fc_u64 fc_os_now_ms(void *os) {
    return world(os).scheduler().now_us() / 1000;
}

unsigned int fc_os_crc32c(unsigned int seed, const void *data, unsigned long bytes) {
    return sim::crc32c(seed, data, bytes);
}

void fc_os_stat(void *os, int stat, unsigned int n) {
    world(os).stat(stat) += n;
    world(os).scheduler().preempt();
}

fc_u64 fc_os_stat_sum(void *os, int stat) {
    return world(os).stat(stat);
}

void fc_os_warn(void *os, const char *what) {
    world(os).scheduler().fail(std::string("fc_os_warn: ") + what);
}

void fc_os_log(void *os, int level, const char *format, ...) {
    if (!world(os).trace().on())
        return;
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    world(os).trace().line("core   log %d: %s", level, text);
}

} // extern "C"
