// SPDX-License-Identifier: GPL-2.0-only
#include "writeback.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "error.h"
#include "io_pool.h"
#include "live_cache.h"

namespace tools {
namespace {

constexpr std::size_t kBatchBlocks = 4096; // of an old cache, between two flushes
constexpr std::size_t kUnitBytes = 4096;   // of metadata that is rewritten: one block of any device
constexpr std::chrono::milliseconds kAskEvery(200);

void open_cache(LiveCache &cache, const DeviceFile &ssd, const fc_config &config) {
    const int status = cache.open(config);
    if (status == FC_OK)
        return;
    if (status == FC_EIO && cache.first_error() != 0)
        refuse("{} cannot be loaded: {}", ssd.path(), errno_text(cache.first_error()));
    refuse("{} cannot be loaded: {}{}", ssd.path(), fc_status_text(status),
           cache.complaint().empty() ? "" : " (" + cache.complaint() + ")");
}

// ---- old caches

// Writes back a cache block by block, a batch at a time.
class LegacyWriteback {
public:
    LegacyWriteback(const DeviceFile &ssd, const DeviceFile &disk, const LegacyCache &cache)
        : ssd_(ssd), disk_(disk), cache_(cache), pool_(kDiskDepth) {}

    Writeback run(std::span<const LegacySlot> dirty, const GoOn &go_on) {
        result_.dirty = result_.left = dirty.size();
        while (!dirty.empty() && go_on(result_.left)) {
            const auto batch = dirty.first(std::min(kBatchBlocks, dirty.size()));
            dirty = dirty.subspan(batch.size());
            copy(batch, go_on);
            if (!mark_clean())
                break;
        }
        return result_;
    }

private:
    void copy(std::span<const LegacySlot> batch, const GoOn &go_on) {
        bool stopped = false;
        for (const LegacySlot &slot : batch) {
            while (in_flight_ >= 2 * kDiskDepth)
                pool_.run_ends(kAskEvery);
            stopped = stopped || !go_on(result_.left - copied_.size());
            if (stopped)
                break;
            in_flight_++;
            pool_.start([this, slot] { return copy_block(slot); },
                        [this, slot](int error) { copied(slot, error); });
        }
        while (!pool_.idle())
            pool_.run_ends(kAskEvery);
    }

    int copy_block(const LegacySlot &slot) const {
        AlignedBuffer buffer(cache_.block_sectors * kSectorBytes);
        const int error = ssd_.read(legacy_data_sector(cache_, slot.number), buffer.data(),
                                    cache_.block_sectors);
        return error != 0 ? error
                          : disk_.write(slot.disk_sector, buffer.data(), cache_.block_sectors);
    }

    void copied(const LegacySlot &slot, int error) {
        in_flight_--;
        if (error == 0)
            copied_.push_back(slot.number);
        else
            note(error);
    }

    // False if nothing more can be made clean.
    bool mark_clean() {
        if (const int error = disk_.flush(); error != 0)
            return note(error);
        std::sort(copied_.begin(), copied_.end());
        for (std::size_t i = 0; i < copied_.size();)
            if (const int error = rewrite_unit(i); error != 0)
                return note(error);
        if (const int error = ssd_.flush(); error != 0)
            return note(error);
        result_.left -= copied_.size();
        copied_.clear();
        return true;
    }

    // The unit with the slot of copied_[i], and all others there; i: behind them afterwards.
    int rewrite_unit(std::size_t &i) const {
        constexpr std::uint32_t kValid = 0x2;
        constexpr std::size_t kStateOffset = 8;
        AlignedBuffer unit(kUnitBytes);
        const std::uint64_t start =
            legacy_slot_byte(cache_, copied_[i]) / kUnitBytes * kUnitBytes;
        const std::uint64_t sector = start / kSectorBytes;
        if (const int error = ssd_.read(sector, unit.data(), kUnitBytes / kSectorBytes); error != 0)
            return error;
        for (; i < copied_.size(); i++) {
            const std::uint64_t at = legacy_slot_byte(cache_, copied_[i]) - start;
            if (at >= kUnitBytes)
                break;
            std::memcpy(unit.data() + at + kStateOffset, &kValid, sizeof(kValid));
        }
        return ssd_.write(sector, unit.data(), kUnitBytes / kSectorBytes);
    }

    bool note(int error) {
        result_.error = result_.error == 0 ? error : result_.error;
        return false;
    }

    const DeviceFile &ssd_;
    const DeviceFile &disk_;
    const LegacyCache &cache_;
    std::vector<std::uint64_t> copied_; // slots whose data is on the disk, perhaps not durably
    unsigned in_flight_ = 0;
    Writeback result_;
    IoPool pool_; // last: its threads use the rest
};

} // namespace

std::uint64_t count_dirty(const DeviceFile &ssd, const DeviceFile &disk, const fc_config &config) {
    LiveCache cache(ssd, &disk, LiveCache::Changes::kRemembered);
    open_cache(cache, ssd, config);
    return cache.gauge(FC_GAUGE_DIRTY);
}

Writeback write_back(const DeviceFile &ssd, const DeviceFile &disk, const fc_config &config,
                     const GoOn &go_on) {
    LiveCache cache(ssd, &disk, LiveCache::Changes::kWritten);
    open_cache(cache, ssd, config);
    Writeback result;
    result.dirty = cache.gauge(FC_GAUGE_DIRTY);
    const int status = cache.write_back(go_on);
    result.left = cache.gauge(FC_GAUGE_DIRTY);
    if (status == FC_EIO)
        result.error = cache.first_error() != 0 ? cache.first_error() : EIO;
    return result;
}

Writeback write_back_legacy(const DeviceFile &ssd, const DeviceFile &disk, const LegacyCache &cache,
                            const LegacyScan &scan, const GoOn &go_on) {
    return LegacyWriteback(ssd, disk, cache).run(scan.dirty, go_on);
}

} // namespace tools
