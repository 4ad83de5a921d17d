// SPDX-License-Identifier: GPL-2.0-only
//
// A cache, driven as its users drive it: by the tools, dmsetup, and files of /proc.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "command.h"

namespace vm {

enum class Mode { kBack, kThru, kAround, kWriteOnly };

inline constexpr std::array kModes = {Mode::kBack, Mode::kThru, Mode::kAround, Mode::kWriteOnly};

Arguments tool_arguments(Mode mode);                 // of flashcache_create
std::string status_word(Mode mode);                  // mode=... of the status
std::string table_words(Mode mode, int persistence); // from the mode on
std::ostream &operator<<(std::ostream &out, Mode mode);
inline bool keeps_dirty(Mode mode) {
    return mode == Mode::kBack || mode == Mode::kWriteOnly;
}

// The words of "dmsetup status".
class Status {
public:
    explicit Status(const std::string &line);
    std::string word(const std::string &key) const;
    std::uint64_t operator[](const std::string &key) const;

private:
    std::map<std::string, std::string> values_;
};

// The end removes the device if it is there, without writing back.
class Cache {
public:
    explicit Cache(std::string name = "fc0") : name_(std::move(name)) {}
    Cache(const Cache &) = delete;
    Cache &operator=(const Cache &) = delete;
    ~Cache();

    const std::string &name() const { return name_; }
    std::string path() const { return "/dev/mapper/" + name_; }
    std::string kernel_name() const; // dm-N
    bool exists() const;

    void create(Mode mode, const std::string &ssd, const std::string &disk,
                const Arguments &options = {});
    void load(const std::string &ssd, const Arguments &options = {});
    void remove(Seconds limit = kLimit);
    void fast_remove();
    // Remove as after a power cut: nothing more reaches the devices, which the caller has pulled.
    void abandon();

    Status status() const;
    std::string table() const;
    void message(const std::string &text) const;

    std::string proc(const std::string &file) const; // contents in /proc/flashcache/<label>/
    std::string sysctl_path(const std::string &name) const;
    void set(const std::string &sysctl, std::uint64_t value) const;
    std::uint64_t get(const std::string &sysctl) const;
    // No cleaning by itself: for tests that count.
    void keep_dirty() const;
    // Wait until fills and the like have ended.
    void settle() const;
    void sync() const; // write back all that is dirty

private:
    void remember_label();

    std::string name_;
    std::string label_; // <ssd>+<disk>
};

// A table line for dmsetup: disk, SSD, and the words after the name.
std::string table_line(std::uint64_t sectors, const std::string &disk, const std::string &ssd,
                       const std::string &rest);

} // namespace vm
