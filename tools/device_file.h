// SPDX-License-Identifier: GPL-2.0-only
//
// An open device (in tests: a file), read and written in whole sectors and not through the page
// cache, so that what is read is what the device holds and what is written is on it after flush().
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

namespace tools {

inline constexpr std::size_t kSectorBytes = 512;

enum class Access { kRead, kReadWrite };

// Memory aligned for direct I/O.
class AlignedBuffer {
public:
    explicit AlignedBuffer(std::size_t bytes);
    std::byte *data() { return memory_.get(); }
    const std::byte *data() const { return memory_.get(); }
    std::size_t size() const { return size_; }

private:
    struct Free {
        void operator()(std::byte *memory) const { std::free(memory); }
    };
    std::unique_ptr<std::byte, Free> memory_;
    std::size_t size_;
};

class DeviceFile {
public:
    // Opens path.  exclusive: proves that nothing has the block device mounted or claimed, and
    // keeps others from doing so until the file is closed.  Throws Error.
    static DeviceFile open(const std::string &path, Access access, bool exclusive);

    DeviceFile(DeviceFile &&other) noexcept;
    DeviceFile &operator=(DeviceFile &&other) noexcept;
    DeviceFile(const DeviceFile &) = delete;
    DeviceFile &operator=(const DeviceFile &) = delete;
    ~DeviceFile();

    const std::string &path() const { return path_; }
    int descriptor() const { return descriptor_; }
    std::uint64_t sectors() const { return sectors_; }

    // Whole transfers of an aligned buffer, or errno (0: done).  A transfer beyond the end is EIO.
    int read(std::uint64_t sector, void *buffer, std::size_t count_sectors) const;
    int write(std::uint64_t sector, const void *buffer, std::size_t count_sectors) const;
    // Everything written is on the medium, the device's own cache included.
    int flush() const;
    // The kernel drops the partitions of a table that is no longer there.  Best effort.
    void forget_partitions() const;
    void close();

private:
    DeviceFile(std::string path, int descriptor, std::uint64_t sectors);
    bool in_range(std::uint64_t sector, std::size_t count_sectors) const;

    std::string path_;
    int descriptor_ = -1;
    std::uint64_t sectors_ = 0;
};

} // namespace tools
