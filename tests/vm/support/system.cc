// SPDX-License-Identifier: GPL-2.0-only
#include "system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "command.h"

namespace vm {

std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw Failure("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

int try_write_file(const std::string &path, const std::string &text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    const int error =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
    ::close(file);
    return error;
}

void write_file(const std::string &path, const std::string &text) {
    if (const int error = try_write_file(path, text); error != 0)
        throw Failure("cannot write \"" + text + "\" to " + path + ": " + std::strerror(error));
}

bool exists(const std::string &path) {
    return std::filesystem::exists(path);
}

std::string kernel_name_of(const std::string &path) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0)
        throw Failure("no device " + path);
    const std::string number_text =
        std::to_string(major(facts.st_rdev)) + ":" + std::to_string(minor(facts.st_rdev));
    return std::filesystem::read_symlink("/sys/dev/block/" + number_text).filename().string();
}

std::vector<std::string> names_in(const std::string &directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto &entry : std::filesystem::directory_iterator(directory, error))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string mapped_device(const std::string &name) {
    for (const std::string &device : names_in("/sys/block")) {
        std::ifstream file("/sys/block/" + device + "/dm/name");
        std::string found;
        if (std::getline(file, found) && found == name)
            return device;
    }
    return {};
}

std::vector<std::string> words(const std::string &text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

std::vector<std::string> lines(const std::string &text) {
    std::vector<std::string> result;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        result.push_back(line);
    return result;
}

std::uint64_t number(const std::string &text) {
    char *end = nullptr;
    const std::uint64_t value = std::strtoull(text.c_str(), &end, 10);
    if (end == text.c_str())
        throw Failure("not a number: \"" + text + "\"");
    return value;
}

std::map<std::string, std::string> key_values(const std::string &text) {
    std::map<std::string, std::string> values;
    for (const std::string &word : words(text))
        if (const auto equals = word.find('='); equals != std::string::npos)
            values[word.substr(0, equals)] = word.substr(equals + 1);
    return values;
}

DeviceIo io_of(const std::string &device) {
    // The kernel counts a request a moment after it has told who waits for it.
    pause_ms(20);
    const auto fields = words(read_file("/sys/block/" + device + "/stat"));
    if (fields.size() < 17)
        throw Failure("/sys/block/" + device + "/stat has too few fields");
    DeviceIo io;
    io.reads = number(fields[0]);
    io.read_sectors = number(fields[2]);
    io.writes = number(fields[4]);
    io.write_sectors = number(fields[6]);
    io.discards = number(fields[11]);
    io.flushes = number(fields[15]);
    return io;
}

DeviceIo operator-(const DeviceIo &after, const DeviceIo &before) {
    return {after.reads - before.reads,       after.read_sectors - before.read_sectors,
            after.writes - before.writes,     after.write_sectors - before.write_sectors,
            after.discards - before.discards, after.flushes - before.flushes};
}

std::string to_text(const DeviceIo &io) {
    return std::to_string(io.reads) + " reads (" + std::to_string(io.read_sectors / 2) + " KiB), " +
           std::to_string(io.writes) + " writes (" + std::to_string(io.write_sectors / 2) +
           " KiB), " + std::to_string(io.discards) + " discards, " + std::to_string(io.flushes) +
           " flushes";
}

KernelLog::KernelLog() : file_(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (file_ < 0 || ::lseek(file_, 0, SEEK_END) != 0)
        throw Failure("cannot read /dev/kmsg");
}

KernelLog::~KernelLog() {
    ::close(file_);
}

std::string KernelLog::new_lines() {
    std::string text;
    char record[8192];
    for (;;) {
        const ssize_t got = ::read(file_, record, sizeof(record));
        if (got < 0 && errno == EPIPE)
            continue; // lines were lost
        if (got <= 0)
            return text;
        const std::string line(record, static_cast<std::size_t>(got));
        text += line.substr(line.find(';') + 1);
    }
}

} // namespace vm
