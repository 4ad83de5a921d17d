// SPDX-License-Identifier: GPL-2.0-only
//
// What the core lives in while it is fuzzed: two disks of memory, I/O that ends when pump() is
// called, a clock that moves when somebody waits.  One request at a time.  Breaches of the seam's
// rules (abi.h) end the program.
#pragma once

#include <deque>
#include <functional>

#include "disk.h"

class Platform {
public:
    Platform(Disk &ssd, Disk &origin);
    Platform(const Platform &) = delete;
    Platform &operator=(const Platform &) = delete;
    ~Platform();

    int probe(fc_config &config);
    // Returns enum fc_status; the core is there only after FC_OK.
    int open(const fc_config &config);
    int close(bool keep_dirty);
    void crash(); // the core is gone, the disks stay as they are

    // One request of nr sectors from sector on; data has room for them.  Returns enum fc_status.
    int transfer(int op, fc_u64 sector, unsigned nr, char *data);
    int flush(int dev);
    void pump(); // until nothing is in flight and no work is due
    void pass(unsigned ms);

    fc_core *core() { return core_; }
    // What has been written since the last call: the first sector and the end of the last.
    struct Written {
        fc_u64 first = ~0ull, end = 0;
    };
    Written written(int dev);

    // What the core's calls need.
    Disk &disk(int dev) { return dev == FC_DEV_CACHE ? ssd_ : origin_; }
    void io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count);
    void later(std::function<void()> end) { ends_.push_back(std::move(end)); }
    void accept(unsigned nr) { accepted_ = nr; }
    void complete(int status);
    void kick(int work, unsigned delay_ms);
    void lock(int change);
    void expect_unlocked() const { require(held_ == 0, "I/O or a completion under a lock"); }
    char *data() { return data_; }
    fc_u64 now_ms() const { return now_ms_; }
    void count_memory(int change) { in_use_ += change; }

private:
    int run(fc_request &request);
    int due() const;

    Disk &ssd_, &origin_;
    Written written_[2];
    fc_core *core_ = nullptr;
    std::deque<std::function<void()>> ends_;
    fc_u64 due_[FC_NR_WORKS];
    fc_u64 now_ms_ = 1000;
    int held_ = 0;   // locks
    int in_use_ = 0; // jobs and pending requests
    // of the request in progress
    char *data_ = nullptr;
    unsigned accepted_ = 0;
    bool ended_ = false;
    int status_ = FC_OK;
};
