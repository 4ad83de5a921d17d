// SPDX-License-Identifier: GPL-2.0-only
//
// How a tool refuses: with one line on stderr that says what is wrong and what to do.
#pragma once

#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace tools {

inline constexpr int kExitRefused = 1; // the devices or the system do not allow it
inline constexpr int kExitUsage = 2;   // the command line is wrong

// Something that ends the tool.  what() is the line for the user, without the tool's name.
class Error : public std::runtime_error {
public:
    explicit Error(const std::string &line, int exit_status = kExitRefused)
        : std::runtime_error(line), exit_status_(exit_status) {}
    int exit_status() const { return exit_status_; }

private:
    int exit_status_;
};

// Throws Error with exit status 1.
template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args &&...args) {
    throw Error(fmt::format(format, std::forward<Args>(args)...));
}

// Throws Error with exit status 2.
template <typename... Args>
[[noreturn]] void refuse_usage(fmt::format_string<Args...> format, Args &&...args) {
    throw Error(fmt::format(format, std::forward<Args>(args)...), kExitUsage);
}

// Thrown for --help and --version: text for stdout, then exit status 0.
struct Answer {
    std::string text;
};

// A line on stderr: "<tool>: warning: ...".  The tool goes on.
void warn(const std::string &line) noexcept;

// The text of errno value error.
std::string errno_text(int error);

// Exit statuses that a tool has instead.
struct ExitStatuses {
    int refused = kExitRefused;
    int usage = kExitUsage;
};

// Runs body and turns what it throws into output and an exit status: the only place that does.
int run_tool(const char *tool, int argc, const char *const *argv,
             void (*body)(int argc, const char *const *argv), ExitStatuses statuses = {}) noexcept;

} // namespace tools
