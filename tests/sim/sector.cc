// SPDX-License-Identifier: GPL-2.0-only
#include "sector.h"

namespace sim {

namespace {

constexpr uint64_t kSpread = 0x9e3779b97f4a7c15ull; // odd; word 0 is the token itself

uint64_t factor(unsigned int word) {
    return 1 + 2 * kSpread * word;
}

} // namespace

Sector Sector::from_bytes(const void *bytes) {
    uint64_t words[kSectorWords];
    memcpy(words, bytes, sizeof words);
    bool token = (words[0] & 1) == 0;
    for (unsigned int i = 1; token && i < kSectorWords; i++)
        token = words[i] == words[0] * factor(i);
    if (token)
        return Sector(words[0]);
    auto *blob = new Blob;
    blob->refs = 1;
    blob->hash = 0;
    memcpy(blob->bytes, bytes, kSectorBytes);
    return Sector(reinterpret_cast<uint64_t>(blob) | 1);
}

uint64_t Sector::blob_hash() const {
    if (blob()->hash)
        return blob()->hash;
    uint64_t words[kSectorWords], hash = 1;
    memcpy(words, blob()->bytes, sizeof words);
    for (uint64_t word : words) {
        hash = (hash ^ word) * kSpread;
        hash ^= hash >> 32;
    }
    return blob()->hash = hash | 1;
}

void Sector::to_bytes(void *bytes) const {
    if (bits_ & 1) {
        memcpy(bytes, blob()->bytes, kSectorBytes);
        return;
    }
    uint64_t words[kSectorWords];
    for (unsigned int i = 0; i < kSectorWords; i++)
        words[i] = bits_ * factor(i);
    memcpy(bytes, words, sizeof words);
}

} // namespace sim
