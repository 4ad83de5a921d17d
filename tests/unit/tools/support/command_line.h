// SPDX-License-Identifier: GPL-2.0-only
//
// Calls the parser of a command line.
#pragma once

#include <initializer_list>
#include <vector>

namespace tools {

template <typename Options>
Options parse_command_line(Options (*parser)(int, const char *const *),
                           std::initializer_list<const char *> arguments) {
    std::vector<const char *> argv = {"tool"};
    argv.insert(argv.end(), arguments);
    argv.push_back(nullptr);
    return parser(static_cast<int>(argv.size()) - 1, argv.data());
}

} // namespace tools
