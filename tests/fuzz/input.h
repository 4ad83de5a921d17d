// SPDX-License-Identifier: GPL-2.0-only
//
// The fuzzer's bytes, taken one after the other; when they have run out, zeroes come.  And what a
// fuzzer says when something is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

// Ends the program, so that libFuzzer keeps the input, unless ok.
inline void require(bool ok, const char *what) {
    if (ok)
        return;
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
}

class Input {
public:
    Input(const std::uint8_t *data, std::size_t size) : at_(data), left_(size) {}

    bool empty() const { return left_ == 0; }
    std::size_t left() const { return left_; }

    // The next number, low byte first.
    template <typename T> T take() {
        T value = 0;
        const std::size_t n = left_ < sizeof(T) ? left_ : sizeof(T);
        std::memcpy(&value, at_, n);
        skip(n);
        return value;
    }
    std::uint8_t byte() { return take<std::uint8_t>(); }

    // The next n bytes, or as many as there are.
    std::string bytes(std::size_t n) {
        n = left_ < n ? left_ : n;
        const std::string result(reinterpret_cast<const char *>(at_), n);
        skip(n);
        return result;
    }

    // The bytes up to the next stop, which is taken too, or all that are left.
    std::string until(char stop) {
        std::size_t n = 0;
        while (n < left_ && static_cast<char>(at_[n]) != stop)
            n++;
        const std::string result = bytes(n);
        skip(left_ ? 1 : 0);
        return result;
    }

private:
    void skip(std::size_t n) {
        at_ += n;
        left_ -= n;
    }

    const std::uint8_t *at_;
    std::size_t left_;
};
