// SPDX-License-Identifier: GPL-2.0-only
// I/Os to the two devices, and what follows their end.
#include "world.h"

namespace sim {

namespace {

std::string describe_io(int dev, const DeviceIo &io) {
    return std::string(name_of(io.op)) +
           (dev == FC_DEV_CACHE ? " of cache device at " : " of origin at ") +
           std::to_string(io.sector) + "+" + std::to_string(io.count);
}

// An I/O as fc_os_*_io() ask for it.
DeviceIo make_io(int io_op, uint64_t sector, uint64_t count, unsigned int flags, Owner owner) {
    DeviceIo io;
    io.op = io_op == FC_IO_READ ? DevOp::kRead : DevOp::kWrite;
    if (io_op == FC_IO_FLUSH)
        io.op = DevOp::kFlush;
    io.fua = flags & FC_IO_FUA;
    io.sector = sector;
    io.count = count;
    io.owner = owner;
    return io;
}

} // namespace

void World::check_io(int dev, const DeviceIo &io) {
    const uint64_t grain = profile_.unit_bytes / kSectorBytes;
    const uint64_t size = device(dev).config().sectors;
    if (io.op == DevOp::kFlush ? io.count != 0 : io.count == 0)
        scheduler_.fail("bad length: " + describe_io(dev, io));
    if (io.sector > size || io.count > size - io.sector)
        scheduler_.fail("out of range: " + describe_io(dev, io));
    if (io.sector % grain || io.count % grain)
        scheduler_.fail("not aligned to logical blocks: " + describe_io(dev, io));
    if (io.op == DevOp::kFlush || io.op == DevOp::kRead)
        return;
    const bool metadata = dev == FC_DEV_CACHE && io.sector < config_.data_offset_sectors;
    if (metadata != (io.memory.bytes != nullptr))
        scheduler_.fail("metadata and data mixed up: " + describe_io(dev, io));
    const uint64_t log_end = config_.log_offset_sectors + config_.log_units * grain;
    if (metadata && live_ && !damage_ && io.sector >= config_.log_offset_sectors &&
        io.sector < log_end)
        check_log_write(io);
}

void World::submit(int dev, DeviceIo io) {
    if (dev != FC_DEV_CACHE && dev != FC_DEV_ORIGIN)
        scheduler_.fail("I/O to device " + std::to_string(dev));
    if (no_io_)
        scheduler_.fail("I/O before resume or after suspend: " + describe_io(dev, io));
    check_io(dev, io);
    trace_.io("submit", dev, io, 0);
    writes_submitted_ += io.op != DevOp::kRead && io.op != DevOp::kFlush;
    if (damage_ && dev == FC_DEV_CACHE && io.op == DevOp::kWrite && io.memory.bytes)
        damage_->overwritten(io.sector, io.count);
    io.lazy = rng_.per_mille(profile_.lazy_per_mille);
    device(dev).submit(std::make_unique<DeviceIo>(std::move(io)));
}

bool World::fails(int dev) {
    if (!faults_)
        return false;
    const uint32_t rate =
        dev == FC_DEV_CACHE ? profile_.cache_errors_per_100k : profile_.origin_errors_per_100k;
    const bool fails =
        (steps_ < outage_until_ && dev == outage_dev_) || (rate && rng_.below(100000) < rate);
    origin_failed_ = origin_failed_ || (fails && dev == FC_DEV_ORIGIN);
    return fails;
}

void World::complete_one(int dev) {
    const size_t i = rng_.below(device(dev).in_flight());
    if (!device(dev).pending(i).lazy || rng_.one_in(100))
        complete_io(dev, i);
}

void World::complete_io(int dev, size_t i) {
    const bool fail = fails(dev);
    std::unique_ptr<DeviceIo> io = device(dev).complete(i, fail);
    trace_.io("done", dev, *io, fail);
    if (fail && (io->op == DevOp::kFlush || io->fua))
        lose(dev);
    io_done(dev, *io, fail ? FC_EIO : FC_OK);
}

// A flush has failed, or a FUA write, which may have been one; the device may drop what it should
// have covered.  Of the origin only what the cleaner has copied: users know what flushes of theirs
// failed.
void World::lose(int dev) {
    if (!device(dev).config().volatile_cache || rng_.coin())
        return;
    trace_.line("world  the device has lost what that should have made durable");
    const bool origin = dev == FC_DEV_ORIGIN;
    device(dev).lose([origin](int owner) { return !origin || owner == kOwnerCopyWrite; }, origin);
}

void World::io_done(int dev, DeviceIo &io, int status) {
    const auto interrupt = Scheduler::Context::kInterrupt;
    void *const object = io.object;
    switch (io.owner) {
    case kOwnerBio:
        static_cast<Bio *>(object)->ios--;
        scheduler_.call(interrupt, [this, object, status] {
            auto *bio = static_cast<Bio *>(object);
            if (!fc_core_end_io(core_, &bio->req, status))
                end_bio(bio, bio->req.status);
        });
        break;
    case kOwnerPart:
        static_cast<Bio *>(object)->ios--;
        scheduler_.call(interrupt, [this, object, status] {
            fc_core_part_done(core_, &static_cast<Bio *>(object)->req, status);
        });
        break;
    case kOwnerJob:
        static_cast<JobMemory *>(object)->ios--;
        scheduler_.call(interrupt, [this, object, dev, status] {
            fc_core_job_io_done(core_, &static_cast<JobMemory *>(object)->job, dev, status);
        });
        break;
    case kOwnerCopyRead:
    case kOwnerCopyWrite:
        copy_done(dev, io, status);
        break;
    case kOwnerAsync:
        scheduler_.call(interrupt, [this, token = io.cookie, status] {
            fc_core_async_done(core_, static_cast<unsigned int>(token), status);
        });
        break;
    case kOwnerSync:
        sync_done(dev, io, status);
        break;
    }
}

void World::sync_done(int dev, const DeviceIo &io, int status) {
    auto *wait = static_cast<SyncIo *>(io.object);
    const bool flush = io.op == DevOp::kFlush;
    wait->status = status;
    if (!status || !core_ || !(flush || io.fua)) {
        scheduler_.make_runnable(wait->fiber);
        return;
    }
    scheduler_.call(Scheduler::Context::kInterrupt, [this, dev, flush, wait] {
        fc_core_sync_failed(core_, dev, flush);
        scheduler_.make_runnable(wait->fiber);
    });
}

// kcopyd: read all, then write all.
void World::copy_done(int dev, DeviceIo &io, int status) {
    auto *copy = static_cast<Copy *>(io.object);
    if (io.owner == kOwnerCopyRead && !status) {
        DeviceIo write =
            make_io(FC_IO_WRITE, copy->origin_sector, copy->data.size(), 0, kOwnerCopyWrite);
        write.memory.sectors = copy->data.data();
        write.object = copy;
        submit(FC_DEV_ORIGIN, std::move(write));
        return;
    }
    JobMemory *job = copy->job;
    copies_.put(copy);
    job->ios--;
    scheduler_.call(Scheduler::Context::kInterrupt, [this, job, dev, status] {
        fc_core_job_io_done(core_, &job->job, dev, status);
    });
}

void World::copy(fc_job *job, uint64_t cache_sector, uint64_t origin_sector, uint64_t count) {
    scheduler_.check_may_submit("fc_os_copy");
    Copy *copy = copies_.get();
    copy->job = reinterpret_cast<JobMemory *>(job);
    copy->origin_sector = origin_sector;
    copy->data.resize(count);
    copy->job->ios++;
    DeviceIo io = make_io(FC_IO_READ, cache_sector, count, 0, kOwnerCopyRead);
    io.memory.sectors = copy->data.data();
    io.object = copy;
    submit(FC_DEV_CACHE, std::move(io));
}

void World::submit_part(fc_request *req, int dev, uint64_t sector, uint64_t offset,
                        uint64_t count) {
    scheduler_.check_may_submit("fc_os_submit_part");
    send_bio(reinterpret_cast<Bio *>(req), kOwnerPart, dev, sector, offset, count);
}

// @offset: sectors into the request.
void World::send_bio(Bio *bio, int owner, int dev, uint64_t sector, uint64_t offset,
                     uint64_t count) {
    DeviceIo io;
    io.op = bio->op->kind;
    io.fua = bio->op->fua;
    io.sector = io.op == DevOp::kFlush ? 0 : sector;
    io.count = count;
    if (io.op != DevOp::kFlush && (offset > bio->count || count > bio->count - offset))
        scheduler_.fail("a part outside of its request: " + describe_io(dev, io), bio->req.sector);
    io.memory.sectors = bio->op->data.data() + bio->offset + offset;
    io.owner = owner;
    io.object = bio;
    bio->ios++;
    submit(dev, std::move(io));
}

void World::job_io(fc_job *job, int dev, int io_op, uint64_t sector, uint64_t offset,
                   uint64_t count, unsigned int flags) {
    scheduler_.check_may_submit("fc_os_job_io");
    auto *memory = reinterpret_cast<JobMemory *>(job);
    DeviceIo io = make_io(io_op, sector, count, flags, kOwnerJob);
    const uint64_t size = memory->buffer.size();
    if (io.op != DevOp::kFlush && (offset > size || count > size - offset))
        scheduler_.fail("outside of the job's buffer: " + describe_io(dev, io));
    io.memory.sectors = memory->buffer.data() + offset;
    io.object = memory;
    memory->ios++;
    submit(dev, std::move(io));
}

void World::async_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                     unsigned int flags, unsigned int token) {
    scheduler_.check_may_submit("fc_os_async_io");
    DeviceIo io = make_io(io_op, sector, count, flags, kOwnerAsync);
    io.memory.bytes = static_cast<unsigned char *>(buffer);
    io.cookie = token;
    submit(dev, std::move(io));
}

int World::sync_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                   unsigned int flags) {
    scheduler_.check_may_sleep("fc_os_sync_io");
    SyncIo wait = {Fiber::current(), FC_OK};
    DeviceIo io = make_io(io_op, sector, count, flags, kOwnerSync);
    io.memory.bytes = static_cast<unsigned char *>(buffer);
    io.object = &wait;
    submit(dev, std::move(io));
    scheduler_.park();
    return wait.status;
}

} // namespace sim
