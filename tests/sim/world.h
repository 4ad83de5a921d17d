// SPDX-License-Identifier: GPL-2.0-only
// A machine with two disks, users, an operator and a cache: everything around the core.
//
//   main loop (run)     picks the next step by chance: an I/O completes, a fiber goes on, work is
//                       due, a user does something, the operator acts, the power fails
//   users.cc            operations of users, split into requests as device-mapper does
//   io.cc               I/Os to the two devices and what follows their end
//   os.cc               what the core may ask for (seam.cc: fc_os_*() themselves)
//   operator.cc         power on, check, suspend, resume, reload, sync, tune, remove
//   state.cc             what tells two states of a world apart
//   checks.cc           what must be true at quiet moments
#ifndef FLASHCACHE_TESTS_SIM_WORLD_H
#define FLASHCACHE_TESTS_SIM_WORLD_H

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "abi.h"
#include "damage.h"
#include "device.h"
#include "oracle.h"
#include "pool.h"
#include "profile.h"
#include "scheduler.h"
#include "surroundings.h"
#include "trace.h"

namespace sim {

// An operation of a user.
struct Op {
    DevOp kind = DevOp::kRead;
    bool fua = false;
    unsigned char marks = 0; // FC_REQ_AVOID or FC_REQ_WANT
    uint64_t sector = 0;
    uint64_t count = 0;
    uint64_t number = 0; // unique; what a write writes
    Time issued = 0;
    uint64_t left = 0; // sectors, or duplicates of a flush
    int status = FC_OK;
    std::vector<Sector> data;
    size_t pool_index = 0;
};

// A part of an operation as device-mapper hands it to the core.
struct Bio {
    fc_request req; // first: the core gives its address back
    Op *op;
    uint64_t offset; // sectors into the operation
    uint64_t count;
    unsigned int ios; // in flight on a device
    size_t pool_index;
};

struct Piece {
    Op *op;
    uint64_t offset;
    uint64_t count;
    unsigned int flush_dev;
};

// A job of the core with its buffer.
struct JobMemory {
    fc_job job; // first
    std::vector<Sector> buffer;
    unsigned int ios; // in flight on a device
    size_t pool_index;
};

struct PendingMemory {
    fc_pending pending; // first
    size_t pool_index;
};

struct Copy {
    JobMemory *job;
    uint64_t origin_sector;
    std::vector<Sector> data;
    size_t pool_index;
};

enum Owner {
    kOwnerBio,
    kOwnerPart,
    kOwnerJob,
    kOwnerCopyRead,
    kOwnerCopyWrite,
    kOwnerAsync,
    kOwnerSync
};

struct SyncIo {
    Fiber *fiber;
    int status;
};

// The fc_core_map() call that a fiber is in.
struct MapCall {
    Bio *bio;
    uint64_t accepted;
};

struct Totals {
    uint64_t steps = 0, cuts = 0, ops = 0, failed_ops = 0, loads = 0, requests = 0;
    uint64_t refused = 0, rolled_back = 0; // loads of metadata that had gone bad
    uint64_t core_stat[FC_NR_STATS] = {};

    void operator+=(const Totals &other);
};

class StateHash;

class World : public Surroundings {
public:
    World(uint64_t seed, const std::string &profile_kind, Trace &trace);
    virtual ~World();
    World(const World &) = delete;

    // Live for @steps steps, then come to rest and check everything.  Throws Failure.
    void run(uint64_t steps);
    // In place of cuts by chance: one, at this step.
    void cut_once(uint64_t step) {
        cut_at_ = step;
        profile_.steps_per_cut = 0;
    }
    const Totals &totals() const { return totals_; }
    std::string describe() const;

    // ---- os.cc and io.cc: for the core
    void accept(fc_request *req, uint64_t nr_sectors) override;
    void complete(fc_request *req, int status) override;
    void submit_part(fc_request *req, int dev, uint64_t sector, uint64_t offset,
                     uint64_t count) override;
    fc_job *job_alloc() override;
    void job_free(fc_job *job) override;
    bool job_buffer(fc_job *job, uint64_t nr_sectors, bool reserve) override;
    fc_pending *pending_alloc() override;
    void pending_free(fc_pending *pending) override;
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
    void lock(unsigned int lock) override { scheduler_.lock(lock); }
    void unlock(unsigned int lock) override { scheduler_.unlock(lock); }
    void kick(int work, unsigned int delay_ms) override;
    void wait(unsigned int timeout_ms) override;
    void wake() override { scheduler_.wake(); }
    bool interrupted() override;
    uint64_t now_ms() override { return scheduler_.now_us() / 1000; }
    void add_stat(int stat, unsigned int n) override;
    uint64_t stat_sum(int stat) override { return totals_.core_stat[stat]; }
    void contradiction(const std::string &what) override { scheduler_.fail(what); }
    bool logging() const override { return trace_.on(); }
    void log(int level, const char *text) override {
        trace_.line("core   log %d: %s", level, text);
    }

protected:
    // For worlds that somebody else makes and drives (tiny_world.h).
    World(std::unique_ptr<Rng> rng, const Profile &profile, Trace &trace);

    // world.cc
    void prepare();
    void step();
    void power_cut();
    void cut_devices(bool restart);
    void forget_memory();
    void power_on();
    void dump() const;
    [[noreturn]] void stuck(const char *what);
    bool plan();
    unsigned int run_work(unsigned int work);

    // users.cc
    void user_step();
    void change_memory();
    uint64_t pick_sector(uint64_t &count);
    DevOp pick_kind();
    Op *start_op(DevOp kind, uint64_t sector, uint64_t count, bool fua);
    void queue_pieces(Op *op);
    void map_piece(size_t i);
    void map(const Piece &piece);
    void after_map(int action, MapCall &call, const Piece &piece);
    void end_bio(Bio *bio, int status);
    void end_op(Op *op);
    void end_read(Op *op);
    bool acknowledged_is_persisted(const Op *op) const;
    void check_status(const Op *op);

    // io.cc
    Device &device(int dev) { return *devices_[dev]; }
    void submit(int dev, DeviceIo io);
    void send_bio(Bio *bio, int owner, int dev, uint64_t sector, uint64_t offset, uint64_t count);
    void check_io(int dev, const DeviceIo &io);
    void check_log_write(const DeviceIo &io);
    void complete_one(int dev);
    void complete_io(int dev, size_t i);
    void lose(int dev);
    void sync_done(int dev, const DeviceIo &io, int status);
    bool fails(int dev);
    void io_done(int dev, DeviceIo &io, int status);
    void copy_done(int dev, DeviceIo &io, int status);

    // operator.cc
    void life();
    void format();
    int load();
    int load_damaged();
    void load_until_it_works();
    void forget_core();
    int close(bool keep_dirty);
    void pause(uint64_t steps);
    void act();
    void quiesce();
    void reload();
    void sync();
    void tune();
    void change_policy();
    void set_policy(int policy);
    void suspend();
    void suspend_and_resume();
    void idle();
    void mend();
    void read_everything();
    void finale();

    // checks.cc
    void check_gauges();
    void check_counters();
    uint64_t blocks_touched(uint64_t sector, uint64_t count) const;
    void check_origin_alone(bool after_cut);
    void check_home_table(bool all_clean, uint64_t cached, uint64_t dirty);
    void check_home_slot(uint64_t slot, const fc_disk_home_slot &home, bool all_clean);
    fc_disk_home_slot home_slot(uint64_t slot);
    // state.cc
    void know_objects(StateHash &hash);
    void add_object(StateHash &hash, int kind, const void *owner) const;
    uint64_t state();

    void *self() { return static_cast<Surroundings *>(this); }
    uint64_t gauge(int which) { return fc_core_gauge(core_, which); }

    std::unique_ptr<Rng> own_rng_;
    Rng &rng_;
    Profile profile_;
    Trace &trace_;
    Scheduler scheduler_;
    Totals totals_;
    std::vector<char> next_policy_memory_;     // of the one that comes into force
    std::vector<char> policy_memory_;          // of the policy in force
    uint64_t mapped_[FC_OP_FLUSH + 1] = {};    // requests, by operation
    uint64_t served_[2] = {}, failed_[2] = {}; // blocks of reads and of writes that have ended
    std::unique_ptr<Device> devices_[2];
    std::unique_ptr<Oracle> oracle_;
    std::unique_ptr<Damage> damage_; // only where metadata goes bad
    Scheduler::WorkBody work_body_;

    // The cache.
    fc_config config_{};
    fc_core *core_ = nullptr;
    char *memory_ = nullptr;
    bool formatted_ = false;
    bool live_ = false;        // requests may come
    bool origin_alone_ = true; // nothing dirty can be on the cache device
    bool interrupt_ = false;   // the operator loses patience while the cache closes
    bool no_io_ = false;       // the core has no business with the devices now
    static constexpr uint64_t kUnknown = ~0ull;
    uint64_t stopped_with_ = kUnknown; // cached blocks at the last orderly stop
    alignas(4096) char scratch_[FC_SCRATCH_BYTES];

    // The users.
    Pool<Op> ops_;
    Pool<Bio> bios_;
    std::vector<Piece> to_map_;
    uint64_t next_number_ = 2; // 1: initial contents
    uint64_t stream_at_ = 0;
    bool users_active_ = false;

    // Memory of the core.
    Pool<JobMemory> jobs_;
    Pool<PendingMemory> pendings_;
    Pool<Copy> copies_;
    bool starved_ = false;

    uint64_t writes_submitted_ = 0;
    uint64_t steps_ = 0, last_progress_ = 0, step_limit_ = 0, cut_at_ = 0;
    bool ending_ = false, ended_ = false;
    bool faults_ = false;       // may I/Os fail now?
    uint64_t outage_until_ = 0; // step
    int outage_dev_ = 0;
    bool origin_failed_ = false; // some I/O to it did
};

} // namespace sim

#endif
