// SPDX-License-Identifier: GPL-2.0-only
// CRC-32C that continues from a seed, as the kernel's crc32c of ~seed, inverted: the CRC of
// "123456789" with seed 0 is 0xe3069283.
#ifndef FLASHCACHE_TESTS_SIM_CRC32C_H
#define FLASHCACHE_TESTS_SIM_CRC32C_H

#include <cstdint>
#include <cstring>

namespace sim {

struct Crc32cTable {
    uint32_t of[256];
    constexpr Crc32cTable() : of() {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t crc = i;
            for (int bit = 0; bit < 8; bit++)
                crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
            of[i] = crc;
        }
    }
};

inline constexpr Crc32cTable kCrc32cTable;

inline uint32_t crc_bytewise(uint32_t crc, const unsigned char *p, unsigned long bytes) {
    while (bytes--)
        crc = crc >> 8 ^ kCrc32cTable.of[(crc ^ *p++) & 0xff];
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) inline uint32_t crc_sse42(uint32_t crc, const unsigned char *p,
                                                            unsigned long bytes) {
    uint64_t crc64 = crc;
    for (; bytes >= 8; bytes -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc64 = __builtin_ia32_crc32di(crc64, word);
    }
    return crc_bytewise(static_cast<uint32_t>(crc64), p, bytes);
}
#endif

inline uint32_t crc32c(uint32_t seed, const void *data, unsigned long bytes) {
    const auto *p = static_cast<const unsigned char *>(data);
#ifdef __x86_64__
    static const bool fast = __builtin_cpu_supports("sse4.2");
    if (fast)
        return ~crc_sse42(~seed, p, bytes);
#endif
    return ~crc_bytewise(~seed, p, bytes);
}

} // namespace sim

#endif
