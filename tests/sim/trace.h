// SPDX-License-Identifier: GPL-2.0-only
// What happened, line by line; of everything or of one sector of the origin.
#ifndef FLASHCACHE_TESTS_SIM_TRACE_H
#define FLASHCACHE_TESTS_SIM_TRACE_H

#include <cstdint>
#include <deque>
#include <string>

#include "abi.h"
#include "device.h"

namespace sim {

class Trace {
public:
    static constexpr uint64_t kAll = ~0ull;

    // Keep the last @lines lines (0: print them at once), of the block of @sector or of everything.
    void start(uint64_t sector, size_t lines);
    bool on() const { return on_; }
    void use(const fc_config *config) { config_ = config; }
    void at(uint64_t step, uint64_t now_us) {
        step_ = step;
        now_us_ = now_us;
    }

    void line(const char *format, ...) __attribute__((format(printf, 2, 3)));
    // True if sectors of the origin are of interest.
    bool wants(uint64_t sector, uint64_t count) const;
    void io(const char *what, int dev, const DeviceIo &io, int status);
    void print_kept() const;

private:
    bool wants_io(int dev, const DeviceIo &io) const;
    void metadata(const DeviceIo &io);
    void log_unit(const unsigned char *unit);

    bool on_ = false;
    uint64_t sector_ = kAll;
    size_t keep_ = 0;
    uint64_t step_ = 0, now_us_ = 0;
    const fc_config *config_ = nullptr;
    std::deque<std::string> kept_;
};

} // namespace sim

#endif
