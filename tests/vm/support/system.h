// SPDX-License-Identifier: GPL-2.0-only
//
// Files of /proc and /sys, and what the kernel counts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vm {

std::string read_file(const std::string &path);
// The error (errno), 0 if the kernel took it.
int try_write_file(const std::string &path, const std::string &text);
void write_file(const std::string &path, const std::string &text);
bool exists(const std::string &path);
// The name in /sys/block of the block device at a path.
std::string kernel_name_of(const std::string &path);
// The same of the device-mapper device of this name, "" if there is none. The kernel is asked: a
// node in /dev/mapper stays behind when dmsetup is killed.
std::string mapped_device(const std::string &name);
std::vector<std::string> names_in(const std::string &directory);

std::vector<std::string> words(const std::string &text);
std::vector<std::string> lines(const std::string &text);
std::uint64_t number(const std::string &text);
// "a=1 b=x ...", also over several lines.
std::map<std::string, std::string> key_values(const std::string &text);

// What /sys/block/<name>/stat says; merged requests are counted once.
struct DeviceIo {
    std::uint64_t reads = 0;
    std::uint64_t read_sectors = 0;
    std::uint64_t writes = 0;
    std::uint64_t write_sectors = 0;
    std::uint64_t discards = 0;
    std::uint64_t flushes = 0;

    std::uint64_t all() const { return reads + writes + discards + flushes; }
};

DeviceIo io_of(const std::string &device);
DeviceIo operator-(const DeviceIo &after, const DeviceIo &before);
std::string to_text(const DeviceIo &io);

// The kernel's log from its present end on.
class KernelLog {
public:
    KernelLog();
    ~KernelLog();
    KernelLog(const KernelLog &) = delete;
    KernelLog &operator=(const KernelLog &) = delete;
    std::string new_lines(); // since the last call

private:
    int file_;
};

} // namespace vm
