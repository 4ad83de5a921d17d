// SPDX-License-Identifier: GPL-2.0-only
//
// error_inject, of modules built with DEBUG=1 (host/error_inject.sh runs these; elsewhere they are
// skipped): each bit fires once, and what fails is seen where it should be.
#include <cerrno>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr std::size_t kBlock = 4096;

class ErrorInject : public testing::Test {
protected:
    void SetUp() override {
        rig_.create(Mode::kBack);
        rig_.cache.keep_dirty();
        if (!exists(rig_.cache.sysctl_path("error_inject")))
            GTEST_SKIP() << "the module is not built with DEBUG=1";
        file_.emplace(rig_.cache.path());
    }
    void inject(unsigned bits) const { rig_.cache.set("error_inject", bits); }
    void expect_fired() const { EXPECT_EQ(rig_.cache.get("error_inject"), 0u); }
    std::uint64_t errors(const std::string &key) const {
        return number(key_values(rig_.cache.proc("flashcache_errors")).at(key));
    }
    int try_read(std::uint64_t offset) const {
        Buffer buffer(kBlock);
        return file_->try_read(offset, buffer);
    }
    // Cached, clean blocks.
    void fill(std::uint64_t offset) const {
        file_->put(offset, kBlock, 1);
        rig_.cache.sync();
    }

    Rig rig_;
    std::optional<BlockFile> file_;
};

TEST_F(ErrorInject, of_a_disk_read) {
    inject(0x1);
    EXPECT_EQ(try_read(0), EIO);
    expect_fired();
    EXPECT_EQ(errors("disk_read_errors"), 1u);
    EXPECT_EQ(try_read(0), 0);
}

TEST_F(ErrorInject, of_a_cache_read) {
    fill(0);
    inject(0x2);
    EXPECT_EQ(file_->check(0, kBlock, 1), "") << "the disk has it, too";
    expect_fired();
    EXPECT_EQ(errors("ssd_read_errors"), 1u);
}

TEST_F(ErrorInject, of_a_fill) {
    inject(0x4);
    EXPECT_EQ(try_read(0), 0);
    rig_.cache.settle();
    expect_fired();
    EXPECT_EQ(errors("ssd_write_errors"), 1u);
    EXPECT_EQ(rig_.cache.status()["cached"], 0u);
}

TEST_F(ErrorInject, of_a_cache_write) {
    inject(0x8);
    file_->put(0, kBlock, 1);
    expect_fired();
    EXPECT_EQ(errors("ssd_write_errors"), 1u);
    EXPECT_EQ(file_->check(0, kBlock, 1), "");
    EXPECT_EQ(rig_.cache.status()["dirty"], 0u);
}

TEST_F(ErrorInject, of_a_log_write) {
    inject(0x10);
    file_->put(0, kBlock, 1);
    expect_fired();
    EXPECT_EQ(errors("ssd_write_errors"), 1u);
    EXPECT_EQ(rig_.cache.status().word("state"), "ok") << "it is written again";
    EXPECT_EQ(file_->check(0, kBlock, 1), "");
}

TEST_F(ErrorInject, of_a_copy) {
    file_->put(0, kBlock, 1);
    inject(0x40);
    rig_.cache.set("do_sync", 1);
    EXPECT_TRUE(eventually([&] { return rig_.cache.status()["dirty"] == 0; }));
    expect_fired();
    EXPECT_EQ(errors("disk_write_errors"), 1u);
}

TEST_F(ErrorInject, of_memory_is_waited_for) {
    inject(0x100);
    EXPECT_EQ(try_read(0), 0);
    expect_fired();
    inject(0x4000);
    file_->put(64 * kBlock, kBlock, 1);
    expect_fired();
    inject(0x80);
    rig_.cache.sync();
    expect_fired();
}

TEST_F(ErrorInject, of_memory_for_one_that_waits) {
    Rig slow(kSmallSsd, {.mib = 128, .delay_us = 300000}, "1");
    slow.create(Mode::kBack);
    slow.cache.set("error_inject", 0x400);
    const auto read = [&] { BlockFile(slow.cache.path()).read(0, kBlock); };
    std::thread first(read), second(read);
    first.join();
    second.join();
    EXPECT_EQ(slow.cache.get("error_inject"), 0u);
}

TEST_F(ErrorInject, of_metadata_that_a_change_of_mode_writes) {
    KernelLog log;
    must({"dmsetup", "load", "fc0", "--table",
          table_line(rig_.disk.sectors(), rig_.disk.path(), rig_.ssd.path(), "fc0 2 1")});
    inject(0x20);
    must({"dmsetup", "resume", "fc0"});
    expect_fired();
    EXPECT_THAT(log.new_lines(), testing::HasSubstr("the mode could not be recorded"));
    EXPECT_EQ(rig_.cache.status().word("mode"), "write_through");
}

TEST_F(ErrorInject, refuses_what_has_no_path_here) {
    for (const char *bit : {"512", "4096", "32768", "65536", "131072", "-1", "x"})
        EXPECT_EQ(try_write_file(rig_.cache.sysctl_path("error_inject"), bit), EINVAL) << bit;
    expect_fired();
}

} // namespace
} // namespace vm
