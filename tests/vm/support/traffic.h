// SPDX-License-Identifier: GPL-2.0-only
//
// Threads that write and read the same blocks at once, and a ledger of what a reader may see.
//
// The area consists of cells.  A write of a cell is of a new generation, and carries cell and
// generation in each of its sectors.  A cell is written by one thread at a time, so it holds
// something between the last generation that was acknowledged (after a power cut: the last that
// was flushed) and the last that was begun.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "block_file.h"

namespace vm {

class Ledger {
public:
    Ledger(std::uint32_t cells, std::uint32_t cell_bytes);

    std::uint32_t cells() const { return cells_; }
    std::uint32_t cell_bytes() const { return cell_bytes_; }
    std::uint64_t bytes() const { return std::uint64_t{cells_} * cell_bytes_; }
    std::uint64_t offset(std::uint32_t cell) const { return std::uint64_t{cell} * cell_bytes_; }

    // A write of n cells: its contents; and its acknowledgement.
    Buffer begin_write(std::uint32_t cell, std::uint32_t n);
    void acknowledged(std::uint32_t cell, std::uint32_t n);

    // A flush: what it must cover, before it; and its acknowledgement.
    std::vector<std::uint32_t> begin_flush() const;
    void flushed(const std::vector<std::uint32_t> &covered);
    std::vector<std::uint32_t> begun() const; // the last generation of each cell so far

    // A read of n cells: what it must see, before it; and the verdict, "" if it is right.
    std::vector<std::uint32_t> begin_read(std::uint32_t cell, std::uint32_t n) const;
    std::string judge(std::uint32_t cell, const Buffer &buffer,
                      const std::vector<std::uint32_t> &at_least) const;

    // Read all.  Lower limits: acknowledged, or flushed only.
    enum Limit { kAcknowledged, kFlushed };
    std::string check(const BlockFile &file, Limit limit) const;
    // From now on exactly what the file holds counts, e.g. after a power cut.
    void adopt(const BlockFile &file);

private:
    std::uint32_t cells_at_once() const { return static_cast<std::uint32_t>(256 * kKiB) / cell_bytes_; }
    void adopt_cell(std::uint32_t cell, const unsigned char *data);

    std::uint32_t cells_;
    std::uint32_t cell_bytes_;
    std::vector<std::atomic<std::uint32_t>> begun_;
    std::vector<std::atomic<std::uint32_t>> acknowledged_;
    std::vector<std::atomic<std::uint32_t>> flushed_;
};

struct TrafficOptions {
    unsigned writers = 2;
    unsigned readers = 2;
    std::uint32_t longest = 1;   // cells of a request, at most
    unsigned flush_every = 0;    // writes of a thread
    bool errors_allowed = false; // EIO; the ledger knows what that leaves possible
    std::uint32_t seed = 1;
};

// Runs until it is stopped.
class Traffic {
public:
    Traffic(std::string path, Ledger &ledger, const TrafficOptions &options);
    Traffic(const Traffic &) = delete;
    Traffic &operator=(const Traffic &) = delete;
    ~Traffic();
    void stop();

    std::uint64_t writes() const { return writes_; }
    std::uint64_t reads() const { return reads_; }
    std::uint64_t flushes() const { return flushes_; }
    std::uint64_t errors() const { return errors_; }
    std::string complaint() const; // the first wrong thing, "" if there was none

private:
    void write(unsigned thread);
    void read(unsigned thread);
    bool note_error(const char *what, int error); // true: go on
    void complain(const std::string &text);

    std::string path_;
    Ledger &ledger_;
    TrafficOptions options_;
    std::atomic<bool> stop_ = false;
    std::atomic<std::uint64_t> writes_ = 0, reads_ = 0, flushes_ = 0, errors_ = 0;
    mutable std::mutex mutex_;
    std::string complaint_; // guarded by mutex_
    std::vector<std::thread> threads_;
};

} // namespace vm
