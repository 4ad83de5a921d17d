// SPDX-License-Identifier: GPL-2.0-only
//
// The devices of a test and the cache on them, taken down in the right order.
#pragma once

#include "cache.h"
#include "devices.h"

namespace vm {

// The smallest cache device that holds a cache of 32 MiB.
inline constexpr DiskOptions kSmallSsd = {.mib = 40};
inline constexpr DiskOptions kDisk = {.mib = 128};

class Rig {
public:
    explicit Rig(const DiskOptions &ssd_options = kSmallSsd,
                 const DiskOptions &disk_options = kDisk, const std::string &suffix = "0")
        : ssd("ssd" + suffix, ssd_options), disk("disk" + suffix, disk_options),
          cache("fc" + suffix) {}

    void create(Mode mode, const Arguments &options = {}) {
        cache.create(mode, ssd.path(), disk.path(), options);
    }
    void load(const Arguments &options = {}) { cache.load(ssd.path(), options); }

    NullDisk ssd;
    NullDisk disk;
    Cache cache;
};

// The same with devices that can be pulled.
class SwitchedRig {
public:
    explicit SwitchedRig(const DiskOptions &ssd_options = kSmallSsd,
                         const DiskOptions &disk_options = kDisk)
        : ssd_below("ssd0", ssd_options), disk_below("disk0", disk_options),
          ssd("ssd", ssd_below.path(), ssd_below.sectors()),
          disk("disk", disk_below.path(), disk_below.sectors()) {}

    void create(Mode mode, const Arguments &options = {}) {
        cache.create(mode, ssd.path(), disk.path(), options);
    }
    void load(const Arguments &options = {}) { cache.load(ssd.path(), options); }
    // A power cut: from one moment on, nothing reaches the devices.  Then: take the dead cache
    // away, forget what was in the devices' write caches only, and turn them on.
    void cut_power();
    void remove_dead();

    NullDisk ssd_below;
    NullDisk disk_below;
    Switch ssd;
    Switch disk;
    Cache cache;
};

inline void SwitchedRig::cut_power() {
    ssd.hold();
    disk.hold();
    ssd.pull();
    disk.pull();
}

inline void SwitchedRig::remove_dead() {
    cache.abandon();
    ssd.detach();
    disk.detach();
    ssd_below.lose_power();
    disk_below.lose_power();
    ssd.plug();
    disk.plug();
}

} // namespace vm
