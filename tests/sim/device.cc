// SPDX-License-Identifier: GPL-2.0-only
#include "device.h"

#include <algorithm>

namespace sim {

const char *name_of(DevOp op) {
    static const char *const names[] = {"read", "write", "discard", "write-zeroes", "flush"};
    return names[static_cast<int>(op)];
}

Device::Device(const Config &config, Rng &rng)
    : config_(config), rng_(rng), pages_((config.sectors + kPage - 1) / kPage) {}

Device::~Device() = default;

Device::Page &Device::page(uint64_t sector) {
    auto &slot = pages_[sector / kPage];
    if (!slot) {
        slot = std::make_unique<Page>();
        uint64_t first = sector - sector % kPage;
        for (uint64_t i = 0; i < kPage; i++)
            slot->current[i] = slot->durable[i] = config_.factory(first + i);
    }
    return *slot;
}

void Device::submit(std::unique_ptr<DeviceIo> io) {
    io->issued = ++clock_;
    if (io->op != DevOp::kFlush && config_.early_effects && rng_.coin())
        take_effect(*io);
    in_flight_.push_back(std::move(io));
}

void Device::take_effect(DeviceIo &io) {
    io.effective = true;
    if (io.op == DevOp::kRead) {
        for (uint64_t i = 0; i < io.count; i++)
            io.memory.store(i, current(io.sector + i));
    } else {
        apply(io, false);
    }
}

// Changes what readers see.  @partly: the write failed.
void Device::apply(DeviceIo &io, bool partly) {
    if (io.op == DevOp::kDiscard && !config_.discard_zeroes)
        return;
    auto write = std::make_unique<AppliedWrite>();
    write->sector = io.sector;
    write->owner = io.owner;
    write->data.resize(io.count);
    bool arrives = true;
    for (uint64_t i = 0; i < io.count; i++) {
        if (partly && (i == 0 || (io.sector + i) % config_.atomic_sectors == 0))
            arrives = rng_.coin();
        if (!arrives) {
            write->gone.resize(io.count);
            write->gone[i] = true;
            continue;
        }
        if (io.op == DevOp::kWrite)
            write->data[i] = io.memory.load(i);
        page(io.sector + i).current[(io.sector + i) % kPage] = write->data[i];
    }
    io.applied = write.get();
    unsafe_.push_back(std::move(write));
}

std::unique_ptr<DeviceIo> Device::complete(size_t i, bool fail) {
    std::unique_ptr<DeviceIo> done = std::move(in_flight_[i]);
    in_flight_[i] = std::move(in_flight_.back());
    in_flight_.pop_back();
    if (done->op == DevOp::kFlush) {
        if (!fail)
            flush(done->issued);
    } else if (done->op == DevOp::kRead) {
        if (!done->effective && !fail)
            take_effect(*done);
        for (uint64_t s = 0; fail && s < done->count; s++)
            done->memory.store(s, Sector::user(3, 0)); // whatever was in the device's buffer
    } else {
        complete_write(*done, fail);
    }
    return done;
}

void Device::complete_write(DeviceIo &io, bool fail) {
    if (!io.effective)
        apply(io, fail);
    if (!io.applied)
        return;
    io.applied->completed = ++clock_;
    if (!config_.volatile_cache || io.fua) {
        persist(*io.applied);
        remove_persisted();
    } else if (unsafe_.size() > kCacheWrites) {
        flush(++clock_);
    }
}

// @write is one of unsafe_ and becomes durable.
void Device::persist(AppliedWrite &write) {
    for (size_t i = 0; i < write.data.size(); i++)
        if (write.gone.empty() || !write.gone[i])
            page(write.sector + i).durable[(write.sector + i) % kPage] = write.data[i];
    supersede(write);
    write.data.clear();
}

// What was applied before @winner and lies below it can no longer come back.
void Device::supersede(const AppliedWrite &winner) {
    uint64_t first = winner.sector, end = winner.sector + winner.data.size();
    for (auto &write : unsafe_) {
        if (write.get() == &winner)
            return;
        uint64_t low = std::max(first, write->sector);
        uint64_t high = std::min(end, write->sector + write->data.size());
        for (uint64_t s = low; s < high; s++) {
            if (!winner.gone.empty() && winner.gone[s - first])
                continue;
            write->gone.resize(write->data.size());
            write->gone[s - write->sector] = true;
        }
    }
}

void Device::flush(uint64_t issued) {
    for (auto &write : unsafe_)
        if (write->completed && write->completed < issued)
            persist(*write);
    remove_persisted();
}

void Device::lose(const std::function<bool(int owner)> &of, bool hidden) {
    std::vector<uint64_t> lost;
    for (auto &write : unsafe_) {
        if (!write->completed || !of(write->owner))
            continue;
        write->gone.resize(write->data.size());
        bool goes = false;
        for (uint64_t i = 0; i < write->data.size(); i++) {
            if (i == 0 || (write->sector + i) % config_.atomic_sectors == 0)
                goes = rng_.coin();
            write->gone[i] = write->gone[i] || goes;
            if (goes)
                lost.push_back(write->sector + i);
        }
    }
    for (size_t i = 0; hidden && i < lost.size(); i++)
        fall_back(lost[i]);
    if (!hidden)
        lost_.insert(lost_.end(), lost.begin(), lost.end());
}

// Readers see what is there without that which is gone.
void Device::fall_back(uint64_t sector) {
    Sector &current = page(sector).current[sector % kPage];
    current = page(sector).durable[sector % kPage];
    for (const auto &write : unsafe_) {
        const uint64_t at = sector - write->sector;
        if (sector >= write->sector && at < write->data.size() &&
            (write->gone.empty() || !write->gone[at]))
            current = write->data[at];
    }
}

void Device::remove_persisted() {
    std::erase_if(unsafe_,
                  [](const auto &write) { return write->completed && write->data.empty(); });
}

void Device::power_cut(uint64_t boundary) {
    // Writes in flight that have not arrived yet: now or never, in any order.
    for (size_t n = in_flight_.size(); n > 0; n--) {
        std::swap(in_flight_[n - 1], in_flight_[rng_.below(n)]);
        DeviceIo &io = *in_flight_[n - 1];
        if (io.op != DevOp::kRead && io.op != DevOp::kFlush && !io.effective)
            apply(io, false);
    }
    auto style = static_cast<CutStyle>(rng_.below(8));
    size_t prefix = rng_.below(unsafe_.size() + 1);
    for (size_t i = 0; i < unsafe_.size(); i++)
        arrive(style, boundary, *unsafe_[i], i < prefix);
    for (auto &write : unsafe_)
        for (uint64_t s = write->sector; s < write->sector + write->data.size(); s++)
            page(s).current[s % kPage] = page(s).durable[s % kPage];
    for (const uint64_t s : lost_)
        page(s).current[s % kPage] = page(s).durable[s % kPage];
    in_flight_.clear();
    unsafe_.clear();
    lost_.clear();
}

void Device::reset() {
    for (size_t n = in_flight_.size(); n > 0; n--) {
        std::swap(in_flight_[n - 1], in_flight_[rng_.below(n)]);
        DeviceIo &io = *in_flight_[n - 1];
        if (io.op != DevOp::kRead && io.op != DevOp::kFlush)
            complete_write(io, rng_.coin());
    }
    in_flight_.clear();
}

void Device::arrive(CutStyle style, uint64_t boundary, const AppliedWrite &write,
                    bool before_prefix) {
    bool whole = rng_.coin(), unit = whole;
    for (uint64_t i = 0; i < write.data.size(); i++) {
        uint64_t s = write.sector + i;
        if (i == 0 || s % config_.atomic_sectors == 0)
            unit = style == CutStyle::kMostUnits ? !rng_.one_in(8) : rng_.coin();
        bool survives = unit;
        if (style == CutStyle::kNothing || style == CutStyle::kEverything)
            survives = style == CutStyle::kEverything;
        else if (style == CutStyle::kWrites)
            survives = whole;
        else if (style == CutStyle::kPrefix)
            survives = before_prefix;
        else if (style == CutStyle::kBelow || style == CutStyle::kAbove)
            survives = (s < boundary) == (style == CutStyle::kBelow);
        if (survives && (write.gone.empty() || !write.gone[i]))
            page(s).durable[s % kPage] = write.data[i];
    }
}

} // namespace sim
