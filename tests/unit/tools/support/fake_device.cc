// SPDX-License-Identifier: GPL-2.0-only
#include "fake_device.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

namespace tools::test {
namespace {

namespace fs = std::filesystem;

void write_file(const fs::path &path, const std::string &text) {
    fs::create_directories(path.parent_path());
    std::ofstream file(path);
    file << text;
}

} // namespace

TemporaryDirectory::TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "flashcache-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("mkdtemp");
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

FakeDevice::FakeDevice(std::uint64_t sectors) : path_(directory_.path() + "/device") {
    std::ofstream(path_).flush();
    fs::resize_file(path_, sectors * kSectorBytes);
}

DeviceFile FakeDevice::open() const {
    return DeviceFile::open(path_, Access::kReadWrite, false);
}

void FakeDevice::poke(std::uint64_t byte_offset, const void *bytes, std::size_t count) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(byte_offset));
    file.write(static_cast<const char *>(bytes), static_cast<std::streamsize>(count));
}

std::string FakeDevice::peek(std::uint64_t byte_offset, std::size_t count) const {
    std::ifstream file(path_, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(byte_offset));
    std::string bytes(count, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(count));
    return bytes;
}

FakeSystem::FakeSystem() {
    fs::create_directories(directory_.path() + "/sys/class/block");
    fs::create_directories(directory_.path() + "/proc/self");
    fs::create_directories(directory_.path() + "/dev/disk/by-id");
}

SystemRoots FakeSystem::roots() const {
    return {directory_.path() + "/sys", directory_.path() + "/proc", directory_.path() + "/dev"};
}

std::string FakeSystem::class_path(const std::string &name) const {
    return directory_.path() + "/sys/class/block/" + name;
}

void FakeSystem::add(const std::string &name, const std::string &directory, std::uint64_t sectors) {
    fs::create_directories(directory + "/holders");
    fs::create_directory_symlink(directory, class_path(name));
    set(name, "size", fmt::format("{}\n", sectors));
    set(name, "dev", fmt::format("250:{}\n", next_minor_++));
    set(name, "ro", "0\n");
    write_file(directory_.path() + "/dev/" + name, "");
}

void FakeSystem::add_disk(const std::string &name, std::uint64_t sectors) {
    add(name, directory_.path() + "/sys/devices/" + name, sectors);
    set(name, "queue/logical_block_size", "512\n");
}

void FakeSystem::add_partition(const std::string &disk, unsigned number, std::uint64_t sectors) {
    const std::string name = fmt::format("{}{}", disk, number);
    add(name, directory_.path() + "/sys/devices/" + disk + "/" + name, sectors);
    set(name, "partition", fmt::format("{}\n", number));
}

void FakeSystem::set(const std::string &name, const std::string &attribute,
                     const std::string &value) {
    write_file(fs::path(class_path(name)) / attribute, value);
}

void FakeSystem::add_by_id_link(const std::string &link, const std::string &name) {
    fs::create_symlink("../../" + name, directory_.path() + "/dev/disk/by-id/" + link);
}

void FakeSystem::write_proc(const std::string &file, const std::string &text) {
    write_file(directory_.path() + "/proc/" + file, text);
}

void FakeSystem::add_holder(const std::string &name, const std::string &holder) {
    write_file(fs::path(class_path(name)) / "holders" / holder, "");
}

fc_config planned_config(std::uint64_t cache_sectors, unsigned unit_bytes) {
    fc_config config = {};
    config.origin_sectors = 1 << 20;
    config.cache_device_sectors = cache_sectors;
    config.unit_bytes = unit_bytes;
    config.ways_per_set = 64;
    config.mode = FC_MODE_WRITE_BACK;
    if (fc_core_plan(&config) != FC_OK)
        throw std::runtime_error("the test's device is too small");
    std::memcpy(config.cache_uuid, "0123456789abcdef", sizeof(config.cache_uuid));
    std::strcpy(config.cache_name, "cachedev");
    std::strcpy(config.origin_path, "/dev/sdb");
    std::strcpy(config.origin_id, "wwid:naa.5000");
    return config;
}

} // namespace tools::test
