// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>

namespace tools {

// Asks question with "(y/n): " on a terminal and throws Error unless the answer is yes.  Where
// nobody can be asked it throws Error, too.  Does not ask if assume_yes.
void require_consent(const std::string &question, bool assume_yes);

// Bytes of main memory of this machine.
std::uint64_t main_memory_bytes();

} // namespace tools
