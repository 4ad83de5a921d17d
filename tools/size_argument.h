// SPDX-License-Identifier: GPL-2.0-only
//
// Sizes on the command line: a number of 512-byte sectors, or of bytes with a suffix
// k, m, g or t (1024 and its powers; either case).  And plain numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tools {

// A plain number: decimal digits and nothing else, below 2^64.
std::optional<std::uint64_t> parse_number(std::string_view text);

// The size in sectors.  Throws Error (status 2), naming option, if text is no size or does not
// fit 64 bits of bytes.
std::uint64_t parse_sectors(std::string_view option, std::string_view text);

// As parse_sectors(), and 0 or a power of two from min to max (sectors).
std::uint32_t parse_power_of_two_sectors(std::string_view option, std::string_view text,
                                         std::uint32_t min, std::uint32_t max);

// A plain number, 0 or a power of two from min to max.
std::uint32_t parse_power_of_two(std::string_view option, std::string_view text, std::uint32_t min,
                                 std::uint32_t max);

} // namespace tools
