// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <algorithm>
#include <cstring>

#include "error.h"

namespace tools {
namespace {

bool is_printable(char c) {
    return c >= 0x20 && c < 0x7f;
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("#+-.:=@_").find(c) != std::string_view::npos;
}

} // namespace

std::string printable(std::string_view text) {
    std::string result(text);
    std::replace_if(
        result.begin(), result.end(), [](char c) { return !is_printable(c); }, '?');
    return result;
}

std::string hex_digits(const unsigned char *bytes, std::size_t count) {
    std::string digits;
    for (std::size_t i = 0; i < count; i++)
        digits += fmt::format("{:02x}", bytes[i]);
    return digits;
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view kSpace(" \t\r\n\f\v\0", 7);
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos)
        return {};
    return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

std::string from_field(const void *field, std::size_t size) {
    const char *text = static_cast<const char *>(field);
    return std::string(text, ::strnlen(text, size));
}

bool to_field(std::string_view text, void *field, std::size_t size) {
    if (text.size() >= size || text.find('\0') != std::string_view::npos)
        return false;
    std::memset(field, 0, size);
    std::memcpy(field, text.data(), text.size());
    return true;
}

void check_cache_name(std::string_view name) {
    if (name.empty())
        refuse_usage("the name of the cache is empty; give one, for example cachedev");
    if (name.size() > kMaxCacheNameLength)
        refuse_usage("the name of the cache has {} characters; use at most {}", name.size(),
                     kMaxCacheNameLength);
    if (name == "." || name == ".." || name.front() == '-' ||
        !std::all_of(name.begin(), name.end(), is_name_character))
        refuse_usage("'{}' cannot be the name of a cache; use letters, digits and #+-.:=@_ "
                     "(no / and no - in front)",
                     printable(name));
}

bool is_plain_device_path(std::string_view path) {
    if (!path.starts_with("/dev/") || path == "/dev/")
        return false;
    if (!std::all_of(path.begin(), path.end(), is_printable))
        return false;
    return path.find("/../") == std::string_view::npos && !path.ends_with("/..");
}

} // namespace tools
