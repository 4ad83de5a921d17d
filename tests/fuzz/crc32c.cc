// SPDX-License-Identifier: GPL-2.0-only
//
// CRC-32C for the core and the model; most of a fuzzer's time would go into it if it were looked at
// byte by byte by the sanitizers, so it reads first and last byte where they see it, and the rest
// unseen.
#include <array>
#include <cstring>

#include "abi.h"

namespace {

constexpr unsigned kSteps = 8;

// table[k][b]: byte b with k zero bytes behind it.
constexpr auto make_tables() {
    std::array<std::array<unsigned, 256>, kSteps> tables = {};
    for (unsigned i = 0; i < 256; i++) {
        unsigned crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
        tables[0][i] = crc;
    }
    for (unsigned k = 1; k < kSteps; k++)
        for (unsigned i = 0; i < 256; i++)
            tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xff];
    return tables;
}

constexpr auto kTables = make_tables();

#ifdef __clang__
#define UNSEEN __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define UNSEEN
#endif

UNSEEN unsigned crc_of(unsigned crc, const unsigned char *at, unsigned long bytes) {
    const unsigned(*tables)[256] = reinterpret_cast<const unsigned(*)[256]>(&kTables);
    for (; bytes >= kSteps; bytes -= kSteps, at += kSteps) {
        unsigned long long word;
        __builtin_memcpy(&word, at, sizeof(word));
        word ^= crc;
        crc = 0;
        for (unsigned k = 0; k < kSteps; k++)
            crc ^= tables[kSteps - 1 - k][word >> (8 * k) & 0xff];
    }
    for (; bytes; bytes--)
        crc = crc >> 8 ^ tables[0][(crc ^ *at++) & 0xff];
    return crc;
}

} // namespace

FC_OS unsigned fc_os_crc32c(unsigned seed, const void *data, unsigned long bytes) {
    const auto *at = static_cast<const volatile unsigned char *>(data);
    if (bytes)
        static_cast<void>(at[0] ^ at[bytes - 1]);
    return ~crc_of(~seed, static_cast<const unsigned char *>(data), bytes);
}
