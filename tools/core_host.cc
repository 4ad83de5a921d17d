// SPDX-License-Identifier: GPL-2.0-only
#include "core_host.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "error.h"

namespace tools {
namespace {

constexpr std::uint32_t kCastagnoli = 0x82f63b78u; // CRC-32C's polynomial, bits reversed
constexpr std::size_t kSuperblockScratchBytes = 4096;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); i++) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = (value & 1) != 0 ? value >> 1 ^ kCastagnoli : value >> 1;
        table[i] = value;
    }
    return table;
}

constexpr auto kCrcTable = make_crc_table();

std::uint32_t crc32c_by_table(std::uint32_t crc, const unsigned char *at, std::size_t bytes) {
    for (; bytes > 0; bytes--)
        crc = crc >> 8 ^ kCrcTable[(crc ^ *at++) & 0xff];
    return crc;
}

#ifdef __x86_64__
// Home tables are gigabytes on large devices: eight bytes a step.
__attribute__((target("sse4.2"))) std::uint32_t
crc32c_by_instruction(std::uint32_t crc, const unsigned char *at, std::size_t bytes) {
    unsigned long long wide = crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        unsigned long long word = 0;
        std::memcpy(&word, at, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    return crc32c_by_table(static_cast<std::uint32_t>(wide), at, bytes);
}
#endif

// CRC-32C as everybody counts it: "123456789" from seed 0 makes 0xe3069283.
std::uint32_t crc32c(std::uint32_t seed, const unsigned char *at, std::size_t bytes) {
#ifdef __x86_64__
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction)
        return ~crc32c_by_instruction(~seed, at, bytes);
#endif
    return ~crc32c_by_table(~seed, at, bytes);
}

std::string io_problem(const CoreHost &host, int status) {
    return status == FC_EIO && host.first_error() != 0 ? errno_text(host.first_error())
                                                       : std::string(fc_status_text(status));
}

} // namespace

int CoreHost::sync_io(int dev, int io_op, fc_u64 sector, void *buffer, unsigned count,
                      unsigned flags) {
    // The tools give the core no origin: it has no reason to touch one.
    const int error = dev == FC_DEV_CACHE
                          ? perform_io(cache_device_, io_op, sector, buffer, count, flags)
                          : EINVAL;
    if (error != 0)
        note_error(error);
    return error == 0 ? FC_OK : FC_EIO;
}

void CoreHost::log(int level, const std::string &line) {
    if (level != FC_LOG_INFO) // the tools say themselves what they do
        fmt::print(stderr, "{}\n", line);
}

int probe_cache(const DeviceFile &cache_device, fc_config &config) {
    constexpr std::uint64_t kBothSuperblocksEnd = 2 * FC_DISK_SUPERBLOCK_B_SECTOR;
    config.cache_device_sectors = cache_device.sectors();
    if (cache_device.sectors() < kBothSuperblocksEnd)
        return FC_E_NO_SUPERBLOCK;
    CoreHost host(cache_device);
    AlignedBuffer scratch(kSuperblockScratchBytes);
    const int status = fc_core_probe(&host, &config, scratch.data());
    if (status == FC_EIO)
        refuse("cannot read {}: {}", cache_device.path(), io_problem(host, status));
    return status;
}

void format_cache(const DeviceFile &cache_device, const fc_config &config) {
    CoreHost host(cache_device);
    AlignedBuffer scratch(FC_SCRATCH_BYTES);
    if (const int status = fc_core_format(&host, &config, scratch.data()); status != FC_OK)
        refuse("cannot write the metadata to {}: {}; what the device holds is no cache to rely on",
               cache_device.path(), io_problem(host, status));
}

void wipe_cache(const DeviceFile &cache_device, const fc_config &config) {
    CoreHost host(cache_device);
    AlignedBuffer scratch(kSuperblockScratchBytes);
    if (const int status = fc_core_wipe(&host, &config, scratch.data()); status != FC_OK)
        refuse("cannot erase the superblock on {}: {}", cache_device.path(),
               io_problem(host, status));
}

} // namespace tools

// ---- what the core calls ------------------------------------------------------------------------

FC_OS int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer,
                        unsigned int count, unsigned int flags) {
    return static_cast<tools::CoreHost *>(os)->sync_io(dev, io_op, sector, buffer, count, flags);
}

FC_OS unsigned int fc_os_crc32c(unsigned int seed, const void *data, unsigned long bytes) {
    return tools::crc32c(seed, static_cast<const unsigned char *>(data), bytes);
}

FC_OS void fc_os_log(void *os, int level, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    static_cast<tools::CoreHost *>(os)->log(level, line);
}

FC_OS void fc_os_stat(void *, int, unsigned int) {} // tools count nothing
