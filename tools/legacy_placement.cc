// SPDX-License-Identifier: GPL-2.0-only
#include "legacy_placement.h"

#include <bit>

namespace tools {
namespace {

constexpr std::uint32_t kPlacementSeed = 0xbeef;

struct Words {
    std::uint32_t a, b, c;
};

// Bob Jenkins, "lookup2" (1996, public domain): mix().
std::uint32_t mix(Words w) {
    w.a = (w.a - w.b - w.c) ^ w.c >> 13;
    w.b = (w.b - w.c - w.a) ^ w.a << 8;
    w.c = (w.c - w.a - w.b) ^ w.b >> 13;
    w.a = (w.a - w.b - w.c) ^ w.c >> 12;
    w.b = (w.b - w.c - w.a) ^ w.a << 16;
    w.c = (w.c - w.a - w.b) ^ w.b >> 5;
    w.a = (w.a - w.b - w.c) ^ w.c >> 3;
    w.b = (w.b - w.c - w.a) ^ w.a << 10;
    return (w.c - w.a - w.b) ^ w.b >> 15;
}

// The same, "lookup3" (2006, public domain): final().
std::uint32_t final_mix(Words w) {
    w.c = (w.c ^ w.b) - std::rotl(w.b, 14);
    w.a = (w.a ^ w.c) - std::rotl(w.c, 11);
    w.b = (w.b ^ w.a) - std::rotl(w.a, 25);
    w.c = (w.c ^ w.b) - std::rotl(w.b, 16);
    w.a = (w.a ^ w.c) - std::rotl(w.c, 4);
    w.b = (w.b ^ w.a) - std::rotl(w.a, 14);
    return (w.c ^ w.b) - std::rotl(w.b, 24);
}

} // namespace

std::uint32_t jhash_1word(std::uint32_t word, std::uint32_t seed, LegacyHash hash) {
    constexpr std::uint32_t kGoldenRatio = 0x9e3779b9;
    constexpr std::uint32_t kInitial = 0xdeadbeef;
    constexpr std::uint32_t kOneWord = 1 << 2;
    switch (hash) {
    case LegacyHash::kLookup2:
        return mix({word + kGoldenRatio, kGoldenRatio, seed});
    case LegacyHash::kLookup3:
        return final_mix({word + kInitial, kInitial, seed});
    case LegacyHash::kLookup3Seeded:
        break;
    }
    seed += kInitial + kOneWord;
    return final_mix({word + seed, seed, seed});
}

std::uint64_t legacy_set(const LegacyCache &cache, std::uint64_t disk_sector, LegacyHash hash) {
    const std::uint64_t nr_sets = cache.nr_blocks / cache.associativity;
    if (cache.disk_associativity_sectors == 0)
        return disk_sector / (std::uint64_t{cache.block_sectors} * cache.associativity) % nr_sets;
    const auto region = static_cast<std::uint32_t>(disk_sector / cache.disk_associativity_sectors);
    return jhash_1word(region, kPlacementSeed, hash) % nr_sets;
}

} // namespace tools
