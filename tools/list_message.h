// SPDX-License-Identifier: GPL-2.0-only
//
// The messages that change and show a cache's lists of processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options.h"

namespace tools {

// The number of a cgroup: what text says if it is a number, else that of the directory.  Throws
// Error unless it is a directory of cgroup v2.
std::uint64_t cgroup_number(const std::string &text);

// What is to be sent: a message, or two that show a list each.  Throws Error (status 2) for a pid
// that is none.
std::vector<std::string> list_messages(const ListOptions &options);

} // namespace tools
