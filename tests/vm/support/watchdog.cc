// SPDX-License-Identifier: GPL-2.0-only
//
// A test that hangs in the kernel cannot be ended; but it can be named, with what the kernel's
// tasks wait for, and the program can end.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "command.h"
#include "system.h"

namespace vm {
namespace {

constexpr std::chrono::seconds kLongestTest{600};

class Watchdog : public testing::EmptyTestEventListener {
public:
    Watchdog() : thread_([this] { watch(); }) {}
    ~Watchdog() override {
        change([this] { stopped_ = true; });
        thread_.join();
    }

private:
    void OnTestStart(const testing::TestInfo &test) override {
        change([&] { name_ = std::string(test.test_suite_name()) + "." + test.name(); });
    }
    void OnTestEnd(const testing::TestInfo &) override {
        change([this] { name_.clear(); });
    }

    template <typename Function> void change(Function function) {
        const std::lock_guard lock(mutex_);
        function();
        changes_++;
        changed_.notify_all();
    }

    void watch() {
        std::unique_lock lock(mutex_);
        while (!stopped_) {
            const unsigned seen = changes_;
            const auto moved = [&] { return changes_ != seen; };
            if (!changed_.wait_for(lock, on_this_kernel(kLongestTest), moved) && !name_.empty())
                give_up();
        }
    }

    [[noreturn]] void give_up() const {
        std::printf("[  HANGS   ] %s: the kernel's log has what tasks wait for\n", name_.c_str());
        std::fflush(stdout);
        try_write_file("/proc/sysrq-trigger", "w");
        sleep(2);
        _exit(1);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string name_;
    unsigned changes_ = 0;
    bool stopped_ = false;
    std::thread thread_; // last: it uses the others
};

class Watched : public testing::Environment {
    void SetUp() override { testing::UnitTest::GetInstance()->listeners().Append(new Watchdog); }
};

const auto *const registered = testing::AddGlobalTestEnvironment(new Watched);

} // namespace
} // namespace vm
