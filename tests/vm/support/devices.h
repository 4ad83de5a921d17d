// SPDX-License-Identifier: GPL-2.0-only
//
// Block devices to make caches of.
#pragma once

#include <cstdint>
#include <string>

namespace vm {

struct DiskOptions {
    unsigned mib = 64;
    unsigned cache_mib = 0;    // size of a volatile write cache
    unsigned delay_us = 0;     // until an I/O completes
    unsigned queue_depth = 64; // 1: one I/O after the other
    unsigned block_bytes = 512;
    bool discard = false;
};

// A disk in memory (null_blk).  What was never written takes no memory and reads as zeroes.
class NullDisk {
public:
    NullDisk(std::string name, const DiskOptions &options);
    NullDisk(const NullDisk &) = delete;
    NullDisk &operator=(const NullDisk &) = delete;
    ~NullDisk();

    const std::string &name() const { return name_; }
    std::string path() const { return "/dev/" + name_; }
    std::uint64_t sectors() const { return sectors_; }

    // Forget what is in the write cache only.  Nobody may have the disk open.
    void lose_power();
    // From now on these sectors cannot be read or written.
    void go_bad(std::uint64_t first, std::uint64_t count) const;
    // Set the size anew; the contents are lost.
    void resize(unsigned mib);

private:
    void set(const std::string &attribute, std::uint64_t value) const;
    void power_on() const;

    std::string name_;
    std::uint64_t sectors_;
};

// A partition of a disk, from a sector to its end, known to the kernel only.
class Partition {
public:
    Partition(const NullDisk &disk, std::uint64_t first_sector);
    Partition(const Partition &) = delete;
    Partition &operator=(const Partition &) = delete;
    ~Partition();

    std::string path() const { return disk_ + "p1"; }

private:
    std::string disk_;
};

// For destructors: also where a test has left the device suspended.
void resume_if_suspended(const std::string &name);

// A device-mapper device over another one, from which it can be pulled and put back.
class Switch {
public:
    Switch(std::string name, std::string lower, std::uint64_t sectors,
           const std::string &uuid = "");
    Switch(const Switch &) = delete;
    Switch &operator=(const Switch &) = delete;
    ~Switch();

    std::string path() const { return "/dev/mapper/" + name_; }
    std::string kernel_name() const; // dm-N
    const std::string &name() const { return name_; }
    std::uint64_t sectors() const { return sectors_; }

    void pull();        // from now on everything fails, flushes too
    void detach();      // pull, and leave the lower device alone
    void plug();        // all is well again
    void fail_writes(); // reads go on
    void hold();        // I/O waits until release()
    void release();
    void use(const std::string &table); // any table

private:
    std::string linear() const;
    std::string flakey(const std::string &features) const;

    std::string name_;
    std::string lower_;
    std::uint64_t sectors_;
};

// A loop device over a sparse file in memory.  Knows discard and write-zeroes.
class LoopDisk {
public:
    LoopDisk(const std::string &name, unsigned mib);
    LoopDisk(const LoopDisk &) = delete;
    LoopDisk &operator=(const LoopDisk &) = delete;
    ~LoopDisk();

    const std::string &path() const { return path_; }
    std::string name() const { return path_.substr(5); }
    std::uint64_t sectors() const { return sectors_; }

private:
    std::string file_;
    std::string path_;
    std::uint64_t sectors_;
};

} // namespace vm
