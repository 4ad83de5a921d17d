// SPDX-License-Identifier: GPL-2.0-only
//
// Direct I/O on a block device, one request at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace vm {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;

// Memory that direct I/O takes.
class Buffer {
public:
    explicit Buffer(std::size_t bytes);
    unsigned char *data() { return memory_.get(); }
    const unsigned char *data() const { return memory_.get(); }
    std::size_t size() const { return size_; }
    bool operator==(const Buffer &other) const;

private:
    struct Free {
        void operator()(unsigned char *memory) const;
    };
    std::unique_ptr<unsigned char[], Free> memory_;
    std::size_t size_;
};

// What the tests write: each word tells its place and the generation of the write.
Buffer pattern(std::uint64_t offset, std::size_t bytes, unsigned generation);
// "" if the buffer, read at offset, is of this generation; else what is wrong.
std::string differs(const Buffer &buffer, std::uint64_t offset, unsigned generation);

class BlockFile {
public:
    enum Access { kReadWrite, kReadOnly };
    explicit BlockFile(const std::string &path, Access access = kReadWrite);
    BlockFile(const BlockFile &) = delete;
    BlockFile &operator=(const BlockFile &) = delete;
    ~BlockFile();

    // The error (errno), 0 for success.
    int try_read(std::uint64_t offset, Buffer &buffer) const;
    int try_write(std::uint64_t offset, const Buffer &buffer) const;
    int try_flush() const;

    Buffer read(std::uint64_t offset, std::size_t bytes) const;
    void write(std::uint64_t offset, const Buffer &buffer) const;
    void flush() const;
    void discard(std::uint64_t offset, std::uint64_t bytes) const;
    void zero_out(std::uint64_t offset, std::uint64_t bytes) const;
    void punch_hole(std::uint64_t offset, std::uint64_t bytes) const; // fallocate

    // Patterns.
    void put(std::uint64_t offset, std::size_t bytes, unsigned generation) const;
    std::string check(std::uint64_t offset, std::size_t bytes, unsigned generation) const;

private:
    std::string path_;
    int file_;
};

// Where on the device, in bytes, the pattern of this offset stands; it is looked for at multiples of its
// length.  Throws Failure if it is nowhere.
std::uint64_t find_pattern(const std::string &device, std::uint64_t device_bytes, std::size_t bytes,
                           std::uint64_t offset, unsigned generation);

} // namespace vm
