// SPDX-License-Identifier: GPL-2.0-only
// A simulated disk.
//
// The fault model:
//  - An I/O takes effect (reads or changes the medium, samples the memory it was given) at its
//    submission or at its completion, by chance; the scheduler completes I/Os in any order.
//  - A write to a device with a volatile cache is durable after a flush that was issued when the
//    write had completed, or at once with FUA; otherwise, on completion.
//  - At a power cut any subset of what is not durable survives, in pieces of the atomic unit
//    (torn writes); later writes of a sector win over earlier ones.
//  - A restart of the computer loses nothing but what is in flight; nothing gets durable by it.
//  - A failing write changes any subset of its units; a failing flush or read does nothing.
#ifndef FLASHCACHE_TESTS_SIM_DEVICE_H
#define FLASHCACHE_TESTS_SIM_DEVICE_H

#include <functional>
#include <memory>
#include <vector>

#include "rng.h"
#include "sector.h"

namespace sim {

// What an I/O reads from or writes to: sectors of the simulator, or bytes of the core.
struct Memory {
    Sector *sectors = nullptr;
    unsigned char *bytes = nullptr;

    Sector load(uint64_t i) const {
        return sectors ? sectors[i] : Sector::from_bytes(bytes + i * kSectorBytes);
    }
    void store(uint64_t i, const Sector &value) const {
        if (sectors)
            sectors[i] = value;
        else
            value.to_bytes(bytes + i * kSectorBytes);
    }
};

enum class DevOp { kRead, kWrite, kDiscard, kWriteZeroes, kFlush };

const char *name_of(DevOp op);

struct AppliedWrite;
class StateHash;

struct DeviceIo {
    DevOp op = DevOp::kRead;
    bool fua = false;
    uint64_t sector = 0;
    uint64_t count = 0;
    Memory memory;

    // For whoever submitted it.
    int owner = 0;
    void *object = nullptr;
    uint64_t cookie = 0;
    bool lazy = false; // takes long

    // The device's own.
    uint64_t issued = 0;    // what had completed before is what a flush covers
    bool effective = false; // the medium was read or written already
    AppliedWrite *applied = nullptr;
};

// A write that changed what readers see, but is not durable yet.
struct AppliedWrite {
    uint64_t sector = 0;
    uint64_t completed = 0; // 0: in flight
    std::vector<Sector> data;
    std::vector<bool> gone; // overwritten by something durable, or lost; empty: none
    int owner = 0;
};

class Device {
public:
    struct Config {
        uint64_t sectors = 0;
        bool volatile_cache = false;
        uint64_t atomic_sectors = 1;
        bool discard_zeroes = true;
        bool early_effects = true; // by chance; false: effect() says when
        std::function<Sector(uint64_t)> factory; // initial contents
    };

    Device(const Config &config, Rng &rng);
    ~Device();
    Device(const Device &) = delete;

    const Config &config() const { return config_; }
    size_t in_flight() const { return in_flight_.size(); }
    const DeviceIo &pending(size_t i) const { return *in_flight_[i]; }

    void submit(std::unique_ptr<DeviceIo> io);
    // In-flight I/O @i ends.
    std::unique_ptr<DeviceIo> complete(size_t i, bool fail);
    // A flush has failed: parts of what had completed, and of whose owner @of says so, will never be
    // durable, whatever is flushed later.  Readers see them until the power fails, or (@hidden) no more.
    void lose(const std::function<bool(int owner)> &of, bool hidden);
    // Has something been lost since the last power cut?
    bool lost() const { return !lost_.empty(); }
    // @boundary: some cuts treat the sectors below and above it differently.
    void power_cut(uint64_t boundary);
    // The computer starts anew, the device goes on: what is in flight has happened, partly, or not.
    void reset();

    const Sector &current(uint64_t sector) { return page(sector).current[sector % kPage]; }
    const Sector &durable(uint64_t sector) { return page(sector).durable[sector % kPage]; }
    // The medium goes bad, or becomes good again.
    void replace(uint64_t sector, const Sector &value) {
        page(sector).current[sector % kPage] = page(sector).durable[sector % kPage] = value;
    }
    void replace_durable(uint64_t sector, const Sector &value) {
        page(sector).durable[sector % kPage] = value;
    }
    // For who tries everything (device_state.cc).
    // In-flight I/O @i takes effect, but does not complete.
    void effect(size_t i) { take_effect(*in_flight_[i]); }
    // Could @i take effect before or after another I/O, to different ends?
    bool order_matters(size_t i) const;
    // Have on the medium what is durable on @other.
    void copy_durable(const Device &other);
    // A piece of the medium that a power cut may leave as it is, or as any of @values.
    struct Uncertain {
        uint64_t sector;
        std::vector<std::vector<Sector>> values;
    };
    std::vector<Uncertain> uncertain();
    // Of all that is durable: the sum of what each sector adds.
    uint64_t durable_hash() const;
    uint64_t hash_of(uint64_t sector, const Sector &value) const;
    void add_state(StateHash &hash) const;

    bool all_durable() const { return unsafe_.empty(); }

private:
    static constexpr uint64_t kPage = 64;
    static constexpr size_t kCacheWrites = 300; // the volatile cache holds so many writes
    struct Page {
        Sector current[kPage];
        Sector durable[kPage];
    };
    enum class CutStyle {
        kNothing,
        kEverything,
        kUnits,
        kMostUnits,
        kWrites,
        kPrefix,
        kBelow,
        kAbove
    };

    Page &page(uint64_t sector);
    void take_effect(DeviceIo &io);
    void apply(DeviceIo &io, bool partly);
    void complete_write(DeviceIo &io, bool fail);
    void persist(AppliedWrite &write);
    void supersede(const AppliedWrite &winner);
    void flush(uint64_t issued);
    void fall_back(uint64_t sector);
    void remove_persisted();
    void arrive(CutStyle style, uint64_t boundary, const AppliedWrite &write, bool before_prefix);

    Config config_;
    Rng &rng_;
    uint64_t clock_ = 1;
    std::vector<uint64_t> lost_; // sectors
    std::vector<std::unique_ptr<Page>> pages_;
    std::vector<std::unique_ptr<DeviceIo>> in_flight_;
    std::vector<std::unique_ptr<AppliedWrite>> unsafe_; // in the order of application
};

} // namespace sim

#endif
