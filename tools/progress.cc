// SPDX-License-Identifier: GPL-2.0-only
#include "progress.h"

#include <array>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace tools {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::chrono::milliseconds kShowEvery(250);

volatile std::sig_atomic_t caught = 0;

void remember_signal(int) {
    caught = 1;
}

} // namespace

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < kUnits.size(); unit++)
        value /= 1024;
    return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

Progress::Progress(std::uint64_t all, std::uint64_t block_bytes, bool quiet)
    : all_(all), block_bytes_(block_bytes),
      visible_(!quiet && all != 0 && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (visible_)
        std::fputc('\n', stderr);
}

void Progress::show(std::uint64_t left) {
    const auto now = std::chrono::steady_clock::now();
    if (!visible_ || (left != 0 && now < shown_ + kShowEvery))
        return;
    shown_ = now;
    const std::uint64_t done = all_ - left;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const double rate = seconds > 0 ? static_cast<double>(done * block_bytes_) / seconds : 0;
    const double rest = rate > 0 ? static_cast<double>(left * block_bytes_) / rate : 0;
    const std::size_t full = done * kBarWidth / all_;
    fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {:3} %  {} of {}  {}/s  {:.0f} s left   ", "", full, "",
               kBarWidth - full, done * 100 / all_, human_bytes(done * block_bytes_),
               human_bytes(all_ * block_bytes_), human_bytes(static_cast<std::uint64_t>(rate)), rest);
    std::fflush(stderr);
}

void catch_interrupts() {
    struct sigaction action = {};
    action.sa_handler = remember_signal;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        ::sigaction(signal, &action, nullptr);
}

bool interrupted_by_user() {
    return caught != 0;
}

} // namespace tools
