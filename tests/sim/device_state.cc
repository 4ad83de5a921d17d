// SPDX-License-Identifier: GPL-2.0-only
// Devices for who tries everything: what a power cut may leave, and what tells two states apart.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "device.h"
#include "state_hash.h"

namespace sim {

namespace {

bool changes(const DeviceIo &io) {
    return io.op != DevOp::kRead && io.op != DevOp::kFlush;
}

bool meet(uint64_t a, uint64_t a_count, uint64_t b, uint64_t b_count) {
    return a < b + b_count && b < a + a_count;
}

} // namespace

bool Device::order_matters(size_t i) const {
    const DeviceIo &io = *in_flight_[i];
    if (io.effective || io.op == DevOp::kFlush)
        return false;
    return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto &other) {
        return other.get() != &io && !other->effective && other->op != DevOp::kFlush &&
               (changes(io) || changes(*other)) &&
               meet(io.sector, io.count, other->sector, other->count);
    });
}

void Device::copy_durable(const Device &other) {
    for (size_t p = 0; p < pages_.size(); p++) {
        if (!other.pages_[p])
            continue;
        pages_[p] = std::make_unique<Page>(*other.pages_[p]);
        for (uint64_t i = 0; i < kPage; i++)
            pages_[p]->current[i] = pages_[p]->durable[i];
    }
}

std::vector<Device::Uncertain> Device::uncertain() {
    std::map<uint64_t, std::vector<std::vector<Sector>>> units;
    // @data(i): what sector i of the write gets, or null if that is lost already.
    auto consider = [&](uint64_t first, uint64_t count, const auto &data) {
        const uint64_t grain = config_.atomic_sectors;
        for (uint64_t at = 0, n; at < count; at += n) {
            n = std::min(count - at, grain - (first + at) % grain);
            std::vector<Sector> value;
            bool differs = false;
            for (uint64_t i = at; i < at + n; i++) {
                const std::optional<Sector> sector = data(i);
                value.push_back(sector ? *sector : durable(first + i));
                differs = differs || !(value.back() == durable(first + i));
            }
            auto &values = units[first + at];
            if (differs && std::find(values.begin(), values.end(), value) == values.end())
                values.push_back(value);
        }
    };
    for (const auto &write : unsafe_)
        consider(write->sector, write->data.size(), [&](uint64_t i) -> std::optional<Sector> {
            if (!write->gone.empty() && write->gone[i])
                return std::nullopt;
            return write->data[i];
        });
    for (const auto &io : in_flight_) {
        const bool nothing = io->op == DevOp::kDiscard && !config_.discard_zeroes;
        if (changes(*io) && !io->effective && !nothing)
            consider(io->sector, io->count, [&](uint64_t i) -> std::optional<Sector> {
                return io->op == DevOp::kWrite ? io->memory.load(i) : Sector();
            });
    }
    std::vector<Uncertain> all;
    for (auto &[sector, values] : units)
        if (!values.empty())
            all.push_back({sector, std::move(values)});
    return all;
}

uint64_t Device::hash_of(uint64_t sector, const Sector &value) const {
    if (value == config_.factory(sector)) // looked at or not: the same
        return 0;
    uint64_t h = (value.hash() ^ (sector * 0xd6e8feb86659fd93ull)) * 0x94d049bb133111ebull;
    return h ^ (h >> 31);
}

uint64_t Device::durable_hash() const {
    uint64_t sum = 0;
    for (size_t p = 0; p < pages_.size(); p++)
        for (uint64_t i = 0; pages_[p] && i < kPage; i++)
            sum += hash_of(p * kPage + i, pages_[p]->durable[i]);
    return sum;
}

void Device::add_state(StateHash &hash) const {
    std::vector<const DeviceIo *> ios;
    for (const auto &io : in_flight_)
        ios.push_back(io.get());
    std::sort(ios.begin(), ios.end(), [](const DeviceIo *a, const DeviceIo *b) {
        return std::tie(a->op, a->sector, a->count, a->owner, a->cookie, a->issued) <
               std::tie(b->op, b->sector, b->count, b->owner, b->cookie, b->issued);
    });
    hash.value(durable_hash());
    for (const auto &write : unsafe_) {
        hash.value(write->sector);
        for (size_t i = 0; i < write->data.size(); i++)
            hash.value(write->gone.empty() || !write->gone[i] ? write->data[i].hash() : 3);
        // Which flushes under way cover it, and is it done?
        hash.value(write->completed != 0);
        for (const DeviceIo *io : ios)
            if (io->op == DevOp::kFlush)
                hash.value(write->completed && write->completed < io->issued);
    }
    for (const DeviceIo *io : ios) {
        hash.value(static_cast<uint64_t>(io->op) << 8 | static_cast<uint64_t>(io->owner));
        hash.value(static_cast<uint64_t>(io->fua) | io->effective << 1);
        hash.value(io->sector);
        hash.value(io->count);
        hash.pointer(io->memory.sectors ? static_cast<const void *>(io->memory.sectors)
                                        : io->memory.bytes);
        hash.pointer(io->object);
        hash.value(io->cookie);
    }
}

} // namespace sim
