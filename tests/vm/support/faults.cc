// SPDX-License-Identifier: GPL-2.0-only
#include "faults.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "system.h"

namespace vm {
namespace {

const std::string kDebug = "/sys/kernel/debug/";
constexpr const char *kNth = "/proc/thread-self/fail-nth";

int open_or_throw(const char *path) {
    const int file = ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        throw Failure(std::string("cannot open ") + path + ": " + std::strerror(errno));
    return file;
}

void ignore_waiting(const char *value) {
    write_file(kDebug + "failslab/ignore-gfp-wait", value);
    write_file(kDebug + "fail_page_alloc/ignore-gfp-wait", value);
}

} // namespace

bool Faults::available() {
    return exists(kNth) && exists(kDebug + "failslab") && exists(kDebug + "fail_page_alloc") &&
           exists(kDebug + "fail_make_request");
}

Faults::Faults() : file_(open_or_throw(kNth)) {
    // What is reported of a fault looks like a complaint of the kernel.
    for (const char *kind : {"failslab", "fail_page_alloc", "fail_make_request"})
        write_file(kDebug + kind + "/verbose", "0");
    write_file(kDebug + "fail_page_alloc/min-order", "0");
    ignore_waiting("N");
}

Faults::~Faults() {
    ignore_waiting("Y");
    ::close(file_);
}

void Faults::set_nth(unsigned nth) const {
    const std::string text = std::to_string(nth);
    if (::pwrite(file_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        throw Failure(std::string("cannot set fail-nth: ") + std::strerror(errno));
}

unsigned Faults::left() const {
    char text[32] = {};
    if (::pread(file_, text, sizeof text - 1, 0) < 0)
        throw Failure(std::string("cannot read fail-nth: ") + std::strerror(errno));
    return static_cast<unsigned>(number(text));
}

Mapper::Mapper(std::string name)
    : name_(std::move(name)), control_(open_or_throw("/dev/mapper/control")) {}

Mapper::~Mapper() {
    ::close(control_);
}

int Mapper::create() const {
    return call(DM_DEV_CREATE, 0);
}

int Mapper::load(const std::string &table) const {
    return call(DM_TABLE_LOAD, 0, table);
}

int Mapper::suspend() const {
    return call(DM_DEV_SUSPEND, DM_SUSPEND_FLAG);
}

int Mapper::resume() const {
    return call(DM_DEV_SUSPEND, 0);
}

int Mapper::remove() const {
    return call(DM_DEV_REMOVE, 0);
}

int Mapper::call(unsigned long command, unsigned flags, const std::string &table) const {
    alignas(dm_ioctl) std::array<char, 4096> memory = {};
    auto *const header = reinterpret_cast<dm_ioctl *>(memory.data());
    header->version[0] = DM_VERSION_MAJOR;
    header->data_size = memory.size();
    header->data_start = sizeof *header;
    header->flags = flags;
    name_.copy(header->name, sizeof header->name - 1);
    if (!table.empty()) {
        const auto word = words(table);
        auto *const target = reinterpret_cast<dm_target_spec *>(header + 1);
        target->sector_start = number(word.at(0));
        target->length = number(word.at(1));
        word.at(2).copy(target->target_type, sizeof target->target_type - 1);
        const std::string rest = joined({word.begin() + 3, word.end()});
        rest.copy(reinterpret_cast<char *>(target + 1),
                  memory.size() - sizeof *header - sizeof *target - 1);
        header->target_count = 1;
    }
    return ::ioctl(control_, command, header) == 0 ? 0 : errno;
}

} // namespace vm
