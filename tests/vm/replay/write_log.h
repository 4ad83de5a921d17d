// SPDX-License-Identifier: GPL-2.0-only
//
// The log of dm-log-writes: all writes of a device, in an order in which they may have become
// durable.  A write that was not flushed stands behind the flush that came before it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vm {

struct LoggedWrite {
    std::uint64_t sector = 0; // of the device
    std::uint64_t sectors = 0;
    std::uint64_t data = 0;   // byte of the log where its data begins
    bool flush = false, fua = false, discard = false;
    std::string mark;         // "": it is a write

    // After it, all that stands before it is durable.
    bool is_boundary() const { return flush || fua; }
};

class WriteLog {
public:
    // Throws std::runtime_error if the file holds no log, or a cut one.
    explicit WriteLog(const std::string &path);
    WriteLog(const WriteLog &) = delete;
    WriteLog &operator=(const WriteLog &) = delete;
    ~WriteLog();

    const std::vector<LoggedWrite> &entries() const { return entries_; }
    // Do to the device's bytes what the entry did.
    void replay(const LoggedWrite &entry, std::string &device) const;

private:
    void read(std::uint64_t at, void *buffer, std::size_t bytes) const;
    void list();

    int file_;
    std::vector<LoggedWrite> entries_;
};

} // namespace vm
