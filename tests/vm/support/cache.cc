// SPDX-License-Identifier: GPL-2.0-only
#include "cache.h"

#include <cstdio>
#include <filesystem>

#include "devices.h"
#include "system.h"

namespace vm {
namespace {

constexpr const char *kProc = "/proc/flashcache/";
constexpr const char *kSysctl = "/proc/sys/dev/flashcache/";

// Of "major:minor", as it stands in a table, the name that a user would give.
std::string device_name(const std::string &device_number) {
    const auto link = std::filesystem::read_symlink("/sys/dev/block/" + device_number);
    const std::string kernel_name = link.filename().string();
    const std::string dm_name = "/sys/block/" + kernel_name + "/dm/name";
    return exists(dm_name) ? words(read_file(dm_name)).at(0) : kernel_name;
}

} // namespace

// ---- modes

Arguments tool_arguments(Mode mode) {
    switch (mode) {
    case Mode::kBack:
        return {"-p", "back"};
    case Mode::kThru:
        return {"-p", "thru"};
    case Mode::kAround:
        return {"-p", "around"};
    case Mode::kWriteOnly:
        return {"-p", "back", "-w"};
    }
    return {};
}

std::string status_word(Mode mode) {
    switch (mode) {
    case Mode::kBack:
        return "write_back";
    case Mode::kThru:
        return "write_through";
    case Mode::kAround:
        return "write_around";
    case Mode::kWriteOnly:
        return "write_only";
    }
    return {};
}

std::string table_words(Mode mode, int persistence) {
    const std::string place4 = std::to_string(persistence);
    switch (mode) {
    case Mode::kBack:
        return "1 " + place4;
    case Mode::kThru:
        return "2 " + place4;
    case Mode::kAround:
        return "3 " + place4;
    case Mode::kWriteOnly:
        return "1 " + place4 + " 8 0 0 0 1";
    }
    return {};
}

std::ostream &operator<<(std::ostream &out, Mode mode) {
    return out << status_word(mode);
}

std::string table_line(std::uint64_t sectors, const std::string &disk, const std::string &ssd,
                       const std::string &rest) {
    return "0 " + std::to_string(sectors) + " flashcache " + disk + " " + ssd + " " + rest;
}

// ---- status

Status::Status(const std::string &line) : values_(key_values(line)) {}

std::string Status::word(const std::string &key) const {
    const auto found = values_.find(key);
    if (found == values_.end())
        throw Failure("dmsetup status has no " + key);
    return found->second;
}

std::uint64_t Status::operator[](const std::string &key) const {
    return number(word(key));
}

Status Cache::status() const {
    return Status(must({"dmsetup", "status", name_}));
}

std::string Cache::table() const {
    return must({"dmsetup", "table", name_});
}

void Cache::message(const std::string &text) const {
    Arguments arguments = {"dmsetup", "message", name_, "0"};
    for (const std::string &word : words(text))
        arguments.push_back(word);
    must(arguments);
}

// ---- life

bool Cache::exists() const {
    return !mapped_device(name_).empty();
}

std::string Cache::kernel_name() const {
    return kernel_name_of(path());
}

void Cache::remember_label() {
    const auto word = words(table());
    label_ = device_name(word.at(4)) + "+" + device_name(word.at(3));
}

void Cache::create(Mode mode, const std::string &ssd, const std::string &disk,
                   const Arguments &options) {
    Arguments arguments = {"flashcache_create", "--yes"};
    for (const Arguments &more : {tool_arguments(mode), options, Arguments{name_, ssd, disk}})
        arguments.insert(arguments.end(), more.begin(), more.end());
    must(arguments);
    remember_label();
}

void Cache::load(const std::string &ssd, const Arguments &options) {
    Arguments arguments = {"flashcache_load"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {ssd, name_});
    must(arguments);
    remember_label();
}

// Who has just closed the device may hold it a moment longer: libaio tells that a request has ended before it lets
// go of the file.
void Cache::remove(Seconds limit) {
    must({"dmsetup", "remove", "--retry", name_}, limit);
}

void Cache::fast_remove() {
    set("fast_remove", 1);
    remove();
}

void Cache::abandon() {
    run({"dmsetup", "message", name_, "0", "stop_sync"});
    fast_remove();
}

Cache::~Cache() {
    if (!exists())
        return;
    resume_if_suspended(name_);
    try_write_file(sysctl_path("fast_remove"), "1");
    if (const Result result = run({"dmsetup", "remove", "--retry", name_}); result.status != 0)
        std::fprintf(stderr, "cache %s stays: %s\n", name_.c_str(), result.output.c_str());
}

// ---- files of /proc

std::string Cache::proc(const std::string &file) const {
    return read_file(kProc + label_ + "/" + file);
}

std::string Cache::sysctl_path(const std::string &name) const {
    return kSysctl + label_ + "/" + name;
}

void Cache::set(const std::string &sysctl, std::uint64_t value) const {
    write_file(sysctl_path(sysctl), std::to_string(value));
}

std::uint64_t Cache::get(const std::string &sysctl) const {
    return number(read_file(sysctl_path(sysctl)));
}

void Cache::keep_dirty() const {
    set("idle_delay_ms", 0);
    set("fallow_delay", 0);
    set("dirty_thresh_pct", 95);
    set("cache_dirty_thresh_pct", 95);
}

void Cache::settle() const {
    std::string before;
    const bool quiet = eventually([&] {
        const std::string now = must({"dmsetup", "status", name_});
        const bool same = now == before && Status(now)["waiting"] == 0;
        before = now;
        return same;
    });
    if (!quiet)
        throw Failure("the cache does not come to rest: " + before);
}

void Cache::sync() const {
    set("do_sync", 1);
    if (!eventually([this] { return status()["dirty"] == 0; }, Seconds(120)))
        throw Failure("do_sync leaves dirty blocks: " + must({"dmsetup", "status", name_}));
}

} // namespace vm
