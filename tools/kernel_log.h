// SPDX-License-Identifier: GPL-2.0-only
//
// What the kernel logs while something is tried: device-mapper gives its reasons only there.
#pragma once

#include <string>
#include <string_view>

namespace tools {

class KernelLog {
public:
    // From now on.  Without permission for /dev/kmsg there is simply nothing to be found.
    KernelLog();
    KernelLog(const KernelLog &) = delete;
    KernelLog &operator=(const KernelLog &) = delete;
    ~KernelLog();

    // The first error logged since then that has word in it, without the log's own prefixes;
    // "" if there is none.
    std::string complaint_about(std::string_view word);

private:
    int descriptor_;
};

// The message in a record of /dev/kmsg ("3,1234,5678,-;text\n KEY=value") if it is an error and
// has word in it; else "".
std::string complaint_in_record(std::string_view record, std::string_view word);

} // namespace tools
