// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_module.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "device_mapper.h"
#include "error.h"
#include "table_line.h"

namespace tools {
namespace {

// The program that the kernel itself runs to load modules.
std::string modprobe_path() {
    std::ifstream setting("/proc/sys/kernel/modprobe");
    std::string path;
    std::getline(setting, path);
    return path.empty() ? "/sbin/modprobe" : path;
}

// No shell, no PATH, an environment of its own.  Failure shows in what the kernel has afterwards.
void load_module(const char *name) {
    const std::string program = modprobe_path();
    std::string module_name = name;
    char command[] = "modprobe";
    char quiet[] = "-q";
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *const arguments[] = {command, quiet, module_name.data(), nullptr};
    char *const environment[] = {path, nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment) != 0)
        return;
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::string kernel_release() {
    utsname names = {};
    return ::uname(&names) == 0 ? names.release : "?";
}

} // namespace

void require_flashcache_target() {
    // libdevmapper remembers for good that there was no device-mapper: do not let it find out.
    if (!std::filesystem::exists("/sys/class/misc/device-mapper"))
        load_module("dm-mod");
    if (kernel_has_target(kTargetName))
        return;
    load_module(kTargetName);
    if (!kernel_has_target(kTargetName))
        refuse("the running kernel ({}) has no flashcache target: install the module for this "
               "kernel, then run: modprobe flashcache",
               kernel_release());
}

} // namespace tools
