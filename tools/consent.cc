// SPDX-License-Identifier: GPL-2.0-only
#include "consent.h"

#include <iostream>

#include <unistd.h>

#include "error.h"
#include "text.h"

namespace tools {

void require_consent(const std::string &question, bool assume_yes) {
    if (assume_yes)
        return;
    if (::isatty(STDIN_FILENO) != 1)
        refuse("{}; use --yes if that is what you want", question);
    fmt::print("{}\nAre you sure you want to proceed ? (y/n): ", question);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    answer = trimmed(answer);
    if (answer != "y" && answer != "Y" && answer != "yes")
        refuse("stopped, nothing has been changed");
}

std::uint64_t main_memory_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0
               ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes)
               : 0;
}

} // namespace tools
