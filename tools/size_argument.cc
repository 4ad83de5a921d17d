// SPDX-License-Identifier: GPL-2.0-only
#include "size_argument.h"

#include <bit>
#include <charconv>
#include <limits>

#include "error.h"
#include "text.h"

namespace tools {
namespace {

constexpr unsigned kSectorShift = 9;
constexpr std::uint64_t kMaxSectors = std::numeric_limits<std::uint64_t>::max() >> kSectorShift;

// The power of 1024 that a suffix stands for.
std::optional<unsigned> suffix_power(char suffix) {
    switch (suffix) {
    case 'k':
    case 'K':
        return 1;
    case 'm':
    case 'M':
        return 2;
    case 'g':
    case 'G':
        return 3;
    case 't':
    case 'T':
        return 4;
    default:
        return std::nullopt;
    }
}

// The number that text starts with; text is left with what follows.
std::optional<std::uint64_t> take_number(std::string_view &text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc())
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

void check_power_of_two(std::string_view option, std::string_view text, std::uint64_t value,
                        std::uint32_t min, std::uint32_t max, std::string_view unit) {
    if (value != 0 && (!std::has_single_bit(value) || value < min || value > max))
        refuse_usage("{} {}: use a power of two from {} to {}{}", option, printable(text), min, max,
                     unit);
}

} // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
    const auto number = take_number(text);
    return text.empty() ? number : std::nullopt;
}

std::uint64_t parse_sectors(std::string_view option, std::string_view text) {
    std::string_view rest = text;
    const auto number = take_number(rest);
    if (number && rest.empty()) {
        if (*number > kMaxSectors)
            refuse_usage("{} {}: too large", option, printable(text));
        return *number;
    }
    const auto power = rest.size() == 1 ? suffix_power(rest.front()) : std::nullopt;
    if (!number || !power)
        refuse_usage("{} {}: not a size; give sectors of 512 bytes, or a number with k, m, g or t",
                     option, printable(text));
    const unsigned shift = 10 * *power - kSectorShift; // at least 1
    if (*number > kMaxSectors >> shift)
        refuse_usage("{} {}: too large", option, printable(text));
    return *number << shift;
}

std::uint32_t parse_power_of_two_sectors(std::string_view option, std::string_view text,
                                         std::uint32_t min, std::uint32_t max) {
    const std::uint64_t sectors = parse_sectors(option, text);
    check_power_of_two(option, text, sectors, min, max, " sectors (a sector is 512 bytes)");
    return static_cast<std::uint32_t>(sectors);
}

std::uint32_t parse_power_of_two(std::string_view option, std::string_view text, std::uint32_t min,
                                 std::uint32_t max) {
    const auto number = parse_number(text);
    if (!number)
        refuse_usage("{} {}: not a number", option, printable(text));
    check_power_of_two(option, text, *number, min, max, "");
    return static_cast<std::uint32_t>(*number);
}

} // namespace tools
