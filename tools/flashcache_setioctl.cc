// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_setioctl: say which processes shall be cached, and which not.  The name is that of
// flashcache 1 to 3, where it made ioctls; it sends messages.

#include "device_mapper.h"
#include "error.h"
#include "list_message.h"
#include "options.h"
#include "running_cache.h"
#include "table_line.h"
#include "text.h"

namespace tools {
namespace {

void set_lists(int argc, const char *const *argv) {
    const ListOptions options = parse_list_options(argc, argv);
    const std::vector<std::string> messages = list_messages(options);
    const std::string name = cache_name_of(options.cache);
    proc_label(name); // or it is no cache
    for (const std::string &message : messages) {
        const std::string reply = send_message(name, kTargetName, message);
        if (options.action == ListOptions::Action::kShow)
            fmt::print("{}: {}\n", message.substr(0, message.find(' ')), printable(reply));
    }
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_setioctl", argc, argv, tools::set_lists);
}
