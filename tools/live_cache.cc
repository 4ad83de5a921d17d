// SPDX-License-Identifier: GPL-2.0-only
#include "live_cache.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <sys/mman.h>

#include "core/cache.h"
#include "core/checksum.h"

namespace tools {
namespace {

constexpr fc_u64 kNever = ~0ull;
constexpr fc_u64 kTellEveryMs = 200;
constexpr std::size_t kCopyBytes = FC_JOB_MAX_SECTORS * kSectorBytes;

int status_of(int error) {
    return error == 0 ? FC_OK : FC_EIO;
}

} // namespace

// ---- Medium

int Medium::read(fc_u64 sector, void *buffer, unsigned count) const {
    if (device_ == nullptr)
        return ENODEV;
    if (const int error = device_->read(sector, buffer, count); error != 0)
        return error;
    for (auto it = written_.lower_bound(sector); it != written_.end() && it->first < sector + count;
         ++it)
        std::memcpy(static_cast<std::byte *>(buffer) + (it->first - sector) * kSectorBytes,
                    it->second.data(), kSectorBytes);
    return 0;
}

int Medium::write(fc_u64 sector, const void *buffer, unsigned count) {
    if (device_ == nullptr)
        return ENODEV;
    if (!remember_)
        return device_->write(sector, buffer, count);
    const auto *at = static_cast<const std::byte *>(buffer);
    for (unsigned i = 0; i < count; i++, at += kSectorBytes)
        written_[sector + i].assign(at, at + kSectorBytes);
    return 0;
}

int Medium::flush() const {
    return device_ == nullptr || remember_ ? 0 : device_->flush();
}

// ---- LiveCache

void UnmapMemory::operator()(void *memory) const {
    ::munmap(memory, bytes);
}

LiveCache::LiveCache(const DeviceFile &ssd, const DeviceFile *disk, Changes changes)
    : CoreHost(ssd), ssd_(&ssd, changes == Changes::kRemembered),
      disk_(disk, changes == Changes::kRemembered), has_disk_(disk != nullptr),
      pool_(changes == Changes::kWritten ? kDiskDepth : 0) {
    std::fill(std::begin(due_ms_), std::end(due_ms_), kNever);
}

LiveCache::~LiveCache() = default;

// Without the disk, what stands on it cannot be compared.  Only remembered, never written.
void LiveCache::forget_fingerprint(const fc_config &config) {
    for (const fc_u64 sector : {FC_DISK_SUPERBLOCK_A_SECTOR, FC_DISK_SUPERBLOCK_B_SECTOR}) {
        AlignedBuffer unit(config.unit_bytes);
        const auto sectors = static_cast<unsigned>(config.unit_bytes / kSectorBytes);
        if (ssd_.read(sector, unit.data(), sectors) != 0)
            continue;
        fc_disk_superblock disk;
        std::memcpy(&disk, unit.data(), sizeof(disk));
        const auto crc = [&disk] {
            return fc::crc_without_field(0, &disk, sizeof(disk), offsetof(fc_disk_superblock, crc));
        };
        if (disk.crc != crc())
            continue; // nobody believes it, with or without
        disk.flags &= ~FC_DISK_FLAG_FINGERPRINT;
        disk.crc = crc();
        std::memcpy(unit.data(), &disk, sizeof(disk));
        ssd_.write(sector, unit.data(), sectors);
    }
}

int LiveCache::open(const fc_config &config) {
    fc_config in_use = config;
    // A flush costs nothing where there is no volatile cache.
    in_use.cache_volatile = 1;
    in_use.origin_volatile = 1;
    if (!has_disk_)
        forget_fingerprint(config);
    const std::size_t bytes = fc_core_bytes(&in_use);
    void *memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::bad_alloc();
    memory_ = {memory, UnmapMemory{bytes}};
    core_ = fc_core_init(memory, static_cast<CoreHost *>(this), &in_use);
    const int status = fc_core_open(core_);
    if (status != FC_OK)
        core_ = nullptr;
    return status;
}

std::uint64_t LiveCache::gauge(fc_gauge which) {
    return fc_core_gauge(core_, which);
}

void LiveCache::for_each_block(const std::function<void(const CachedBlock &)> &visit) {
    for (std::uint32_t set_nr = 0; set_nr < core_->geo.nr_sets(); set_nr++) {
        const fc::CacheSet set = fc::set_at(*core_, set_nr);
        for (std::uint32_t way = 0; way < core_->geo.ways(); way++)
            if (set.valid(way))
                visit({fc::slot_number(*core_, set_nr, way),
                       core_->geo.origin_block(set_nr, set.tag(way)), set.dirty(way),
                       set.precious(way)});
    }
}

int LiveCache::write_back(const std::function<bool(std::uint64_t left)> &go_on) {
    go_on_ = go_on;
    for (const auto &[tunable, value] : {std::pair{FC_TUNE_MAX_CLEAN_IOS_TOTAL, 2 * kDiskDepth},
                                         std::pair{FC_TUNE_MAX_CLEAN_IOS_SET, kDiskDepth}})
        fc_core_tune(core_, tunable, value);
    const int status = fc_core_close(core_, 0);
    while (!pool_.idle())
        pool_.run_ends(std::chrono::milliseconds(kTellEveryMs));
    return status;
}

// ---- I/O

int LiveCache::sync_io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                       unsigned flags) {
    const int error = perform_io(medium(dev), io_op, sector, buffer, count, flags);
    if (error == 0)
        return FC_OK;
    note_error(error);
    const bool flush = io_op == FC_IO_FLUSH;
    if (core_ != nullptr && (flush || (io_op == FC_IO_WRITE && (flags & FC_IO_FUA) != 0)))
        fc_core_sync_failed(core_, dev, flush ? 1 : 0);
    return FC_EIO;
}

// Who uses the cache says how it ended; why is in the last complaint.
void LiveCache::log(int level, const std::string &line) {
    if (level == FC_LOG_ERROR)
        complaint_ = line;
}

void LiveCache::async_io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                         unsigned flags, unsigned token) {
    pool_.start([=, this] { return perform_io(medium(dev), io_op, sector, buffer, count, flags); },
                [this, token](int error) { fc_core_async_done(core_, token, status_of(error)); });
}

void LiveCache::copy(fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector, unsigned count) {
    const auto failed_dev = std::make_shared<int>(FC_DEV_CACHE);
    pool_.start(
        [=, this] {
            thread_local AlignedBuffer buffer(kCopyBytes);
            if (const int error = ssd_.read(cache_sector, buffer.data(), count); error != 0)
                return error;
            *failed_dev = FC_DEV_ORIGIN;
            return disk_.write(origin_sector, buffer.data(), count);
        },
        [this, job, failed_dev](int error) {
            if (error != 0)
                note_error(error);
            fc_core_job_io_done(core_, job, *failed_dev, status_of(error));
        });
}

// ---- time

fc_u64 LiveCache::now_ms() const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<fc_u64>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void LiveCache::kick(int work, unsigned delay_ms) {
    due_ms_[work] = std::min(due_ms_[work], now_ms() + delay_ms);
}

bool LiveCache::run_due() {
    const fc_u64 now = now_ms();
    bool any = false;
    for (int work = 0; work < FC_NR_WORKS; work++) {
        if (due_ms_[work] > now)
            continue;
        any = true;
        due_ms_[work] = kNever;
        if (work == FC_WORK_RUN)
            fc_core_run(core_);
        else if (work == FC_WORK_CHECKPOINT)
            fc_core_checkpoint(core_);
        else if (const unsigned ms = fc_core_writeback(core_); ms != 0)
            kick(work, ms);
    }
    return any;
}

std::chrono::milliseconds LiveCache::until_due(fc_u64 deadline_ms) const {
    const fc_u64 now = now_ms();
    const fc_u64 next = std::min({deadline_ms, now + kTellEveryMs,
                                  *std::min_element(std::begin(due_ms_), std::end(due_ms_))});
    return std::chrono::milliseconds(next > now ? next - now : 0);
}

// The core waits for what its own work does: this is where that is done.
void LiveCache::wait(unsigned timeout_ms) {
    const fc_u64 deadline = now_ms() + timeout_ms;
    woken_ = false;
    do {
        run_due();
        pool_.run_ends(until_due(deadline));
    } while (!woken_ && !interrupted() && now_ms() < deadline);
}

bool LiveCache::interrupted() {
    if (stopped_by_user_ || !go_on_ || now_ms() < told_ms_ + kTellEveryMs)
        return stopped_by_user_;
    told_ms_ = now_ms();
    stopped_by_user_ = !go_on_(gauge(FC_GAUGE_DIRTY));
    return stopped_by_user_;
}

} // namespace tools
