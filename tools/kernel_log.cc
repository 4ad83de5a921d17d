// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_log.h"

#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "text.h"

namespace tools {

KernelLog::KernelLog() : descriptor_(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (descriptor_ >= 0)
        ::lseek(descriptor_, 0, SEEK_END);
}

KernelLog::~KernelLog() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

std::string KernelLog::complaint_about(std::string_view word) {
    constexpr int kMaxRecords = 1000; // somebody may log faster than this reads
    char record[8192];                // the kernel's limit for one
    for (int i = 0; descriptor_ >= 0 && i < kMaxRecords; i++) {
        const ssize_t size = ::read(descriptor_, record, sizeof(record));
        if (size < 0 && errno == EPIPE) // records were overwritten; the next read goes on
            continue;
        if (size <= 0)
            break;
        const std::string found =
            complaint_in_record({record, static_cast<std::size_t>(size)}, word);
        if (!found.empty())
            return found;
    }
    return {};
}

std::string complaint_in_record(std::string_view record, std::string_view word) {
    constexpr unsigned kLevelMask = 7;
    constexpr unsigned kLevelError = 3;
    unsigned priority = 0;
    const auto [end, error] =
        std::from_chars(record.data(), record.data() + record.size(), priority);
    const auto semicolon = record.find(';');
    if (error != std::errc() || semicolon == std::string_view::npos ||
        (priority & kLevelMask) > kLevelError)
        return {};
    std::string_view message = record.substr(semicolon + 1);
    message = message.substr(0, message.find('\n'));
    if (message.find(word) == std::string_view::npos)
        return {};
    for (const std::string_view prefix : {"device-mapper: ", "table: "})
        if (message.starts_with(prefix))
            message.remove_prefix(prefix.size());
    return printable(trimmed(message));
}

} // namespace tools
