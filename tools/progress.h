// SPDX-License-Identifier: GPL-2.0-only
//
// How far a long piece of work is: a bar on a terminal; and whether the user has had enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tools {

class Progress {
public:
    // all: blocks.  Shows nothing if quiet, or if stderr is no terminal.
    Progress(std::uint64_t all, std::uint64_t block_bytes, bool quiet);
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;
    ~Progress(); // ends the line
    void show(std::uint64_t left);

private:
    std::uint64_t all_;
    std::uint64_t block_bytes_;
    bool visible_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point shown_{};
};

// "12.5 GiB"
std::string human_bytes(std::uint64_t bytes);

// From now on SIGINT, SIGTERM and SIGHUP do not end the process; has one come?
void catch_interrupts();
bool interrupted_by_user();

} // namespace tools
