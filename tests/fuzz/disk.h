// SPDX-License-Identifier: GPL-2.0-only
//
// A device in memory that is put back as it was after each input, at the cost of what was written.
#pragma once

#include <vector>

#include "abi.h"
#include "input.h"

inline constexpr unsigned kSector = 512;

class Disk {
public:
    explicit Disk(std::vector<char> bytes)
        : base_(bytes), now_(std::move(bytes)), is_touched_(now_.size() / kSector) {}

    fc_u64 sectors() const { return is_touched_.size(); }

    // count sectors, all of them on the device.
    const char *at(fc_u64 sector, fc_u64 count = 1) const {
        require(sector <= sectors() && count <= sectors() - sector, "I/O beyond the end of a device");
        return now_.data() + sector * kSector;
    }
    // The same, to be changed by the caller.
    char *touch(fc_u64 sector, fc_u64 count = 1) {
        char *bytes = const_cast<char *>(at(sector, count));
        for (fc_u64 s = sector; s < sector + count; s++) {
            if (!is_touched_[s])
                touched_.push_back(s);
            is_touched_[s] = true;
        }
        return bytes;
    }
    void write(fc_u64 sector, const void *from, fc_u64 count) {
        std::memcpy(touch(sector, count), from, count * kSector);
    }

    // The sectors that may differ from the first state.
    const std::vector<fc_u64> &touched() const { return touched_; }
    void reset() {
        for (const fc_u64 s : touched_) {
            std::memcpy(now_.data() + s * kSector, base_.data() + s * kSector, kSector);
            is_touched_[s] = false;
        }
        touched_.clear();
    }

private:
    std::vector<char> base_, now_;
    std::vector<bool> is_touched_;
    std::vector<fc_u64> touched_;
};
