// SPDX-License-Identifier: GPL-2.0-only
//
// What docs/ON_SSD_FORMAT.md says a cache holds, read as slowly and plainly as possible: what the
// core and the tools make of the same bytes must agree.
#pragma once

#include <vector>

#include "disk.h"

struct Slot {
    unsigned state = FC_DISK_INVALID;
    fc_u64 block = 0;
};

struct Model {
    bool refused = false;    // the cache must not be loaded
    std::vector<Slot> slots; // by number
    bool scarred = false;    // places of the log that are not needed now hold what no cache leaves there:
                             // a crash just in front of one looks like a damaged last unit

    unsigned count(unsigned state) const;
};

// config: from a probe of this device.
Model read_model(const Disk &ssd, const fc_config &config);
