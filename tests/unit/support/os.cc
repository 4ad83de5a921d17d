// SPDX-License-Identifier: GPL-2.0-only
//
// What the core calls.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include <gtest/gtest.h>

#include "job_memory.h"
#include "world.h"

namespace {

World &world(void *os) {
    return *static_cast<World *>(os);
}

UserRequest &user_of(fc_request *req) {
    return *reinterpret_cast<UserRequest *>(req); // req is its first member
}

bool runs_out(unsigned &left) {
    return left && left--;
}

constexpr Op kIoOps[] = {Op::read, Op::write, Op::flush};
constexpr Op kRequestOps[] = {Op::read, Op::write, Op::discard, Op::zeroes, Op::flush};

Io io_of(Io::Kind kind, int dev, Op op, fc_u64 sector, unsigned count, unsigned flags) {
    Io io;
    io.kind = kind;
    io.dev = dev;
    io.op = op;
    io.sector = sector;
    io.count = count;
    io.flags = flags;
    return io;
}

} // namespace

FC_OS void fc_os_accept(void *, fc_request *req, unsigned nr_sectors) {
    UserRequest &user = user_of(req);
    EXPECT_EQ(user.accepted, 0u) << "accepted twice";
    EXPECT_LT(nr_sectors, req->nr_sectors);
    user.accepted = nr_sectors;
    user.data.resize(nr_sectors * 512);
}

FC_OS void fc_os_complete(void *os, fc_request *req, int status) {
    world(os).check_unlocked("complete");
    World::end(user_of(req), status);
}

FC_OS void fc_os_submit_part(void *os, fc_request *req, int dev, fc_u64 dev_sector, unsigned offset,
                             unsigned count) {
    world(os).check_unlocked("submit_part");
    Io io = io_of(Io::kPart, dev, kRequestOps[req->op], dev_sector, count,
                  req->flags & FC_REQ_FUA ? FC_IO_FUA : 0);
    io.user = &user_of(req);
    io.offset = offset;
    world(os).start(io);
}

FC_OS fc_job *fc_os_job_alloc(void *os) {
    world(os).allocations++;
    if (runs_out(world(os).no_jobs))
        return nullptr;
    auto *memory = new JobMemory;
    std::memset(memory->job.way, 0xa5, sizeof(memory->job.way));
    std::memset(memory->job.crc, 0xa5, sizeof(memory->job.crc));
    world(os).jobs.insert(&memory->job);
    return &memory->job;
}

FC_OS void fc_os_job_free(void *os, fc_job *job) {
    EXPECT_EQ(world(os).jobs.erase(job), 1u) << "freed twice";
    delete reinterpret_cast<JobMemory *>(job);
}

FC_OS int fc_os_job_buffer(void *os, fc_job *job, unsigned nr_sectors, int) {
    world(os).allocations++;
    if (runs_out(world(os).no_buffers))
        return -1;
    reinterpret_cast<JobMemory *>(job)->buffer.assign(nr_sectors * 512, '?');
    return 0;
}

FC_OS fc_pending *fc_os_pending_alloc(void *os) {
    world(os).allocations++;
    if (runs_out(world(os).no_pendings))
        return nullptr;
    return *world(os).pendings.insert(new fc_pending{}).first;
}

FC_OS void fc_os_pending_free(void *os, fc_pending *pending) {
    EXPECT_EQ(world(os).pendings.erase(pending), 1u) << "freed twice";
    delete pending;
}

FC_OS void fc_os_copy_in(void *, fc_job *job, unsigned buffer_offset, fc_request *req,
                         unsigned req_offset, unsigned count) {
    if (req->op == FC_OP_WRITE_ZEROES)
        std::memset(job_buffer(job) + buffer_offset * 512, 0, count * 512);
    else
        std::memcpy(job_buffer(job) + buffer_offset * 512, user_of(req).data.data() + req_offset * 512,
                    count * 512);
}

FC_OS void fc_os_copy_out(void *, fc_job *job, unsigned buffer_offset, fc_request *req,
                          unsigned req_offset, unsigned count) {
    std::memcpy(user_of(req).data.data() + req_offset * 512, job_buffer(job) + buffer_offset * 512,
                count * 512);
}

FC_OS unsigned fc_os_buffer_crc(void *, fc_job *job, unsigned offset, unsigned count) {
    return fc_os_crc32c(0, job_buffer(job) + offset * 512, count * 512);
}

FC_OS void fc_os_job_io(void *os, fc_job *job, int dev, int io_op, fc_u64 dev_sector,
                        unsigned buffer_offset, unsigned count, unsigned flags) {
    world(os).check_unlocked("job_io");
    Io io = io_of(Io::kJob, dev, kIoOps[io_op], dev_sector, count, flags);
    io.job = job;
    io.offset = buffer_offset;
    world(os).start(io);
}

FC_OS void fc_os_copy(void *os, fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector, unsigned count) {
    world(os).check_unlocked("copy");
    Io io = io_of(Io::kCopy, FC_DEV_ORIGIN, Op::copy, origin_sector, count, 0);
    io.job = job;
    io.from = cache_sector;
    world(os).start(io);
}

FC_OS void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                          unsigned flags, unsigned token) {
    world(os).check_unlocked("async_io");
    Io io = io_of(Io::kAsync, dev, kIoOps[io_op], sector, count, flags);
    io.buffer = buffer;
    io.token = token;
    world(os).start(io);
    if (world(os).flushes_at_once && io.op == Op::flush)
        world(os).complete(static_cast<int>(world(os).ios.size()) - 1);
}

FC_OS int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                        unsigned flags) {
    world(os).check_unlocked("sync_io");
    Io io = io_of(Io::kSync, dev, kIoOps[io_op], sector, count, flags);
    io.buffer = buffer;
    return world(os).do_sync(io);
}

FC_OS unsigned long fc_os_lock(void *os, unsigned lock) {
    world(os).lock(lock);
    return lock ^ 0x5eedul;
}

FC_OS void fc_os_unlock(void *os, unsigned lock, unsigned long flags) {
    EXPECT_EQ(flags, lock ^ 0x5eedul);
    world(os).unlock(lock);
}

FC_OS void fc_os_kick(void *os, int work, unsigned delay_ms) {
    world(os).kick(work, delay_ms);
}

FC_OS void fc_os_wait(void *os, unsigned timeout_ms) {
    world(os).check_unlocked("wait");
    world(os).pass(timeout_ms);
}

FC_OS void fc_os_wake(void *) {}

FC_OS int fc_os_interrupted(void *os) {
    return world(os).interrupted;
}

FC_OS void fc_os_resched(void *) {}

FC_OS fc_u64 fc_os_now_ms(void *os) {
    return world(os).now_ms;
}

FC_OS unsigned fc_os_crc32c(unsigned seed, const void *data, unsigned long bytes) {
    static const std::vector<unsigned> table = [] {
        std::vector<unsigned> t(256);
        for (unsigned i = 0; i < 256; i++) {
            unsigned crc = i;
            for (int bit = 0; bit < 8; bit++)
                crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
            t[i] = crc;
        }
        return t;
    }();
    const auto *at = static_cast<const unsigned char *>(data);
    unsigned crc = ~seed;
    for (; bytes; bytes--)
        crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
    return ~crc;
}

FC_OS void fc_os_stat(void *os, int stat, unsigned n) {
    if (os)
        world(os).stats[stat] += n;
}

FC_OS fc_u64 fc_os_stat_sum(void *os, int stat) {
    return world(os).stats[stat];
}

FC_OS void fc_os_warn(void *os, const char *what) {
    world(os).warnings++;
    ADD_FAILURE() << "fc_os_warn: " << what;
}

FC_OS void fc_os_log(void *os, int, const char *format, ...) {
    char text[300];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    world(os).log.push_back(text);
}
