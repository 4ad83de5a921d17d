// SPDX-License-Identifier: GPL-2.0-only
//
// A cache opened in the tool's own process, by the core that the kernel module is made of: it
// recovers as the kernel does, writes back as the kernel does, and stops as the kernel does.  No
// requests are served.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/abi.h"
#include "core_host.h"
#include "device_file.h"
#include "io_pool.h"

namespace tools {

// A device as the core sees it: what it writes reaches the device, or is only remembered.
class Medium {
public:
    Medium(const DeviceFile *device, bool remember) : device_(device), remember_(remember) {}
    // errno or 0; ENODEV without a device.
    int read(fc_u64 sector, void *buffer, unsigned count) const;
    int write(fc_u64 sector, const void *buffer, unsigned count);
    int flush() const;

private:
    const DeviceFile *device_;
    bool remember_;
    std::map<fc_u64, std::vector<std::byte>> written_; // by sector
};

struct CachedBlock {
    std::uint64_t slot; // cache block
    std::uint64_t origin_block;
    bool dirty;
    bool referenced;
};

struct UnmapMemory {
    std::size_t bytes = 0;
    void operator()(void *memory) const;
};

class LiveCache final : public CoreHost {
public:
    enum class Changes { kWritten, kRemembered };

    // disk: may be null if nothing shall be written back; what the superblock knows of the
    // contents of the disk is not compared then.
    LiveCache(const DeviceFile &ssd, const DeviceFile *disk, Changes changes);
    ~LiveCache() override;

    // Loads the cache: FC_OK or FC_E_*.  config: from probe_cache().
    [[nodiscard]] int open(const fc_config &config);
    // What was wrong most lately, in the core's words; "" if nothing was.
    const std::string &complaint() const { return complaint_; }
    std::uint64_t gauge(fc_gauge which);
    void for_each_block(const std::function<void(const CachedBlock &)> &visit);

    // Writes all dirty blocks to the disk and stops in good order.  go_on is told, some times a
    // second, how many blocks are left; if it returns false, what is left stays dirty.  Returns
    // FC_OK, FC_EINTR, or FC_EIO.
    int write_back(const std::function<bool(std::uint64_t left)> &go_on);

    // ---- what the core asks for (live_cache_os.cc)
    int sync_io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                unsigned flags) override;
    void log(int level, const std::string &line) override;
    void async_io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count, unsigned flags,
                  unsigned token);
    void copy(fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector, unsigned count);
    void kick(int work, unsigned delay_ms);
    void wait(unsigned timeout_ms);
    void wake() { woken_ = true; }
    bool interrupted();
    fc_u64 now_ms() const;

private:
    Medium &medium(int dev) { return dev == FC_DEV_CACHE ? ssd_ : disk_; }
    void forget_fingerprint(const fc_config &config);
    bool run_due();
    std::chrono::milliseconds until_due(fc_u64 deadline_ms) const;

    Medium ssd_;
    Medium disk_;
    bool has_disk_;
    std::unique_ptr<void, UnmapMemory> memory_;
    fc_core *core_ = nullptr;
    fc_u64 due_ms_[FC_NR_WORKS];
    bool woken_ = false;
    bool stopped_by_user_ = false;
    fc_u64 told_ms_ = 0;
    std::string complaint_;
    std::function<bool(std::uint64_t)> go_on_;
    IoPool pool_;
};

} // namespace tools
