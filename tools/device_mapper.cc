// SPDX-License-Identifier: GPL-2.0-only
#include "device_mapper.h"

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <type_traits>

#include <libdevmapper.h>

#include "error.h"
#include "kernel_log.h"
#include "text.h"

namespace tools {
namespace {

constexpr int kLogError = 3; // libdevmapper's levels are syslog's

struct DestroyTask {
    void operator()(dm_task *task) const { dm_task_destroy(task); }
};
using Task = std::unique_ptr<dm_task, DestroyTask>;

// libdevmapper's first error since the last make_task(); it can only be had through a callback.
std::string &library_error() {
    static std::string text;
    return text;
}

__attribute__((format(printf, 5, 6))) void keep_error(int level, const char *, int, int,
                                                      const char *format, ...) {
    if ((level & 7) > kLogError || !library_error().empty())
        return;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    library_error() = printable(line);
}

Task make_task(int type) {
    dm_log_with_errno_init(keep_error);
    library_error().clear();
    Task task(dm_task_create(type));
    if (!task)
        refuse("no device-mapper in this kernel ({}); try: modprobe dm-mod",
               library_error().empty() ? "cannot prepare a request" : library_error());
    return task;
}

Task make_task_for(int type, const std::string &name) {
    Task task = make_task(type);
    if (dm_task_set_name(task.get(), name.c_str()) == 0)
        refuse("device-mapper does not take the name {}: {}", name, library_error());
    return task;
}

void run(const Task &task, const char *purpose) {
    if (dm_task_run(task.get()) == 0)
        refuse("cannot {}: {}", purpose,
               library_error().empty() ? errno_text(dm_task_get_errno(task.get()))
                                       : library_error());
}

// Ends the transaction with udev on every way out.
class UdevTransaction {
public:
    UdevTransaction() = default;
    UdevTransaction(const UdevTransaction &) = delete;
    UdevTransaction &operator=(const UdevTransaction &) = delete;
    ~UdevTransaction() { dm_udev_wait(cookie_); }
    // Without a running udev this does nothing, and the library makes the node.
    bool join(dm_task *task) { return dm_task_set_cookie(task, &cookie_, 0) != 0; }

private:
    std::uint32_t cookie_ = 0;
};

// Why the kernel refused: its own words where it logged any, else libdevmapper's.
std::string refusal(const dm_task *task, KernelLog &kernel_log, const std::string &target) {
    if (std::string said = kernel_log.complaint_about(target); !said.empty())
        return said;
    if (!library_error().empty())
        return library_error();
    return errno_text(dm_task_get_errno(const_cast<dm_task *>(task)));
}

} // namespace

bool kernel_has_target(const std::string &target) {
    const Task task = make_task(DM_DEVICE_LIST_VERSIONS);
    run(task, "ask device-mapper for its targets (modprobe dm-mod?)");
    const dm_versions *entry = dm_task_get_versions(task.get());
    while (entry != nullptr) {
        if (target == entry->name)
            return true;
        if (entry->next == 0)
            break;
        entry = reinterpret_cast<const dm_versions *>(reinterpret_cast<const char *>(entry) +
                                                      entry->next);
    }
    return false;
}

bool device_exists(const std::string &name) {
    const Task task = make_task_for(DM_DEVICE_INFO, name);
    run(task, "ask device-mapper for a device");
    dm_info info = {};
    return dm_task_get_info(task.get(), &info) != 0 && info.exists != 0;
}

std::string device_status(const std::string &name, const std::string &target) {
    const Task task = make_task_for(DM_DEVICE_STATUS, name);
    run(task, "ask device-mapper for a device's status");
    dm_info info = {};
    if (dm_task_get_info(task.get(), &info) == 0 || info.exists == 0)
        refuse("there is no device {}", name);
    std::uint64_t start = 0, sectors = 0;
    char *type = nullptr, *status = nullptr;
    const void *next =
        dm_get_next_target(task.get(), nullptr, &start, &sectors, &type, &status);
    if (next != nullptr || type == nullptr || status == nullptr || target != type)
        return {};
    return status;
}

std::string send_message(const std::string &name, const std::string &target,
                         const std::string &message) {
    const Task task = make_task_for(DM_DEVICE_TARGET_MSG, name);
    KernelLog kernel_log;
    if (dm_task_set_sector(task.get(), 0) == 0 ||
        dm_task_set_message(task.get(), message.c_str()) == 0)
        refuse("cannot prepare a message to {}: {}", name, library_error());
    if (dm_task_run(task.get()) == 0)
        refuse("{} refuses \"{}\": {}", name, message, refusal(task.get(), kernel_log, target));
    const char *reply = dm_task_get_message_response(task.get());
    return reply == nullptr ? std::string() : reply;
}

void create_device(const std::string &name, const std::string &uuid,
                   const DeviceMapperTable &table) {
    const Task task = make_task(DM_DEVICE_CREATE);
    KernelLog kernel_log;
    UdevTransaction udev;
    if (dm_task_set_name(task.get(), name.c_str()) == 0 ||
        dm_task_set_uuid(task.get(), uuid.c_str()) == 0 ||
        dm_task_add_target(task.get(), 0, table.sectors, table.target.c_str(),
                           table.arguments.c_str()) == 0 ||
        dm_task_set_add_node(task.get(), DM_ADD_NODE_ON_RESUME) == 0 || !udev.join(task.get()))
        refuse("cannot prepare the creation of {}: {}", name, library_error());
    // Creates, loads the table and resumes; removes the device again if one of them fails.
    if (dm_task_run(task.get()) == 0)
        refuse("cannot create {}: {}", name, refusal(task.get(), kernel_log, table.target));
}

} // namespace tools
