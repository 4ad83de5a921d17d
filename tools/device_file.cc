// SPDX-License-Identifier: GPL-2.0-only
#include "device_file.h"

#include <cerrno>
#include <new>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block_device.h"
#include "error.h"

namespace tools {
namespace {

constexpr std::size_t kAlignment = 4096;

[[noreturn]] void refuse_open(const std::string &path, int error) {
    if (error != EBUSY)
        refuse("cannot open {}: {}", path, errno_text(error));
    const std::string user = known_user(inspect_block_device(path));
    refuse("{} is {}; free it first", path,
           user.empty() ? std::string("in use by the kernel or another program") : user);
}

// Some file systems (only the files of tests are on one) have no direct I/O.
// flush() makes what was written durable either way.
int open_direct(const std::string &path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_DIRECT);
    if (descriptor < 0 && errno == EINVAL)
        return ::open(path.c_str(), flags);
    return descriptor;
}

} // namespace

AlignedBuffer::AlignedBuffer(std::size_t bytes)
    : memory_(static_cast<std::byte *>(
          std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment))),
      size_(bytes) {
    if (!memory_)
        throw std::bad_alloc();
}

DeviceFile DeviceFile::open(const std::string &path, Access access, bool exclusive) {
    int flags = O_CLOEXEC | (access == Access::kRead ? O_RDONLY : O_RDWR);
    if (exclusive)
        flags |= O_EXCL; // without O_CREAT: claims a block device
    const int descriptor = open_direct(path, flags);
    if (descriptor < 0)
        refuse_open(path, errno);
    const off_t end = ::lseek(descriptor, 0, SEEK_END);
    if (end < 0) {
        const int error = errno;
        ::close(descriptor);
        refuse("cannot find the size of {}: {}", path, errno_text(error));
    }
    return DeviceFile(path, descriptor, static_cast<std::uint64_t>(end) / kSectorBytes);
}

DeviceFile::DeviceFile(std::string path, int descriptor, std::uint64_t sectors)
    : path_(std::move(path)), descriptor_(descriptor), sectors_(sectors) {}

DeviceFile::DeviceFile(DeviceFile &&other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)),
      sectors_(other.sectors_) {}

DeviceFile &DeviceFile::operator=(DeviceFile &&other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(sectors_, other.sectors_);
    return *this;
}

DeviceFile::~DeviceFile() {
    close();
}

void DeviceFile::close() {
    if (descriptor_ >= 0)
        ::close(std::exchange(descriptor_, -1));
}

bool DeviceFile::in_range(std::uint64_t sector, std::size_t count_sectors) const {
    return sector <= sectors_ && count_sectors <= sectors_ - sector;
}

int DeviceFile::read(std::uint64_t sector, void *buffer, std::size_t count_sectors) const {
    if (!in_range(sector, count_sectors))
        return EIO;
    auto *at = static_cast<char *>(buffer);
    std::size_t left = count_sectors * kSectorBytes;
    auto offset = static_cast<off_t>(sector * kSectorBytes);
    while (left > 0) {
        const ssize_t done = ::pread(descriptor_, at, left, offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? errno : EIO;
        at += done;
        offset += done;
        left -= static_cast<std::size_t>(done);
    }
    return 0;
}

int DeviceFile::write(std::uint64_t sector, const void *buffer, std::size_t count_sectors) const {
    if (!in_range(sector, count_sectors))
        return EIO;
    const auto *at = static_cast<const char *>(buffer);
    std::size_t left = count_sectors * kSectorBytes;
    auto offset = static_cast<off_t>(sector * kSectorBytes);
    while (left > 0) {
        const ssize_t done = ::pwrite(descriptor_, at, left, offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? errno : EIO;
        at += done;
        offset += done;
        left -= static_cast<std::size_t>(done);
    }
    return 0;
}

int DeviceFile::flush() const {
    return ::fdatasync(descriptor_) == 0 ? 0 : errno;
}

void DeviceFile::forget_partitions() const {
    ::ioctl(descriptor_, BLKRRPART);
}

} // namespace tools
