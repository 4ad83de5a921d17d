// SPDX-License-Identifier: GPL-2.0-only
// The core among real threads: locks are mutexes, I/Os end in other threads, work runs in threads
// of its own.  Nothing is deterministic here; it is for the thread sanitizer, which sees what is
// shared without a lock, and for deadlocks.
#ifndef FLASHCACHE_TESTS_SIM_THREADS_H
#define FLASHCACHE_TESTS_SIM_THREADS_H

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sector.h"
#include "surroundings.h"

namespace sim {

// A request of a user, and a piece of it as device-mapper hands it to the core.
struct ThreadedRequest {
    int op;
    bool fua;
    std::atomic<uint64_t> left;
    std::atomic<int> status;
};

struct ThreadedBio {
    fc_request req; // first
    ThreadedRequest *request;
    Sector *data;
    uint64_t count;
};

class ThreadedOs final : public Surroundings {
public:
    explicit ThreadedOs(const fc_config &config);
    ~ThreadedOs();

    // Format, load; then requests may come.
    int start(unsigned int mode);
    int stop(bool keep_dirty);
    fc_core *core() { return core_; }

    // From any thread; returns the status.  @op: FC_OP_*; @data: of reads and writes.
    int request(int op, uint64_t sector, uint64_t count, Sector *data, bool fua = false);
    int flush();
    Sector origin(uint64_t sector);

    std::atomic<int> contradictions{0};

    void accept(fc_request *req, uint64_t nr_sectors) override;
    void complete(fc_request *req, int status) override;
    void submit_part(fc_request *req, int dev, uint64_t sector, uint64_t offset,
                     uint64_t count) override;
    fc_job *job_alloc() override;
    void job_free(fc_job *job) override;
    bool job_buffer(fc_job *job, uint64_t nr_sectors, bool reserve) override;
    fc_pending *pending_alloc() override { return new fc_pending(); }
    void pending_free(fc_pending *pending) override { delete pending; }
    void copy_between(fc_job *job, uint64_t buffer_offset, fc_request *req, uint64_t req_offset,
                      uint64_t count, bool in) override;
    uint32_t buffer_crc(fc_job *job, uint64_t offset, uint64_t count) override;
    void job_io(fc_job *job, int dev, int io_op, uint64_t sector, uint64_t offset, uint64_t count,
                unsigned int flags) override;
    void copy(fc_job *job, uint64_t cache_sector, uint64_t origin_sector, uint64_t count) override;
    void async_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                  unsigned int flags, unsigned int token) override;
    int sync_io(int dev, int io_op, uint64_t sector, void *buffer, uint64_t count,
                unsigned int flags) override;
    void lock(unsigned int lock) override { locks_[lock].lock(); }
    void unlock(unsigned int lock) override { locks_[lock].unlock(); }
    void kick(int work, unsigned int delay_ms) override;
    void wait(unsigned int timeout_ms) override;
    void wake() override;
    bool interrupted() override { return false; }
    uint64_t now_ms() override;
    void add_stat(int, unsigned int) override {}
    uint64_t stat_sum(int) override { return 0; }
    void contradiction(const std::string &what) override;
    void log(int, const char *) override {}

private:
    using Clock = std::chrono::steady_clock;
    struct Job {
        fc_job job; // first
        std::vector<Sector> buffer;
    };
    struct Disk {
        std::mutex mutex;
        std::vector<unsigned char> bytes;
    };
    struct Work {
        bool scheduled = false;
        Clock::time_point due;
    };

    void transfer(int dev, bool write, uint64_t sector, uint64_t count, Sector *sectors,
                  void *bytes);
    void zero(int dev, uint64_t sector, uint64_t count);
    void later(std::function<void()> end); // an I/O ends in another thread
    void end_ios();
    void do_works(int work);
    void send(ThreadedBio &bio, int dev, uint64_t sector, uint64_t offset, uint64_t count,
              std::function<void(int)> end);
    uint64_t map(ThreadedRequest &request, uint64_t sector, uint64_t count, Sector *data,
                 int flush_dev);
    void end_bio(ThreadedBio &bio, int status);
    void wait_for(ThreadedRequest &request);

    fc_config config_;
    fc_core *core_ = nullptr;
    char *memory_ = nullptr;
    Disk disks_[2];
    std::mutex locks_[FC_NR_LOCKS];

    std::mutex mutex_; // of all below
    std::condition_variable changed_;
    std::vector<std::function<void()>> ios_;
    uint64_t busy_ios_ = 0;
    Work works_[FC_NR_WORKS];
    bool work_running_[FC_NR_WORKS] = {};
    bool works_stopped_ = true;
    bool ending_ = false;
    uint64_t wakes_ = 0;
    uint64_t chance_ = 1;
    std::condition_variable ended_;
    std::vector<std::thread> threads_;
};

} // namespace sim

#endif
