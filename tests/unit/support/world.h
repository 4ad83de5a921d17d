// SPDX-License-Identifier: GPL-2.0-only
//
// A small world for the core, in which nothing happens by itself: I/O ends when the test says so,
// work that the core asked for runs when the test says so, and memory runs out on demand.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cache.h"

struct Shape {
    unsigned mode = FC_MODE_WRITE_BACK;
    unsigned sets = 4;
    unsigned ways = 8;
    unsigned extent = 8; // blocks
    unsigned unit = 512;
    bool cache_volatile = false;
    bool origin_volatile = false;
    unsigned origin_sectors = 256 * 8;
    unsigned block_sectors = 8;
    fc_u64 origin_base = 0; // sectors in front of those, that nobody may touch
};

// The usual shape, but both devices have a volatile write cache.
inline Shape volatile_devices(unsigned mode = FC_MODE_WRITE_BACK)
{
    Shape shape;
    shape.mode = mode;
    shape.cache_volatile = shape.origin_volatile = true;
    return shape;
}

// Blocks enough to fill the smallest log there is.
inline Shape shape_for_full_logs()
{
	Shape shape;
	shape.sets = shape.ways = shape.extent = 64;
	shape.block_sectors = 1;	// the log's size goes by the device's
	shape.origin_sectors = 8192;
	return shape;
}

// Many sets, home units and extents, of blocks of one sector.
inline Shape many_sets()
{
    Shape shape;
    shape.sets = 5000;
    shape.ways = shape.extent = 2;
    shape.block_sectors = 1;
    shape.origin_sectors = 4 * 5000 * 2;
    return shape;
}

enum class Op { read, write, flush, discard, zeroes, copy };

struct UserRequest {
    fc_request req = {};
    std::string data;
    int action = -1;
    int status = -1; // -1: has not ended
    unsigned accepted = 0; // what fc_os_accept() was told

    bool ended() const { return status >= 0; }
};

struct Io {
    enum Kind { kRemap, kPart, kJob, kCopy, kAsync, kSync };
    Kind kind = kSync;
    int dev = FC_DEV_CACHE;
    Op op = Op::read;
    fc_u64 sector = 0;
    unsigned count = 0;
    unsigned flags = 0; // FC_IO_*
    unsigned offset = 0; // in the request or the buffer, sectors
    unsigned token = 0;
    fc_u64 from = 0; // kCopy: sector of the cache device
    UserRequest *user = nullptr;
    fc_job *job = nullptr;
    void *buffer = nullptr;
    std::set<fc_u64> covered = {}; // what a flush makes durable

    bool reads() const { return op == Op::read; }
};

// Bytes, and those of them that survive a power cut.  base: sectors in front of them that are not there.
class Device {
public:
    void init(std::string bytes, bool is_volatile, fc_u64 base = 0);
    void write(fc_u64 sector, const std::string &data, bool fua);
    std::string read(fc_u64 sector, unsigned count) const { return now_.substr((sector - base_) * 512, count * 512); }
    void flush(const std::set<fc_u64> &covered);
    const std::set<fc_u64> &unstable() const { return unstable_; }
    void power_cut();
    char *at(fc_u64 sector) { return now_.data() + (sector - base_) * 512; } // for vandals
    fc_u64 sectors() const { return base_ + now_.size() / 512; }
    bool has(fc_u64 sector, fc_u64 n) const { return sector >= base_ && sector + n <= sectors(); }

private:
    std::string now_, stable_;
    fc_u64 base_ = 0;
    std::set<fc_u64> unstable_;
    bool volatile_ = false;
};

class World {
public:
    explicit World(const Shape &shape = {}); // formatted and open
    // With the devices as another machine left them; not open.
    World(unsigned mode, unsigned unit, std::string cache, std::string origin);
    ~World();
    World(const World &) = delete;
    World &operator=(const World &) = delete;

    int probe();
    int open();
    int close(bool keep_dirty = false);
    void power_cut(); // the core, what is in flight and what is volatile are gone
    void crash();     // the core and what is in flight are gone
    int reopen_after_power_cut() { return power_cut(), open(); }

    UserRequest &submit(int op, fc_u64 sector, unsigned n, char letter = 0, unsigned flags = 0, int dev = 0);
    UserRequest &read(fc_u64 block, unsigned n = 1) { return submit(FC_OP_READ, block * bs(), n * bs()); }
    UserRequest &write(fc_u64 block, char letter, unsigned n = 1, unsigned flags = 0)
    {
        return submit(FC_OP_WRITE, block * bs(), n * bs(), letter, flags);
    }
    UserRequest &flush(int dev) { return submit(FC_OP_FLUSH, 0, 0, 0, 0, dev); }
    // How a flush ends; with it all work and I/O.
    int flush_status(int dev)
    {
        const UserRequest &user = flush(dev);
        finish();
        return user.status;
    }
    void make_dirty(fc_u64 block, char letter, unsigned n = 1);
    void make_clean(fc_u64 block, unsigned n = 1); // filled by reads
    void confirm();                                // all records
    void clean_all();                              // write back

    int find(int dev, Op op) const; // first I/O in flight, or -1
    unsigned count(int dev, Op op) const;
    unsigned traced(int dev, Op op) const; // submitted since trace.clear()
    void complete(int i, int status = FC_OK);
    void complete(int dev, Op op, int status);
    void complete_all(const std::function<bool(const Io &)> &which); // also those that come meanwhile
    void run();    // work that is due
    void finish(); // work and I/O until all is quiet
    void pass(fc_u64 ms);

    unsigned bs() const { return config.block_sectors; }
    std::string state(fc_u64 block) const; // none, clean, dirty; busy, unconfirmed
    fc_u64 data_sector(fc_u64 block) const; // where it is cached
    char origin_letter(fc_u64 block) const { return device[FC_DEV_ORIGIN].read(block * bs(), 1)[0]; }
    char cached_letter(fc_u64 block) const { return device[FC_DEV_CACHE].read(data_sector(block), 1)[0]; }
    char read_letter(fc_u64 block); // by a read request; 0 if it fails
    fc_u64 gauge(int which) { return fc_core_gauge(core, which); }
    bool logged(const std::string &part) const;

    fc_config config = {};
    fc_core *core = nullptr;
    Device device[2];
    std::vector<Io> ios;   // in flight
    std::vector<Io> trace; // all that was submitted
    std::vector<std::string> log;
    fc_u64 stats[FC_NR_STATS] = {};

    std::function<void()> on_lock, on_unlock; // another CPU comes in between, once
    std::function<void()> before_sleeper_wakes; // the same, when a fc_os_sync_io() has failed
    std::function<bool(const Io &)> fails; // which I/O fails, unless complete() says so
    unsigned no_jobs = 0, no_buffers = 0, no_pendings = 0; // so many calls find no memory
    bool interrupted = false;
    bool flushes_at_once = false; // the log's flush ends before fc_os_async_io() returns
    unsigned allocations = 0;
    std::set<fc_job *> jobs; // not freed
    std::set<fc_pending *> pendings;
    unsigned warnings = 0;
    fc_u64 now_ms = 1000;

    // What the core's calls need.
    void start(Io io);
    int do_sync(Io io);
    void kick(int work, unsigned delay_ms);
    void lock(unsigned id);
    void unlock(unsigned id);
    void check_unlocked(const char *what) const;
    static void end(UserRequest &user, int status);

private:
    void apply(const Io &io);
    void report(const Io &io, int status);
    void check_buffer(const Io &io) const;
    int due() const;

    std::deque<UserRequest> requests_;
    std::vector<char> memory_;
    fc_u64 due_[FC_NR_WORKS];
    std::vector<unsigned> held_;
};
