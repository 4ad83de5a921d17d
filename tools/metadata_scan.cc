// SPDX-License-Identifier: GPL-2.0-only
#include "metadata_scan.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "core/home_table.h"
#include "core/log_unit.h"
#include "core/superblock.h"
#include "error.h"

namespace tools {
namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;

// The states that the log gives to slots; they hold before the home table's.  A log can name as many slots as
// the cache has, so each takes two bits.
class LogStates {
public:
    explicit LogStates(std::uint64_t nr_slots) : nr_slots_(nr_slots) {}

    void set(std::uint64_t slot, unsigned state) {
        if (bits_.empty())
            bits_.resize(nr_slots_ / kPerByte + 1);
        std::uint8_t &byte = bits_[slot / kPerByte];
        byte = static_cast<std::uint8_t>((byte & ~(3U << shift(slot))) | (state + 1) << shift(slot));
    }

    bool knows(std::uint64_t slot) const { return value(slot) != 0; }

    std::uint64_t nr_dirty() const {
        std::uint64_t dirty = 0;
        for (std::uint64_t slot = 0; slot < bits_.size() * kPerByte; slot++)
            dirty += value(slot) == FC_DISK_DIRTY + 1 ? 1 : 0;
        return dirty;
    }

private:
    static constexpr unsigned kPerByte = 4;

    static unsigned shift(std::uint64_t slot) { return slot % kPerByte * 2; }
    unsigned value(std::uint64_t slot) const {
        return bits_.empty() ? 0 : bits_[slot / kPerByte] >> shift(slot) & 3U;
    }

    std::uint64_t nr_slots_;
    std::vector<std::uint8_t> bits_; // 0: the log says nothing; or the state and one
};
static_assert(FC_DISK_DIRTY + 1 <= 3);

void note(MetadataScan &scan, const std::string &damage) {
    constexpr std::size_t kMost = 1000; // nobody reads more
    if (scan.damages.size() < kMost)
        scan.damages.push_back(damage);
}

template <typename T> T load(const std::byte *at) {
    T value;
    std::memcpy(&value, at, sizeof(value));
    return value;
}

// The log as it is on the device, a part of it at a time.
class LogImage {
public:
    LogImage(const DeviceFile &device, const fc_config &config)
        : device_(device), config_(config), seed_(fc::unit_seed(config)) {}

    // Of the last read that failed, or 0.
    int read_error() const { return error_; }

    // Look at all units.
    void survey() {
        for (fc_u64 i = 0; i < config_.log_units; i++) {
            const std::byte *at = place(i);
            if (at == nullptr)
                return;
            if (counts(at) && fc::log_header(at).sequence >= config_.log_tail)
                durable_ = std::max(durable_, static_cast<fc_u64>(fc::log_header(at).durable));
            has_later_epoch_ |= fc::log_unit_is_later(config_, seed_, at);
        }
    }

    // The highest sequence that some unit of this activation says is durable.  After survey().
    fc_u64 durable() const { return durable_; }

    // A unit of an activation that the superblock knows nothing of.  After survey().
    bool has_later_epoch() const { return has_later_epoch_; }

    // The unit with this sequence, or null if its place holds something else or cannot be read.
    const std::byte *unit(fc_u64 sequence) {
        const std::byte *at = place(sequence);
        return at != nullptr && counts(at) && fc::log_header(at).sequence == sequence ? at : nullptr;
    }

    // Behind the last unit stands what stood there before.  Anything else was the last unit.
    bool ends_at(fc_u64 sequence) {
        const std::byte *at = place(sequence);
        return at != nullptr && fc::log_unit_was_never_written(config_, seed_, at, sequence);
    }

private:
    const std::byte *place(fc_u64 sequence) {
        const fc_u64 index = sequence % config_.log_units;
        const fc_u64 per_read = kReadBytes / config_.unit_bytes;
        if (index < first_ || index >= first_ + nr_) {
            first_ = index / per_read * per_read;
            nr_ = std::min<fc_u64>(per_read, config_.log_units - first_);
            const fc_u64 unit_sectors = config_.unit_bytes / kSectorBytes;
            const int error = device_.read(config_.log_offset_sectors + first_ * unit_sectors,
                                           bytes_.data(), nr_ * unit_sectors);
            if (error != 0) {
                error_ = error;
                nr_ = 0;
                return nullptr;
            }
        }
        return bytes_.data() + (index - first_) * config_.unit_bytes;
    }

    bool counts(const std::byte *unit) const { return fc::log_unit_counts(config_, seed_, unit); }

    const DeviceFile &device_;
    const fc_config &config_;
    std::uint32_t seed_;
    AlignedBuffer bytes_{kReadBytes};
    fc_u64 first_ = 0; // unit in bytes_
    fc_u64 nr_ = 0;    // units there
    fc_u64 durable_ = 0;
    bool has_later_epoch_ = false;
    int error_ = 0;
};

void apply_unit(const std::byte *unit, const fc_config &config, LogStates &states,
                MetadataScan &scan) {
    const unsigned count = fc::log_header(unit).count;
    for (unsigned i = 0; i < count; i++) {
        const auto record = load<fc_disk_log_record>(unit + sizeof(fc_disk_log_header) +
                                                     i * sizeof(fc_disk_log_record));
        const auto state =
            static_cast<unsigned>(record.origin_block_state >> FC_DISK_ORIGIN_BLOCK_BITS);
        if (record.slot >= config.nr_blocks || state > FC_DISK_DIRTY)
            note(scan, fmt::format("log unit {} names a block that the cache does not have",
                                   fc::log_header(unit).sequence));
        else
            states.set(record.slot, state);
    }
}

// What the log says, into states, as far as it can be read.
void replay(LogImage &log, const fc_config &config, LogStates &states, MetadataScan &scan) {
    // At most one round; a hostile log cannot make more of its units valid.
    fc_u64 sequence = config.log_tail;
    for (; sequence - config.log_tail < config.log_units; sequence++) {
        const std::byte *unit = log.unit(sequence);
        if (unit == nullptr)
            break;
        apply_unit(unit, config, states, scan);
    }
    if (log.durable() >= sequence)
        note(scan, "a part of the log that was durable is missing");
    if (sequence - config.log_tail < config.log_units && !log.ends_at(sequence))
        note(scan, fmt::format("log unit {}, the last one, is damaged", sequence));
}

LogStates read_log(const DeviceFile &device, const fc_config &config, MetadataScan &scan) {
    LogStates states(config.nr_blocks);
    const bool clean = (config.flags & FC_DISK_FLAG_CLEAN) != 0;
    LogImage log(device, config);
    log.survey();
    if (log.has_later_epoch())
        note(scan, "the log is newer than the superblock");
    // After an orderly stop the table holds everything, and the kernel replays no log.
    if (clean)
        return states;
    if (log.read_error() == 0)
        replay(log, config, states, scan);
    if (log.read_error() != 0)
        note(scan, "the log cannot be read: " + errno_text(log.read_error()));
    return states;
}

// Counts the slots of one unit; those that the log knows are not counted here.
std::uint64_t dirty_in_unit(const std::byte *unit, std::uint64_t first_slot, std::uint64_t nr_slots,
                            const LogStates &log, MetadataScan &scan) {
    std::uint64_t dirty = 0;
    for (std::uint64_t i = 0; i < nr_slots; i++) {
        const fc::HomeSlot slot = fc::HomeTable::get_slot(unit, static_cast<std::uint32_t>(i));
        if (slot.state > FC_DISK_DIRTY)
            note(scan, fmt::format("slot {} of the home table has state {}, which makes no sense",
                                   first_slot + i, slot.state));
        if (slot.state == FC_DISK_DIRTY && !log.knows(first_slot + i))
            dirty++;
    }
    return dirty;
}

void scan_units(const fc::HomeTable &home, const fc_config &config, std::uint64_t first_unit,
                std::span<const std::byte> bytes, const LogStates &log, MetadataScan &scan) {
    for (std::size_t at = 0; at < bytes.size(); at += config.unit_bytes) {
        const std::byte *unit = bytes.data() + at;
        const std::uint64_t index = first_unit + at / config.unit_bytes;
        const std::uint64_t first_slot = index * home.slots_per_unit();
        if (!home.check_unit(unit, index)) {
            note(scan, fmt::format("home unit {} is damaged", index));
            continue;
        }
        const auto nr_slots =
            std::min<std::uint64_t>(home.slots_per_unit(), config.nr_blocks - first_slot);
        scan.dirty_blocks += dirty_in_unit(unit, first_slot, nr_slots, log, scan);
    }
}

void scan_home(const DeviceFile &device, const fc_config &config, const LogStates &log,
               MetadataScan &scan) {
    fc::HomeTable home;
    home.init(config);
    AlignedBuffer buffer(kReadBytes);
    const std::uint64_t batch = kReadBytes / config.unit_bytes;
    for (std::uint64_t unit = 0; unit < config.home_units; unit += batch) {
        const std::uint64_t bytes =
            std::min<std::uint64_t>(batch, config.home_units - unit) * config.unit_bytes;
        const int error = device.read(home.sector_of(unit), buffer.data(), bytes / kSectorBytes);
        if (error != 0)
            note(scan, fmt::format("home units from {} on cannot be read: {}", unit, errno_text(error)));
        else
            scan_units(home, config, unit, {buffer.data(), bytes}, log, scan);
    }
}

} // namespace

MetadataScan scan_metadata(const DeviceFile &cache_device, const fc_config &config) {
    MetadataScan scan;
    const LogStates log = read_log(cache_device, config, scan);
    scan.dirty_blocks = log.nr_dirty();
    scan_home(cache_device, config, log, scan);
    return scan;
}

} // namespace tools
