// SPDX-License-Identifier: GPL-2.0-only
// The contents of one 512-byte sector, as a value of eight bytes.
//
// What users write is a *token*: origin sector and number of the write, spread over the 512 bytes
// by multiplication, so that any reader can tell whose bytes it got.  Zeros are token 0.  Anything
// else (metadata) is a reference-counted copy of the bytes.
#ifndef FLASHCACHE_TESTS_SIM_SECTOR_H
#define FLASHCACHE_TESTS_SIM_SECTOR_H

#include <cstdint>
#include <cstring>

#include "crc32c.h"

namespace sim {

constexpr unsigned int kSectorBytes = 512;
constexpr unsigned int kSectorWords = kSectorBytes / 8;

class Sector {
public:
    Sector() = default;
    Sector(const Sector &other) : bits_(other.bits_) { ref(); }
    Sector(Sector &&other) noexcept : bits_(other.bits_) { other.bits_ = 0; }
    Sector &operator=(const Sector &other) {
        if (bits_ != other.bits_) {
            unref();
            bits_ = other.bits_;
            ref();
        }
        return *this;
    }
    Sector &operator=(Sector &&other) noexcept {
        uint64_t bits = other.bits_;
        other.bits_ = bits_;
        bits_ = bits;
        return *this;
    }
    ~Sector() { unref(); }

    // @write: 0 = never written by anybody (garbage of the factory)
    static Sector user(uint64_t origin_sector, uint64_t write) {
        return Sector((write << kWriteShift | (origin_sector + 1)) << 1);
    }
    static Sector from_bytes(const void *bytes);
    void to_bytes(void *bytes) const;

    bool is_zero() const { return bits_ == 0; }
    bool is_user() const { return (bits_ & 1) == 0 && bits_ != 0; }
    uint64_t origin_sector() const { return ((bits_ >> 1) & kSectorMask) - 1; }
    uint64_t write() const { return bits_ >> 1 >> kWriteShift; }
    uint32_t crc(uint32_t seed) const {
        unsigned char bytes[kSectorBytes];
        to_bytes(bytes);
        return crc32c(seed, bytes, sizeof bytes);
    }

    uint64_t hash() const { return bits_ & 1 ? blob_hash() : bits_ * 0x9e3779b97f4a7c15ull; }

    friend bool operator==(const Sector &a, const Sector &b) {
        return a.bits_ == b.bits_ || ((a.bits_ & b.bits_ & 1) && same_bytes(a, b));
    }

private:
    static constexpr unsigned int kWriteShift = 28;
    static constexpr uint64_t kSectorMask = (1ull << kWriteShift) - 1;

    struct Blob {
        unsigned long refs;
        uint64_t hash; // 0: not known yet
        unsigned char bytes[kSectorBytes];
    };

    explicit Sector(uint64_t bits) : bits_(bits) {}
    uint64_t blob_hash() const;
    Blob *blob() const { return reinterpret_cast<Blob *>(bits_ - 1); }
    void ref() {
        if (bits_ & 1)
            blob()->refs++;
    }
    void unref() {
        if ((bits_ & 1) && --blob()->refs == 0)
            delete blob();
    }
    static bool same_bytes(const Sector &a, const Sector &b) {
        return !memcmp(a.blob()->bytes, b.blob()->bytes, kSectorBytes);
    }

    uint64_t bits_ = 0; // a token (even), or the address of a Blob + 1
};

} // namespace sim

#endif
