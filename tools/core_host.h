// SPDX-License-Identifier: GPL-2.0-only
//
// The surroundings of the core inside a tool: the core's format functions (fc_core_probe, _format,
// _wipe) run on an open cache device.  Pass a CoreHost as their "os".
#pragma once

#include <cerrno>
#include <string>

#include "core/abi.h"
#include "device_file.h"

namespace tools {

// What the core asks of a device (a DeviceFile, or what reads, writes and flushes like one).  Returns
// errno, or 0.
template <typename Device>
int perform_io(Device &device, int io_op, fc_u64 sector, void *buffer, unsigned count,
               unsigned flags) {
    int error = 0;
    switch (io_op) {
    case FC_IO_READ:
        return device.read(sector, buffer, count);
    case FC_IO_WRITE:
        error = device.write(sector, buffer, count);
        if (error == 0 && (flags & FC_IO_FUA) != 0)
            error = device.flush();
        return error;
    case FC_IO_FLUSH:
        return device.flush();
    default:
        return EINVAL;
    }
}

class CoreHost {
public:
    explicit CoreHost(const DeviceFile &cache_device) : cache_device_(cache_device) {}
    CoreHost(const CoreHost &) = delete;
    CoreHost &operator=(const CoreHost &) = delete;
    virtual ~CoreHost() = default;

    // FC_OK or FC_EIO; remembers errno of the first failure.
    virtual int sync_io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                        unsigned flags);

    // A line of the core's, for an administrator; level: enum fc_log_level.
    virtual void log(int level, const std::string &line);

    // errno of the first failed I/O, 0 if none failed.
    int first_error() const { return first_error_; }

protected:
    void note_error(int error) { first_error_ = first_error_ == 0 ? error : first_error_; }

private:
    const DeviceFile &cache_device_;
    int first_error_ = 0;
};

// Reads the superblocks of the device into config, whose origin_sectors is in, or 0 for "not known".  Returns enum fc_status; a device too small for a superblock
// has none.
[[nodiscard]] int probe_cache(const DeviceFile &cache_device, fc_config &config);

// Writes empty metadata for a planned config.  Throws Error.
void format_cache(const DeviceFile &cache_device, const fc_config &config);

// Makes the superblocks unrecognisable.  Throws Error.
void wipe_cache(const DeviceFile &cache_device, const fc_config &config);

} // namespace tools
