// SPDX-License-Identifier: GPL-2.0-only
//
// Strings that come from outside: from an SSD, from sysfs, from a user.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tools {

inline constexpr std::size_t kMaxCacheNameLength = 63; // FC_DISK_NAME_BYTES less the final zero

// The text with every control and non-ASCII byte replaced by '?', fit for a terminal.
std::string printable(std::string_view text);

// Two hexadecimal digits for each byte.
std::string hex_digits(const unsigned char *bytes, std::size_t count);

// The text without leading and trailing white space.
std::string trimmed(std::string_view text);

// The string in a fixed field of size bytes that may lack its final zero.
std::string from_field(const void *field, std::size_t size);

// Copies text into a fixed field, zero-filled.  False, and nothing is changed, if it does not fit
// with its final zero.
bool to_field(std::string_view text, void *field, std::size_t size);

// Throws Error (status 2) unless name can be the name of a cache: 1..63 of A-Z a-z 0-9 # + - . : =
// @ _ and neither "." nor ".." nor with '-' in front.  These are the characters that device-mapper
// and udev keep as they are.
void check_cache_name(std::string_view name);

// True if path is absolute, below /dev, has no ".." component and no control character.
bool is_plain_device_path(std::string_view path);

} // namespace tools
