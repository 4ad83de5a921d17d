// SPDX-License-Identifier: GPL-2.0-only
#include "write_log.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace vm {
namespace {

// As drivers/md/dm-log-writes.c has it; little-endian.
constexpr std::uint64_t kMagic = 0x6a736677736872;
constexpr std::uint64_t kFlush = 1, kFua = 2, kDiscard = 4, kMark = 8;
constexpr std::uint64_t kSector = 512;
constexpr const char *kEnd = "dm-log-writes-end"; // its own mark, when the device is removed

struct Super {
    std::uint64_t magic, version, nr_entries;
    std::uint32_t sector_bytes;
};

struct Entry {
    std::uint64_t sector, sectors, flags, data_bytes;
};

} // namespace

WriteLog::WriteLog(const std::string &path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0)
        throw std::runtime_error(path + " cannot be opened");
    list();
}

WriteLog::~WriteLog() {
    ::close(file_);
}

void WriteLog::read(std::uint64_t at, void *buffer, std::size_t bytes) const {
    if (::pread(file_, buffer, bytes, static_cast<off_t>(at)) != static_cast<ssize_t>(bytes))
        throw std::runtime_error("the log of writes is cut short");
}

void WriteLog::list() {
    Super super = {};
    read(0, &super, sizeof(super));
    if (super.magic != kMagic || super.version != 1 || super.sector_bytes != kSector)
        throw std::runtime_error("this is no log of writes");
    std::uint64_t at = kSector;
    for (std::uint64_t i = 0; i < super.nr_entries; i++) {
        std::array<char, kSector> head = {};
        read(at, head.data(), head.size());
        Entry entry = {};
        std::memcpy(&entry, head.data(), sizeof(entry));
        LoggedWrite write = {.sector = entry.sector,
                             .sectors = entry.sectors,
                             .data = at + kSector,
                             .flush = (entry.flags & kFlush) != 0,
                             .fua = (entry.flags & kFua) != 0,
                             .discard = (entry.flags & kDiscard) != 0,
                             .mark = {}};
        if ((entry.flags & kMark) != 0)
            write.mark.assign(head.data() + sizeof(entry), std::min<std::size_t>(entry.data_bytes, 64));
        if (write.mark == kEnd)
            write.mark.clear();
        at += kSector + (write.discard ? 0 : write.sectors * kSector);
        entries_.push_back(std::move(write));
    }
}

void WriteLog::replay(const LoggedWrite &entry, std::string &device) const {
    if (entry.sectors == 0)
        return;
    if ((entry.sector + entry.sectors) * kSector > device.size())
        throw std::runtime_error("a logged write lies beyond the end of the device");
    char *to = device.data() + entry.sector * kSector;
    if (entry.discard)
        std::memset(to, 0, entry.sectors * kSector);
    else
        read(entry.data, to, entry.sectors * kSector);
}

} // namespace vm
