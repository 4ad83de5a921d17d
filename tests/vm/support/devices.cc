// SPDX-License-Identifier: GPL-2.0-only
#include "devices.h"

#include <cstdio>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <linux/blkpg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "system.h"

namespace vm {
namespace {

constexpr const char *kNullDisks = "/sys/kernel/config/nullb/";
constexpr unsigned kIrqSoft = 1;  // completes at once
constexpr unsigned kIrqTimer = 2; // completes after completion_nsec

std::uint64_t sectors_of(unsigned mib) {
    return std::uint64_t{mib} * 2048;
}

} // namespace

// ---- NullDisk

void NullDisk::set(const std::string &attribute, std::uint64_t value) const {
    write_file(kNullDisks + name_ + "/" + attribute, std::to_string(value));
}

void NullDisk::power_on() const {
    set("power", 1);
    if (!eventually([this] { return exists(path()); }))
        throw Failure(path() + " does not appear");
}

NullDisk::NullDisk(std::string name, const DiskOptions &options)
    : name_(std::move(name)), sectors_(sectors_of(options.mib)) {
    load_module("null_blk", {"nr_devices=0"});
    std::filesystem::create_directory(kNullDisks + name_);
    set("size", options.mib);
    set("memory_backed", 1);
    set("blocksize", options.block_bytes);
    set("hw_queue_depth", options.queue_depth);
    // Requests of 256 KiB reach the disk in one piece, as on real ones.
    set("max_sectors", 2048);
    set("irqmode", options.delay_us != 0 ? kIrqTimer : kIrqSoft);
    set("completion_nsec", std::uint64_t{options.delay_us} * 1000);
    set("discard", options.discard ? 1 : 0);
    if (options.cache_mib != 0)
        set("cache_size", options.cache_mib);
    power_on();
}

NullDisk::~NullDisk() {
    try_write_file(kNullDisks + name_ + "/power", "0");
    std::error_code error;
    std::filesystem::remove(kNullDisks + name_, error);
    if (error)
        std::fprintf(stderr, "null disk %s stays: %s\n", name_.c_str(), error.message().c_str());
}

void NullDisk::lose_power() {
    set("power", 0);
    power_on();
}

void NullDisk::go_bad(std::uint64_t first, std::uint64_t count) const {
    write_file(kNullDisks + name_ + "/badblocks",
               "+" + std::to_string(first) + "-" + std::to_string(first + count - 1));
}

void NullDisk::resize(unsigned mib) {
    set("power", 0);
    set("size", mib);
    sectors_ = sectors_of(mib);
    power_on();
}

// ---- Partition

namespace {

int change_partition(const std::string &disk, int op, std::uint64_t start, std::uint64_t bytes) {
    blkpg_partition partition = {};
    partition.start = static_cast<long long>(start);
    partition.length = static_cast<long long>(bytes);
    partition.pno = 1;
    blkpg_ioctl_arg argument = {op, 0, sizeof(partition), &partition};
    const int file = ::open(disk.c_str(), O_RDONLY | O_CLOEXEC);
    const int result = ::ioctl(file, BLKPG, &argument);
    ::close(file);
    return result;
}

} // namespace

Partition::Partition(const NullDisk &disk, std::uint64_t first_sector) : disk_(disk.path()) {
    if (change_partition(disk_, BLKPG_ADD_PARTITION, first_sector * 512,
                         (disk.sectors() - first_sector) * 512) != 0)
        throw Failure(disk_ + " takes no partition");
    if (!eventually([this] { return exists(path()); }))
        throw Failure(path() + " does not appear");
}

Partition::~Partition() {
    change_partition(disk_, BLKPG_DEL_PARTITION, 0, 0);
}

// ---- mapped devices

void resume_if_suspended(const std::string &name) {
    const std::string device = mapped_device(name);
    if (!device.empty() && read_file("/sys/block/" + device + "/dm/suspended") != "0\n")
        run({"dmsetup", "resume", name});
}

// ---- Switch

std::string Switch::linear() const {
    return "0 " + std::to_string(sectors_) + " linear " + lower_ + " 0";
}

// Always in its failing phase.
std::string Switch::flakey(const std::string &features) const {
    return "0 " + std::to_string(sectors_) + " flakey " + lower_ + " 0 0 60000" + features;
}

Switch::Switch(std::string name, std::string lower, std::uint64_t sectors, const std::string &uuid)
    : name_(std::move(name)), lower_(std::move(lower)), sectors_(sectors) {
    load_module("dm_flakey");
    Arguments create = {"dmsetup", "create", name_, "--table", linear()};
    if (!uuid.empty())
        create.insert(create.end(), {"--uuid", uuid});
    must(create);
}

Switch::~Switch() {
    resume_if_suspended(name_);
    if (const Result result = run({"dmsetup", "remove", "--retry", name_}); result.status != 0)
        std::fprintf(stderr, "switch %s stays: %s\n", name_.c_str(), result.output.c_str());
}

std::string Switch::kernel_name() const {
    return kernel_name_of(path());
}

void Switch::use(const std::string &table) {
    must({"dmsetup", "load", name_, "--table", table});
    must({"dmsetup", "suspend", "--noflush", "--nolockfs", name_});
    must({"dmsetup", "resume", name_});
}

// Not the error target: it knows no flushes, and device-mapper then says that they succeeded.
void Switch::pull() {
    use(flakey(""));
}

void Switch::detach() {
    use("0 " + std::to_string(sectors_) + " error");
}

void Switch::plug() {
    use(linear());
}

void Switch::fail_writes() {
    use(flakey(" 1 error_writes"));
}

void Switch::hold() {
    must({"dmsetup", "suspend", "--noflush", "--nolockfs", name_});
}

void Switch::release() {
    must({"dmsetup", "resume", name_});
}

// ---- LoopDisk

LoopDisk::LoopDisk(const std::string &name, unsigned mib)
    : file_("/dev/shm/" + name), sectors_(sectors_of(mib)) {
    load_module("loop");
    must({"dd", "if=/dev/null", "of=" + file_, "bs=1M", "seek=" + std::to_string(mib), "count=0"});
    path_ = words(must({"losetup", "--find", "--show", "--direct-io=off", file_})).at(0);
}

LoopDisk::~LoopDisk() {
    run({"losetup", "--detach", path_});
    std::error_code error;
    std::filesystem::remove(file_, error);
}

} // namespace vm
