// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "fake_kernel.h"
}
#include "glue_words.h"

extern "C" {

int fake_print(char *result, std::size_t room, const char *format, ...) {
    char text[4096];
    va_list args;
    va_start(args, format);
    const int length = std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!room)
        return 0;
    const std::size_t n = std::min<std::size_t>(static_cast<std::size_t>(length), room - 1);
    std::memcpy(result, text, n);
    result[n] = '\0';
    return static_cast<int>(n);
}

// Digits, at least one, a '+' in front and a newline behind allowed; nothing else.
int kstrtou64(const char *text, unsigned base, u64 *result) {
    u64 value = 0;
    text += *text == '+';
    if (*text < '0' || *text > '9')
        return -EINVAL;
    for (; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, u64(*text - '0'), &value))
            return -ERANGE;
    text += *text == '\n';
    if (*text)
        return -EINVAL;
    *result = value;
    return 0;
}

int kstrtouint(const char *text, unsigned base, unsigned *result) {
    u64 value;
    if (const int error = kstrtou64(text, base, &value))
        return error;
    if (value > ~0u)
        return -ERANGE;
    *result = static_cast<unsigned>(value);
    return 0;
}

ssize_t strscpy(char *to, const char *from, std::size_t size) {
    const std::size_t length = std::strlen(from);
    const std::size_t n = length < size ? length : size - 1;
    std::memcpy(to, from, n);
    to[n] = '\0';
    return length < size ? static_cast<ssize_t>(n) : -E2BIG;
}

char *kasprintf(int, const char *format, ...) {
    char *text = nullptr;
    va_list args;
    va_start(args, format);
    const int length = vasprintf(&text, format, args);
    va_end(args);
    return length < 0 ? nullptr : text;
}

} // extern "C"

// dm_split_args() of drivers/md/dm-table.c.
std::vector<std::string> split_words(const std::string &line) {
    std::vector<std::string> words;
    const char *at = line.c_str();
    for (;;) {
        while (fake_isspace(static_cast<unsigned char>(*at)))
            at++;
        if (!*at)
            return words;
        std::string &word = words.emplace_back();
        while (*at && !fake_isspace(static_cast<unsigned char>(*at))) {
            if (*at == '\\' && at[1])
                at++;
            word += *at++;
        }
    }
}
