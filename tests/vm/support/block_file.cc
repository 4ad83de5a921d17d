// SPDX-License-Identifier: GPL-2.0-only
#include "block_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"

namespace vm {
namespace {

constexpr std::size_t kAlignment = 4096;

std::uint64_t word_at(std::uint64_t place, unsigned generation) {
    return (std::uint64_t{generation} << 40 | place) * 0x9e3779b97f4a7c15ull + generation;
}

[[noreturn]] void fail(const std::string &what, const std::string &path, std::uint64_t offset,
                       int error) {
    throw Failure(what + " of " + path + " at " + std::to_string(offset) + ": " +
                  std::strerror(error));
}

} // namespace

Buffer::Buffer(std::size_t bytes)
    : memory_(static_cast<unsigned char *>(
          std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment))),
      size_(bytes) {
    if (!memory_)
        throw std::bad_alloc();
    std::memset(memory_.get(), 0, bytes);
}

void Buffer::Free::operator()(unsigned char *memory) const {
    std::free(memory);
}

bool Buffer::operator==(const Buffer &other) const {
    return size_ == other.size_ && std::memcmp(data(), other.data(), size_) == 0;
}

Buffer pattern(std::uint64_t offset, std::size_t bytes, unsigned generation) {
    Buffer buffer(bytes);
    for (std::size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
        const std::uint64_t word = word_at(offset + at, generation);
        std::memcpy(buffer.data() + at, &word, sizeof(word));
    }
    return buffer;
}

std::string differs(const Buffer &buffer, std::uint64_t offset, unsigned generation) {
    for (std::size_t at = 0; at < buffer.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, buffer.data() + at, sizeof(word));
        if (word == word_at(offset + at, generation))
            continue;
        std::string found = word == 0 ? "zeroes" : "something else";
        for (unsigned other = 0; other < 64; other++)
            if (word == word_at(offset + at, other))
                found = "generation " + std::to_string(other);
        return "at " + std::to_string(offset + at) + ": " + found + " instead of generation " +
               std::to_string(generation);
    }
    return {};
}

BlockFile::BlockFile(const std::string &path, Access access)
    : path_(path), file_(::open(path.c_str(),
                                (access == kReadOnly ? O_RDONLY : O_RDWR) | O_DIRECT | O_CLOEXEC)) {
    if (file_ < 0)
        throw Failure("cannot open " + path + ": " + std::strerror(errno));
}

BlockFile::~BlockFile() {
    ::close(file_);
}

int BlockFile::try_read(std::uint64_t offset, Buffer &buffer) const {
    const ssize_t got = ::pread(file_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    return got == static_cast<ssize_t>(buffer.size()) ? 0 : got < 0 ? errno : EIO;
}

int BlockFile::try_write(std::uint64_t offset, const Buffer &buffer) const {
    const ssize_t put = ::pwrite(file_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    return put == static_cast<ssize_t>(buffer.size()) ? 0 : put < 0 ? errno : EIO;
}

int BlockFile::try_flush() const {
    return ::fdatasync(file_) == 0 ? 0 : errno;
}

Buffer BlockFile::read(std::uint64_t offset, std::size_t bytes) const {
    Buffer buffer(bytes);
    if (const int error = try_read(offset, buffer); error != 0)
        fail("read", path_, offset, error);
    return buffer;
}

void BlockFile::write(std::uint64_t offset, const Buffer &buffer) const {
    if (const int error = try_write(offset, buffer); error != 0)
        fail("write", path_, offset, error);
}

void BlockFile::flush() const {
    if (const int error = try_flush(); error != 0)
        fail("flush", path_, 0, error);
}

void BlockFile::discard(std::uint64_t offset, std::uint64_t bytes) const {
    const std::uint64_t range[2] = {offset, bytes};
    if (::ioctl(file_, BLKDISCARD, range) != 0)
        fail("discard", path_, offset, errno);
}

void BlockFile::zero_out(std::uint64_t offset, std::uint64_t bytes) const {
    const std::uint64_t range[2] = {offset, bytes};
    if (::ioctl(file_, BLKZEROOUT, range) != 0)
        fail("zero-out", path_, offset, errno);
}

void BlockFile::punch_hole(std::uint64_t offset, std::uint64_t bytes) const {
    if (::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(bytes)) != 0)
        fail("fallocate", path_, offset, errno);
}

void BlockFile::put(std::uint64_t offset, std::size_t bytes, unsigned generation) const {
    write(offset, pattern(offset, bytes, generation));
}

std::string BlockFile::check(std::uint64_t offset, std::size_t bytes, unsigned generation) const {
    return differs(read(offset, bytes), offset, generation);
}

std::uint64_t find_pattern(const std::string &device, std::uint64_t device_bytes, std::size_t bytes,
                           std::uint64_t offset, unsigned generation) {
    const BlockFile file(device, BlockFile::kReadOnly);
    for (std::uint64_t at = 0; at + bytes <= device_bytes; at += bytes)
        if (differs(file.read(at, bytes), offset, generation).empty())
            return at;
    throw Failure("the block is not on " + device);
}

} // namespace vm
