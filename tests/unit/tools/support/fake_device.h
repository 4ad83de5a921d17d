// SPDX-License-Identifier: GPL-2.0-only
//
// A temporary file in place of a device, and a directory tree in place of /sys, /proc and /dev.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "block_device.h"
#include "core/abi.h"
#include "device_file.h"

namespace tools::test {

// A directory that is deleted with everything in it.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    ~TemporaryDirectory();
    const std::string &path() const { return path_; }

private:
    std::string path_;
};

// A sparse file, read and written like a device.
class FakeDevice {
public:
    explicit FakeDevice(std::uint64_t sectors);
    DeviceFile open() const;
    const std::string &path() const { return path_; }
    // Overwrites bytes, whatever the alignment.
    void poke(std::uint64_t byte_offset, const void *bytes, std::size_t count) const;
    std::string peek(std::uint64_t byte_offset, std::size_t count) const;

private:
    TemporaryDirectory directory_;
    std::string path_;
};

// A /sys with block devices whose attributes the test chooses.
class FakeSystem {
public:
    FakeSystem();
    SystemRoots roots() const;
    void add_disk(const std::string &name, std::uint64_t sectors);
    void add_partition(const std::string &disk, unsigned number, std::uint64_t sectors);
    // attribute: a path below the device's directory, such as "dm/uuid".
    void set(const std::string &name, const std::string &attribute, const std::string &value);
    void add_by_id_link(const std::string &link, const std::string &name);
    void write_proc(const std::string &file, const std::string &text);
    // An entry in the holders directory of name.
    void add_holder(const std::string &name, const std::string &holder);

private:
    std::string class_path(const std::string &name) const;
    void add(const std::string &name, const std::string &directory, std::uint64_t sectors);

    TemporaryDirectory directory_;
    unsigned next_minor_ = 0;
};

// A small cache, planned for a device of this size; every text and number is set.
fc_config planned_config(std::uint64_t cache_sectors, unsigned unit_bytes = 512);

} // namespace tools::test
