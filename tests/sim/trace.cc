// SPDX-License-Identifier: GPL-2.0-only
#include "trace.h"

#include <cstdarg>
#include <cstdio>

namespace sim {

using ull = unsigned long long;

void Trace::start(uint64_t sector, size_t lines) {
    on_ = true;
    sector_ = sector;
    keep_ = lines;
}

void Trace::line(const char *format, ...) {
    if (!on_)
        return;
    char text[400];
    int n = snprintf(text, sizeof text, "%7llu %8llu us  ", static_cast<ull>(step_),
                     static_cast<ull>(now_us_));
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, sizeof text - static_cast<size_t>(n), format, args);
    va_end(args);
    if (!keep_) {
        puts(text);
        return;
    }
    kept_.emplace_back(text);
    if (kept_.size() > keep_)
        kept_.pop_front();
}

void Trace::print_kept() const {
    for (const std::string &line : kept_)
        puts(line.c_str());
}

bool Trace::wants(uint64_t sector, uint64_t count) const {
    if (!on_ || sector_ == kAll || !config_ || !config_->block_sectors)
        return on_;
    const uint64_t first = sector_ - sector_ % config_->block_sectors;
    return sector < first + config_->block_sectors && sector + count > first;
}

bool Trace::wants_io(int dev, const DeviceIo &io) const {
    if (sector_ == kAll || io.op == DevOp::kFlush)
        return true;
    if (dev == FC_DEV_ORIGIN)
        return wants(io.sector, io.count);
    if (!io.memory.sectors)
        return true;
    for (uint64_t i = 0; i < io.count; i++)
        if (io.memory.sectors[i].is_user() && wants(io.memory.sectors[i].origin_sector(), 1))
            return true;
    return false;
}

void Trace::io(const char *what, int dev, const DeviceIo &io, int status) {
    if (!on_ || !wants_io(dev, io))
        return;
    char value[60] = "";
    if (io.memory.sectors && io.count && io.memory.sectors[0].is_user())
        snprintf(value, sizeof value, " (starts with write %llu of %llu)",
                 static_cast<ull>(io.memory.sectors[0].write()),
                 static_cast<ull>(io.memory.sectors[0].origin_sector()));
    line("  %-6s %s %s %llu+%llu%s%s%s", what, dev == FC_DEV_CACHE ? "cache " : "origin",
         name_of(io.op), static_cast<ull>(io.sector), static_cast<ull>(io.count),
         io.fua ? " fua" : "", value, status ? " FAILED" : "");
    if (dev == FC_DEV_CACHE && io.op == DevOp::kWrite && io.memory.bytes && *what == 's')
        metadata(io);
}

void Trace::metadata(const DeviceIo &io) {
    if (!config_ || !config_->unit_bytes)
        return;
    for (uint64_t at = 0; at < io.count * kSectorBytes; at += config_->unit_bytes) {
        const unsigned char *unit = io.memory.bytes + at;
        unsigned int magic;
        memcpy(&magic, unit, sizeof magic);
        if (magic == FC_DISK_LOG_MAGIC) {
            log_unit(unit);
        } else if (!memcmp(unit, FC_DISK_MAGIC, 16)) {
            fc_disk_superblock sb;
            memcpy(&sb, unit, sizeof sb);
            line("         superblock %llu epoch %llu flags %x log tail %llu",
                 static_cast<ull>(sb.sequence), static_cast<ull>(sb.epoch), sb.flags,
                 static_cast<ull>(sb.log_tail));
        }
    }
}

void Trace::log_unit(const unsigned char *unit) {
    fc_disk_log_header h;
    memcpy(&h, unit, sizeof h);
    line("         log unit %llu epoch %llu confirmed %llu durable %llu count %u",
         static_cast<ull>(h.sequence), static_cast<ull>(h.epoch), static_cast<ull>(h.confirmed),
         static_cast<ull>(h.durable), h.count);
    for (unsigned int i = 0; i < h.count && i < 256; i++) {
        fc_disk_log_record r;
        memcpy(&r, unit + sizeof h + i * sizeof r, sizeof r);
        const uint64_t block = r.origin_block_state & FC_DISK_ORIGIN_BLOCK_MASK;
        static const char *const states[] = {"INVALID", "CLEAN", "DIRTY"};
        const uint64_t state = r.origin_block_state >> FC_DISK_ORIGIN_BLOCK_BITS;
        if (wants(block * config_->block_sectors, config_->block_sectors))
            line("           slot %u (sector %llu) block %llu (sector %llu) %s crc %08x", r.slot,
                 static_cast<ull>(config_->data_offset_sectors +
                                  static_cast<uint64_t>(r.slot) * config_->block_sectors),
                 static_cast<ull>(block), static_cast<ull>(block * config_->block_sectors),
                 state < 3 ? states[state] : "?", r.data_crc);
    }
}

} // namespace sim
