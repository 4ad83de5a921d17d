// SPDX-License-Identifier: GPL-2.0-only
#include "command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace vm {
namespace {

int memory_file(const std::string &text) {
    const int file = ::memfd_create("flashcache-test", MFD_CLOEXEC);
    if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::lseek(file, 0, SEEK_SET) != 0)
        throw Failure(std::string("cannot make a memory file: ") + std::strerror(errno));
    return file;
}

// Where no udev makes the nodes of /dev/mapper, libdevmapper shall.
void set_environment() {
    if (::access("/run/udev/control", F_OK) != 0)
        ::setenv("DM_DISABLE_UDEV", "1", 0);
}

pid_t spawn(const Arguments &arguments, int input, int output) {
    std::vector<char *> argv;
    for (const std::string &argument : arguments)
        argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, 0);
    ::posix_spawn_file_actions_adddup2(&actions, output, 1);
    ::posix_spawn_file_actions_adddup2(&actions, output, 2);
    set_environment();
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        throw Failure("cannot start " + arguments[0] + ": " + std::strerror(error));
    return pid;
}

} // namespace

std::string joined(const Arguments &arguments) {
    std::string text;
    for (const std::string &argument : arguments)
        text += (text.empty() ? "" : " ") + argument;
    return text;
}

namespace {

unsigned time_scale() {
    static const char *const scale = std::getenv("VM_TIME_SCALE");
    return scale == nullptr ? 1 : static_cast<unsigned>(std::max(1, std::atoi(scale)));
}

} // namespace

Seconds on_this_kernel(Seconds limit) {
    return limit * time_scale();
}

bool has_checkers() {
    return time_scale() != 1;
}

unsigned effort(unsigned all) {
    return (all + time_scale() - 1) / time_scale();
}

void pause_ms(unsigned milliseconds) {
    ::usleep(milliseconds * 1000);
}

Background::Background(const Arguments &arguments, const std::string &input)
    : name_(joined(arguments)) {
    const int in = memory_file(input);
    output_ = memory_file("");
    // Programs write at the end, also when two of them do.
    ::fcntl(output_, F_SETFL, O_APPEND);
    pid_ = spawn(arguments, in, output_);
    ::close(in);
}

Background::~Background() {
    if (!ended_)
        wait(Seconds(0));
    ::close(output_);
}

void Background::reap(int wait_status) {
    ended_ = true;
    status_ = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool Background::running() {
    int wait_status = 0;
    if (!ended_ && ::waitpid(pid_, &wait_status, WNOHANG) == pid_)
        reap(wait_status);
    return !ended_;
}

void Background::signal(int number) const {
    if (!ended_)
        ::kill(pid_, number);
}

// A process that the kernel does not let go cannot be waited for: it is left behind.
Result Background::wait(Seconds limit) {
    if (!eventually([this] { return !running(); }, limit)) {
        signal(SIGKILL);
        if (!eventually([this] { return !running(); }, Seconds(5)))
            ended_ = true;
        status_ = kTimedOut;
    }
    return {status_, output()};
}

std::string Background::output() const {
    std::string text(static_cast<std::size_t>(::lseek(output_, 0, SEEK_END)), '\0');
    const ssize_t got = ::pread(output_, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

Result run(const Arguments &arguments, Seconds limit, const std::string &input) {
    return Background(arguments, input).wait(limit);
}

std::string must(const Arguments &arguments, Seconds limit) {
    Result result = run(arguments, limit);
    if (result.status != 0)
        throw Failure(joined(arguments) + ": status " + std::to_string(result.status) + ": " +
                      result.output);
    return result.output;
}

void load_module(const std::string &name, const Arguments &parameters) {
    static std::set<std::string> loaded;
    if (loaded.count(name) != 0)
        return;
    Arguments call = {"modprobe", name};
    call.insert(call.end(), parameters.begin(), parameters.end());
    must(call);
    loaded.insert(name);
}

} // namespace vm
