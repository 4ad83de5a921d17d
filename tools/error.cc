// SPDX-License-Identifier: GPL-2.0-only
#include "error.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "text.h"

namespace tools {
namespace {

const char *running_tool = "flashcache"; // set once, when a tool begins

// One line, whatever the message was made of.
void print_line(const char *kind, const char *line) noexcept {
    try {
        fmt::print(stderr, "{}: {}{}\n", running_tool, kind, printable(line));
    } catch (...) {
        std::fputs("cannot print an error\n", stderr);
    }
}

} // namespace

void warn(const std::string &line) noexcept {
    print_line("warning: ", line.c_str());
}

std::string errno_text(int error) {
    return std::generic_category().message(error);
}

int run_tool(const char *tool, int argc, const char *const *argv,
             void (*body)(int argc, const char *const *argv), ExitStatuses statuses) noexcept {
    running_tool = tool;
    try {
        body(argc, argv);
        if (std::fflush(stdout) != 0)
            refuse("all is done, but cannot be written to standard output: {}", errno_text(errno));
        return 0;
    } catch (const Answer &answer) {
        std::fputs(answer.text.c_str(), stdout);
        return 0;
    } catch (const Error &error) {
        print_line("", error.what());
        return error.exit_status() == kExitRefused ? statuses.refused
               : error.exit_status() == kExitUsage ? statuses.usage
                                                   : error.exit_status();
    } catch (const std::exception &error) {
        print_line("", error.what());
        return statuses.refused;
    }
}

} // namespace tools
