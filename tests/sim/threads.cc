// SPDX-License-Identifier: GPL-2.0-only
#include "threads.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace sim {

namespace {

constexpr int kIoThreads = 3;
thread_local uint64_t accepted; // by the fc_core_map() that this thread is in

} // namespace

ThreadedOs::ThreadedOs(const fc_config &config) : config_(config) {
    disks_[FC_DEV_CACHE].bytes.resize(config.cache_device_sectors * kSectorBytes);
    disks_[FC_DEV_ORIGIN].bytes.resize(config.origin_sectors * kSectorBytes);
    for (int i = 0; i < kIoThreads; i++)
        threads_.emplace_back([this] { end_ios(); });
    for (int work = 0; work < FC_NR_WORKS; work++)
        threads_.emplace_back([this, work] { do_works(work); });
}

ThreadedOs::~ThreadedOs() {
    {
        std::lock_guard guard(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    for (std::thread &thread : threads_)
        thread.join();
    free(memory_);
}

int ThreadedOs::start(unsigned int mode) {
    std::vector<char> scratch(FC_SCRATCH_BYTES);
    if (!memory_)
        if (const int status =
                fc_core_format(static_cast<Surroundings *>(this), &config_, scratch.data()))
            return status;
    fc_config config = config_;
    if (const int status =
            fc_core_probe(static_cast<Surroundings *>(this), &config, scratch.data()))
        return status;
    config.mode = mode;
    const uint64_t bytes = (fc_core_bytes(&config) + 4095) / 4096 * 4096;
    free(memory_);
    memory_ = static_cast<char *>(aligned_alloc(4096, bytes));
    memset(memory_, 0, bytes);
    core_ = fc_core_init(memory_, static_cast<Surroundings *>(this), &config);
    {
        std::lock_guard guard(mutex_);
        works_stopped_ = false;
    }
    return fc_core_open(core_);
}

int ThreadedOs::stop(bool keep_dirty) {
    const int status = fc_core_close(core_, keep_dirty);
    std::unique_lock guard(mutex_);
    works_stopped_ = true;
    for (Work &work : works_)
        work.scheduled = false;
    if (!ios_.empty())
        contradiction("I/O is in flight although the cache is closed");
    // Whoever is inside of the core leaves it.
    changed_.wait(guard, [this] {
        return !busy_ios_ && std::none_of(std::begin(work_running_), std::end(work_running_),
                                          [](bool r) { return r; });
    });
    return status;
}

// ---- requests

int ThreadedOs::request(int op, uint64_t sector, uint64_t count, Sector *data, bool fua) {
    ThreadedRequest request = {op, fua, {count}, {FC_OK}};
    const bool split = op == FC_OP_READ || op == FC_OP_WRITE;
    for (uint64_t at = 0; at < count;) {
        const uint64_t room =
            split ? config_.chunk_sectors - (sector + at) % config_.chunk_sectors : count;
        at += map(request, sector + at, std::min(room, count - at), data ? data + at : nullptr, 0);
    }
    wait_for(request);
    return request.status;
}

int ThreadedOs::flush() {
    ThreadedRequest request = {FC_OP_FLUSH, false, {2}, {FC_OK}};
    for (int dev = 0; dev < 2; dev++)
        map(request, 0, 1, nullptr, dev);
    wait_for(request);
    return request.status;
}

void ThreadedOs::wait_for(ThreadedRequest &request) {
    std::unique_lock guard(mutex_);
    ended_.wait(guard, [&request] { return request.left == 0; });
}

// Returns how much of it the core has accepted.
uint64_t ThreadedOs::map(ThreadedRequest &request, uint64_t sector, uint64_t count, Sector *data,
                         int flush_dev) {
    auto *bio = new ThreadedBio();
    bio->request = &request;
    bio->data = data;
    bio->count = count;
    bio->req.sector = sector;
    bio->req.nr_sectors = static_cast<unsigned int>(count);
    bio->req.op = static_cast<unsigned char>(request.op);
    bio->req.flags = request.fua ? FC_REQ_FUA : 0;
    bio->req.flush_dev = static_cast<unsigned char>(flush_dev);
    accepted = count;
    const int action = fc_core_map(core_, &bio->req);
    const uint64_t taken = accepted;
    if (action == FC_ACT_COMPLETE)
        end_bio(*bio, bio->req.status);
    else if (action != FC_ACT_TAKEN)
        send(*bio, action == FC_ACT_REMAP_CACHE ? FC_DEV_CACHE : FC_DEV_ORIGIN,
             bio->req.target_sector, 0, bio->count, [this, bio](int status) {
                 if (!fc_core_end_io(core_, &bio->req, status))
                     end_bio(*bio, bio->req.status);
             });
    return taken;
}

void ThreadedOs::accept(fc_request *req, uint64_t nr_sectors) {
    accepted = nr_sectors;
    reinterpret_cast<ThreadedBio *>(req)->count = nr_sectors;
}

void ThreadedOs::complete(fc_request *req, int status) {
    end_bio(*reinterpret_cast<ThreadedBio *>(req), status);
}

void ThreadedOs::end_bio(ThreadedBio &bio, int status) {
    ThreadedRequest &request = *bio.request;
    const uint64_t count = bio.count;
    delete &bio;
    if (status)
        request.status = status;
    std::lock_guard guard(mutex_); // the request is its user's again once left is 0
    request.left -= count;
    if (request.left == 0)
        ended_.notify_all();
}

// ---- I/O

void ThreadedOs::transfer(int dev, bool write, uint64_t sector, uint64_t count, Sector *sectors,
                          void *bytes) {
    Disk &disk = disks_[dev];
    std::lock_guard guard(disk.mutex);
    unsigned char *at = disk.bytes.data() + sector * kSectorBytes;
    if (sector + count > disk.bytes.size() / kSectorBytes) {
        contradiction("I/O out of range");
        return;
    }
    for (uint64_t i = 0; sectors && i < count; i++, at += kSectorBytes) {
        if (write)
            sectors[i].to_bytes(at);
        else
            sectors[i] = Sector::from_bytes(at);
    }
    if (bytes && write)
        memcpy(at, bytes, count * kSectorBytes);
    else if (bytes)
        memcpy(bytes, at, count * kSectorBytes);
}

void ThreadedOs::zero(int dev, uint64_t sector, uint64_t count) {
    std::vector<Sector> zeroes(count);
    transfer(dev, true, sector, count, zeroes.data(), nullptr);
}

Sector ThreadedOs::origin(uint64_t sector) {
    Sector value;
    transfer(FC_DEV_ORIGIN, false, sector, 1, &value, nullptr);
    return value;
}

void ThreadedOs::later(std::function<void()> end) {
    std::lock_guard guard(mutex_);
    ios_.push_back(std::move(end));
    busy_ios_++;
    changed_.notify_all();
}

void ThreadedOs::end_ios() {
    std::unique_lock guard(mutex_);
    for (;;) {
        changed_.wait(guard, [this] { return ending_ || !ios_.empty(); });
        if (ios_.empty())
            return;
        chance_ = chance_ * 6364136223846793005ull + 1442695040888963407ull;
        std::swap(ios_[(chance_ >> 33) % ios_.size()], ios_.back());
        std::function<void()> end = std::move(ios_.back());
        ios_.pop_back();
        guard.unlock();
        end();
        guard.lock();
        busy_ios_--;
        changed_.notify_all();
    }
}

void ThreadedOs::send(ThreadedBio &bio, int dev, uint64_t sector, uint64_t offset, uint64_t count,
                      std::function<void(int)> end) {
    const int op = bio.request->op;
    Sector *data = bio.data ? bio.data + offset : nullptr;
    later([this, op, dev, sector, count, data, end = std::move(end)] {
        if (op == FC_OP_READ || op == FC_OP_WRITE)
            transfer(dev, op == FC_OP_WRITE, sector, count, data, nullptr);
        else if (op != FC_OP_FLUSH)
            zero(dev, sector, count);
        end(FC_OK);
    });
}

void ThreadedOs::submit_part(fc_request *req, int dev, uint64_t sector, uint64_t offset,
                             uint64_t count) {
    send(*reinterpret_cast<ThreadedBio *>(req), dev, sector, offset, count,
         [this, req](int status) { fc_core_part_done(core_, req, status); });
}

void ThreadedOs::job_io(fc_job *job, int dev, int io_op, uint64_t sector, uint64_t offset,
                        uint64_t count, unsigned int) {
    Sector *data = reinterpret_cast<Job *>(job)->buffer.data() + offset;
    later([this, job, dev, io_op, sector, count, data] {
        if (io_op != FC_IO_FLUSH)
            transfer(dev, io_op == FC_IO_WRITE, sector, count, data, nullptr);
        fc_core_job_io_done(core_, job, dev, FC_OK);
    });
}

void ThreadedOs::copy(fc_job *job, uint64_t cache_sector, uint64_t origin_sector, uint64_t count) {
    later([this, job, cache_sector, origin_sector, count] {
        std::vector<Sector> data(count);
        transfer(FC_DEV_CACHE, false, cache_sector, count, data.data(), nullptr);
        std::this_thread::yield();
        transfer(FC_DEV_ORIGIN, true, origin_sector, count, data.data(), nullptr);
        fc_core_job_io_done(core_, job, FC_DEV_ORIGIN, FC_OK);
    });
}

void ThreadedOs::async_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                          unsigned int, unsigned int token) {
    later([this, dev, io_op, sector, buffer, count, token] {
        if (io_op != FC_IO_FLUSH)
            transfer(dev, io_op == FC_IO_WRITE, sector, count, nullptr, buffer);
        fc_core_async_done(core_, token, FC_OK);
    });
}

int ThreadedOs::sync_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                        unsigned int) {
    if (io_op != FC_IO_FLUSH)
        transfer(dev, io_op == FC_IO_WRITE, sector, count, nullptr, buffer);
    return FC_OK;
}

// ---- memory

fc_job *ThreadedOs::job_alloc() {
    return &(new Job())->job;
}

void ThreadedOs::job_free(fc_job *job) {
    delete reinterpret_cast<Job *>(job);
}

bool ThreadedOs::job_buffer(fc_job *job, uint64_t nr_sectors, bool) {
    reinterpret_cast<Job *>(job)->buffer.resize(nr_sectors);
    return true;
}

void ThreadedOs::copy_between(fc_job *job, uint64_t buffer_offset, fc_request *req,
                              uint64_t req_offset, uint64_t count, bool in) {
    Sector *buffer = reinterpret_cast<Job *>(job)->buffer.data() + buffer_offset;
    auto *bio = reinterpret_cast<ThreadedBio *>(req);
    for (uint64_t i = 0; i < count; i++) {
        if (!in)
            bio->data[req_offset + i] = buffer[i];
        else
            buffer[i] = bio->data ? bio->data[req_offset + i] : Sector();
    }
}

uint32_t ThreadedOs::buffer_crc(fc_job *job, uint64_t offset, uint64_t count) {
    uint32_t crc = 0;
    for (uint64_t i = 0; i < count; i++)
        crc = reinterpret_cast<Job *>(job)->buffer[offset + i].crc(crc);
    return crc;
}

// ---- time and work

uint64_t ThreadedOs::now_ms() {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
            .count());
}

void ThreadedOs::kick(int work, unsigned int delay_ms) {
    const Clock::time_point due = Clock::now() + std::chrono::milliseconds(delay_ms);
    std::lock_guard guard(mutex_);
    Work &w = works_[work];
    if (works_stopped_ || (w.scheduled && w.due <= due))
        return;
    w.scheduled = true;
    w.due = due;
    changed_.notify_all();
}

void ThreadedOs::do_works(int work) {
    std::unique_lock guard(mutex_);
    while (!ending_) {
        Work &w = works_[work];
        if (!w.scheduled) {
            changed_.wait(guard);
            continue;
        }
        if (w.due > Clock::now()) {
            changed_.wait_until(guard, w.due);
            continue;
        }
        w.scheduled = false;
        work_running_[work] = true;
        guard.unlock();
        if (const unsigned int again_ms = do_work(core_, work))
            kick(work, again_ms);
        guard.lock();
        work_running_[work] = false;
        changed_.notify_all();
    }
}

void ThreadedOs::wait(unsigned int timeout_ms) {
    std::unique_lock guard(mutex_);
    const uint64_t seen = wakes_;
    changed_.wait_for(guard, std::chrono::milliseconds(timeout_ms), [&] { return wakes_ != seen; });
}

void ThreadedOs::wake() {
    std::lock_guard guard(mutex_);
    wakes_++;
    changed_.notify_all();
}

void ThreadedOs::contradiction(const std::string &what) {
    fprintf(stderr, "%s\n", what.c_str());
    contradictions++;
}

} // namespace sim
