// SPDX-License-Identifier: GPL-2.0-only
#include "legacy_scan.h"

#include <algorithm>
#include <array>

#include "error.h"
#include "legacy_placement.h"

namespace tools {
namespace {

constexpr std::size_t kMaxDamages = 1000; // that are told one by one

class Scan {
public:
    Scan(const LegacyCache &cache, std::uint64_t disk_sectors)
        : cache_(cache), disk_sectors_(disk_sectors) {}

    void see(const LegacySlot &slot) {
        if (!slot.sensible())
            return damage("slot {} has state {:#x}, which makes no sense", slot.number, slot.state);
        // After a crash the old kernel trusts only what is dirty.
        if (!slot.valid() || (cache_.stop == LegacyStop::kUnclean && !slot.dirty()))
            return;
        if (slot.disk_sector % cache_.block_sectors != 0 || slot.disk_sector >= disk_sectors_ ||
            cache_.block_sectors > disk_sectors_ - slot.disk_sector)
            return damage("slot {} has sector {}, where the disk has no block", slot.number,
                          slot.disk_sector);
        note_placement(slot);
        result_.valid_blocks++;
        if (slot.dirty())
            result_.dirty.push_back(slot);
    }

    LegacyScan finish(int error) {
        if (error != 0)
            damage("the metadata cannot be read: {}", errno_text(error));
        drop_misplaced();
        drop_duplicates();
        return std::move(result_);
    }

private:
    template <typename... Args>
    void damage(fmt::format_string<Args...> format, Args &&...args) {
        if (result_.damages.size() < kMaxDamages)
            result_.damages.push_back(fmt::format(format, std::forward<Args>(args)...));
    }

    void note_placement(const LegacySlot &slot) {
        for (std::size_t i = 0; i < kLegacyHashes.size(); i++)
            misplaced_[i] += misplaced(slot, kLegacyHashes[i]);
    }

    bool misplaced(const LegacySlot &slot, LegacyHash hash) const {
        return legacy_set(cache_, slot.disk_sector, hash) != slot.number / cache_.associativity;
    }

    // One of the hashes must explain all blocks.
    void drop_misplaced() {
        const auto least = std::min_element(misplaced_.begin(), misplaced_.end());
        if (*least == 0)
            return;
        damage("{} blocks are in sets where their sectors cannot be", *least);
        const LegacyHash hash =
            kLegacyHashes[static_cast<std::size_t>(least - misplaced_.begin())];
        std::erase_if(result_.dirty, [&](const LegacySlot &slot) { return misplaced(slot, hash); });
    }

    // Nothing says which of two is newer.
    void drop_duplicates() {
        auto &dirty = result_.dirty;
        std::sort(dirty.begin(), dirty.end(), [](const LegacySlot &a, const LegacySlot &b) {
            return a.disk_sector < b.disk_sector;
        });
        std::vector<LegacySlot> single;
        for (std::size_t i = 0; i < dirty.size(); i++) {
            const bool like_last = i > 0 && dirty[i].disk_sector == dirty[i - 1].disk_sector;
            const bool like_next =
                i + 1 < dirty.size() && dirty[i].disk_sector == dirty[i + 1].disk_sector;
            if (like_last)
                damage("slots {} and {} are both dirty with sector {}", dirty[i - 1].number,
                       dirty[i].number, dirty[i].disk_sector);
            if (!like_last && !like_next)
                single.push_back(dirty[i]);
        }
        dirty = std::move(single);
    }

    const LegacyCache &cache_;
    std::uint64_t disk_sectors_;
    std::array<std::uint64_t, kLegacyHashes.size()> misplaced_ = {};
    LegacyScan result_;
};

} // namespace

LegacyScan scan_legacy(const DeviceFile &device, const LegacyCache &cache,
                       std::uint64_t disk_sectors) {
    Scan scan(cache, disk_sectors != 0 ? disk_sectors : cache.disk_sectors);
    return scan.finish(for_each_legacy_slot(
        device, cache, [&scan](const LegacySlot &slot) { scan.see(slot); }));
}

} // namespace tools
