// SPDX-License-Identifier: GPL-2.0-only
// What the core may ask for.
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
    fc_job &job = jobs_.get()->job;
    std::memset(job.way, 0xa5, sizeof(job.way));
    std::memset(job.crc, 0xa5, sizeof(job.crc));
    return &job;
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
    if (!bios_.owns(bio) || (!in && bio->op->kind != DevOp::kRead))
        scheduler_.fail("a copy from or to a request that has ended or has no data");
    if (buffer_offset + count > memory->buffer.size() || req_offset + count > bio->count)
        scheduler_.fail("a copy beyond the job's buffer or the request", req->sector);
    for (uint64_t i = 0; i < count; i++) {
        Sector &buffer = memory->buffer[buffer_offset + i];
        if (bio->op->kind == DevOp::kWriteZeroes && in)
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

void World::kick(int work, unsigned int delay_ms) {
    scheduler_.kick(static_cast<unsigned int>(work), delay_ms);
    scheduler_.preempt();
}

void World::wait(unsigned int timeout_ms) {
    scheduler_.check_may_sleep("fc_os_wait");
    scheduler_.sleep(timeout_ms * 1000ull, true);
}

void World::add_stat(int stat, unsigned int n) {
    totals_.core_stat[stat] += n;
    scheduler_.preempt();
}

bool World::interrupted() {
    return interrupt_ && rng_.one_in(4);
}

} // namespace sim
