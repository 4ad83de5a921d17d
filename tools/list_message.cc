// SPDX-License-Identifier: GPL-2.0-only
#include "list_message.h"

#include <cerrno>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "error.h"
#include "size_argument.h"
#include "text.h"

namespace tools {
namespace {

constexpr std::uint64_t kLargestPid = 1 << 22; // of any kernel with 64 bits

// -c takes any number in the place of the pid, and leaves it alone.
std::uint64_t pid_argument(const ListOptions &options) {
    const auto pid = parse_number(options.pid);
    const bool clear = options.action == ListOptions::Action::kClear;
    if (!pid || *pid > kLargestPid || (*pid == 0 && !clear))
        refuse_usage("{} is no pid; give a number from 1 to {}", printable(options.pid),
                     kLargestPid);
    return *pid;
}

std::string entry(const ListOptions &options) {
    if (options.idle)
        return "idle";
    if (!options.group.empty())
        return fmt::format("group {}", cgroup_number(options.group));
    return fmt::format("{}", pid_argument(options));
}

std::string words(const ListOptions &options) {
    switch (options.action) {
    case ListOptions::Action::kAdd:
        return "add " + entry(options);
    case ListOptions::Action::kRemove:
        return "del " + entry(options);
    case ListOptions::Action::kClear:
        return "delall";
    case ListOptions::Action::kShow:
        break;
    }
    return "show";
}

} // namespace

std::uint64_t cgroup_number(const std::string &text) {
    if (const auto number = parse_number(text)) {
        if (*number == 0)
            refuse_usage("--group 0: no cgroup has this number");
        return *number;
    }
    if (!text.starts_with('/'))
        refuse_usage("--group {}: give the whole path of a directory of cgroup v2, or its number",
                     printable(text));
    struct stat file = {};
    struct statfs system = {};
    if (::stat(text.c_str(), &file) != 0 || ::statfs(text.c_str(), &system) != 0)
        refuse("--group {}: {}", printable(text), errno_text(errno));
    if (system.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(file.st_mode))
        refuse("--group {}: not a directory of cgroup v2; those are below /sys/fs/cgroup",
               printable(text));
    return file.st_ino;
}

std::vector<std::string> list_messages(const ListOptions &options) {
    if (!options.pid.empty())
        pid_argument(options); // also where it is not sent
    std::vector<std::string> messages;
    if (options.blacklist)
        messages.push_back("blacklist " + words(options));
    if (options.whitelist)
        messages.push_back("whitelist " + words(options));
    return messages;
}

} // namespace tools
