// SPDX-License-Identifier: GPL-2.0-only
//
// Programs are run without a shell, with a time limit: a test of a cache must end even where the
// cache hangs.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/types.h>

namespace vm {

using Arguments = std::vector<std::string>;
using Seconds = std::chrono::seconds;

inline constexpr int kTimedOut = 124;
inline constexpr Seconds kLimit{120};

// A limit as it is on this kernel: longer on one with checkers, which is many times slower.
// All limits that functions take here are meant for a stock kernel.
Seconds on_this_kernel(Seconds limit);
bool has_checkers();
// How much of a load to make: all, but on a kernel with checkers, where an I/O takes ten times as
// long, a fraction of it.
unsigned effort(unsigned all);

struct Result {
    int status;         // of exit; 128 + signal; kTimedOut
    std::string output; // of stdout and stderr
};

// GoogleTest reports an exception as a failure of the test and goes on with the next one.
class Failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

std::string joined(const Arguments &arguments);

// A program that runs beside the test.
class Background {
public:
    explicit Background(const Arguments &arguments, const std::string &input = "");
    Background(const Background &) = delete;
    Background &operator=(const Background &) = delete;
    ~Background(); // ends it
    bool running();
    void signal(int number) const;
    Result wait(Seconds limit = kLimit); // ends it when the time is up
    std::string output() const;          // so far

private:
    void reap(int wait_status);

    pid_t pid_ = -1;
    int output_ = -1;
    bool ended_ = false;
    int status_ = 0;
    std::string name_;
};

Result run(const Arguments &arguments, Seconds limit = kLimit, const std::string &input = "");

// Run a program that must succeed; its output.
std::string must(const Arguments &arguments, Seconds limit = kLimit);

// Once in the life of the test program: nobody unloads these, and modprobe is slow.
void load_module(const std::string &name, const Arguments &parameters = {});

// Look again and again until it is so; false if it is not within the limit.
template <typename Condition> bool eventually(Condition condition, Seconds limit = Seconds(30));

void pause_ms(unsigned milliseconds);

template <typename Condition> bool eventually(Condition condition, Seconds limit) {
    const auto end = std::chrono::steady_clock::now() + on_this_kernel(limit);
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end)
            return condition();
        pause_ms(50);
    }
    return true;
}

} // namespace vm
