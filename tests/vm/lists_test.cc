// SPDX-License-Identifier: GPL-2.0-only
//
// The lists: whose requests are cached.
#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "fio.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::HasSubstr;

constexpr std::size_t kBlock = 4096;

std::string thread_id() {
    return std::to_string(syscall(SYS_gettid));
}

std::string process_id() {
    return std::to_string(getpid());
}

// A message without a program for each: many are sent here.  The error (errno), 0 for success.
int try_message(const std::string &device, const std::string &text) {
    std::vector<char> memory(16384);
    auto *call = reinterpret_cast<dm_ioctl *>(memory.data());
    *call = {};
    call->version[0] = DM_VERSION_MAJOR;
    call->data_size = static_cast<unsigned>(memory.size());
    call->data_start = sizeof(*call);
    std::strncpy(call->name, device.c_str(), sizeof(call->name) - 1);
    auto *message = reinterpret_cast<dm_target_msg *>(memory.data() + sizeof(*call));
    message->sector = 0;
    std::strcpy(message->message, text.c_str());
    const int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    const int error = ioctl(control, DM_TARGET_MSG, memory.data()) < 0 ? errno : 0;
    close(control);
    return error;
}

class Lists : public testing::Test {
protected:
    Lists() {
        rig_.create(Mode::kBack);
        rig_.cache.keep_dirty();
    }

    void send(const std::string &text) const { EXPECT_EQ(try_message("fc0", text), 0) << text; }
    std::string show(const std::string &list) const {
        const std::string shown = must({"dmsetup", "message", "fc0", "0", list, "show"});
        return joined(words(shown));
    }
    std::string file() const { return rig_.cache.proc("flashcache_pidlists"); }
    std::uint64_t stat(const std::string &key) const {
        return number(key_values(rig_.cache.proc("flashcache_stats")).at(key));
    }

    // Does this thread's read of a block that is not cached bring it into the cache?
    bool read_is_cached() {
        const auto uncached = stat("uncached_reads"), misses = stat("read_misses");
        BlockFile(rig_.cache.path()).read(next_++ * 256 * kKiB, kBlock);
        EXPECT_EQ(stat("uncached_reads") + stat("read_misses"), uncached + misses + 1);
        return stat("read_misses") == misses + 1;
    }
    bool write_is_cached() {
        const auto uncached = stat("uncached_writes"), misses = stat("write_misses");
        BlockFile(rig_.cache.path()).put(next_++ * 256 * kKiB, kBlock, 1);
        EXPECT_EQ(stat("uncached_writes") + stat("write_misses"), uncached + misses + 1);
        return stat("write_misses") == misses + 1;
    }
    // The same of another thread of this process, after it has done something, with its id.
    using WithThread = std::function<void(const std::string &id)>;
    bool other_thread_is_cached(const WithThread &first = [](const std::string &) {}) {
        bool cached = false;
        std::thread([&] {
            first(thread_id());
            cached = read_is_cached();
        }).join();
        return cached;
    }

    Rig rig_;
    std::uint64_t next_ = 0;
};

TEST_F(Lists, that_are_empty_change_nothing) {
    EXPECT_TRUE(read_is_cached());
    rig_.cache.set("cache_all", 0);
    EXPECT_FALSE(read_is_cached());
    EXPECT_EQ(file(), "Blacklist: \nWhitelist: \nBlacklist groups: \nWhitelist groups: \n"
                      "Blacklist idle: 0\n");
}

TEST_F(Lists, keep_the_blocks_of_a_blacklisted_process_out) {
    send("blacklist add " + process_id());
    EXPECT_FALSE(read_is_cached());
    EXPECT_FALSE(write_is_cached());
    EXPECT_FALSE(other_thread_is_cached()) << "all of its threads";
    send("blacklist del " + process_id());
    EXPECT_TRUE(read_is_cached());
    EXPECT_TRUE(write_is_cached());
}

TEST_F(Lists, keep_the_blocks_of_a_blacklisted_thread_out) {
    EXPECT_FALSE(other_thread_is_cached([&](const std::string &id) { send("blacklist add " + id); }));
    EXPECT_TRUE(read_is_cached()) << "another thread";
}

TEST_F(Lists, except_a_whitelisted_thread_from_the_blacklist) {
    send("blacklist add " + process_id());
    EXPECT_TRUE(other_thread_is_cached([&](const std::string &id) { send("whitelist add " + id); }));
    EXPECT_FALSE(other_thread_is_cached());
    // A thread in both: the blacklist wins.
    EXPECT_FALSE(other_thread_is_cached([&](const std::string &id) {
        send("whitelist add " + id);
        send("blacklist add " + id);
    }));
}

TEST_F(Lists, cache_the_whitelisted_only_where_nothing_else_is) {
    rig_.cache.set("cache_all", 0);
    EXPECT_TRUE(other_thread_is_cached([&](const std::string &id) { send("whitelist add " + id); }));
    EXPECT_FALSE(read_is_cached());
    send("whitelist add " + process_id());
    EXPECT_TRUE(read_is_cached());
    EXPECT_TRUE(write_is_cached());
    EXPECT_TRUE(other_thread_is_cached());
    EXPECT_FALSE(
        other_thread_is_cached([&](const std::string &id) { send("blacklist add " + id); }));
    // A thread in both: the whitelist wins.
    EXPECT_TRUE(other_thread_is_cached([&](const std::string &id) {
        send("whitelist add " + id);
        send("blacklist add " + id);
    }));
}

TEST_F(Lists, do_not_touch_what_is_cached_already) {
    const BlockFile blocks(rig_.cache.path());
    blocks.put(0, kBlock, 1);
    send("blacklist add " + process_id());
    const auto hits = stat("read_hits");
    EXPECT_EQ(blocks.check(0, kBlock, 1), "");
    EXPECT_EQ(stat("read_hits"), hits + 1);
}

TEST_F(Lists, say_nothing_of_other_processes) {
    send("blacklist add " + process_id());
    const auto misses = stat("read_misses");
    must({"dd", "if=" + rig_.cache.path(), "of=/dev/null", "bs=4k", "count=1", "iflag=direct",
          "skip=4096"});
    EXPECT_EQ(stat("read_misses"), misses + 1);
    EXPECT_FALSE(read_is_cached());
}

// A setting of the kernel, until the end of the test.
class Vm {
public:
    Vm(const std::string &name, const std::string &value)
        : path_("/proc/sys/vm/" + name), before_(read_file(path_)) {
        write_file(path_, value + "\n");
    }
    Vm(const Vm &) = delete;
    Vm &operator=(const Vm &) = delete;
    ~Vm() { try_write_file(path_, before_); }

private:
    std::string path_, before_;
};

// It is the flusher that sends these.
TEST_F(Lists, do_not_reach_what_is_written_later_through_the_page_cache) {
    send("blacklist add " + process_id());
    ASSERT_FALSE(write_is_cached());
    const auto uncached = stat("uncached_writes"), misses = stat("write_misses");
    const Buffer data = pattern(kMiB, kBlock, 1);
    const int file = open(rig_.cache.path().c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    EXPECT_EQ(pwrite(file, data.data(), data.size(), kMiB), static_cast<ssize_t>(data.size()));
    EXPECT_EQ(stat("uncached_writes") + stat("write_misses"), uncached + misses) << "not yet";
    const Vm age("dirty_expire_centisecs", "1"), pause("dirty_writeback_centisecs", "10");
    EXPECT_TRUE(eventually([&] { return stat("uncached_writes") + stat("write_misses") > uncached + misses; }));
    EXPECT_EQ(stat("write_misses"), misses + 1);
    EXPECT_EQ(stat("uncached_writes"), uncached);
    close(file);
}

// ---- the idle class

TEST_F(Lists, keep_the_idle_class_out) {
    constexpr int kThisThread = 1, kIdleClass = 3 << 13;
    const auto become_idle = [](const std::string &) {
        ASSERT_EQ(syscall(SYS_ioprio_set, kThisThread, 0, kIdleClass), 0);
    };
    EXPECT_TRUE(other_thread_is_cached(become_idle));
    send("blacklist add idle");
    EXPECT_FALSE(other_thread_is_cached(become_idle));
    EXPECT_TRUE(read_is_cached());
    EXPECT_EQ(show("blacklist"), "idle");
    EXPECT_THAT(file(), HasSubstr("Blacklist idle: 1\n"));
    EXPECT_TRUE(other_thread_is_cached([&](const std::string &id) {
        become_idle(id);
        send("whitelist add " + id);
    }));
    EXPECT_EQ(try_message("fc0", "whitelist add idle"), EINVAL);
    send("blacklist del idle");
    EXPECT_TRUE(other_thread_is_cached(become_idle));
}

// ---- control groups

// Of the unified hierarchy; this process may be put into it.
class Group {
public:
    explicit Group(std::string path) : path_(std::move(path)) {
        if (mkdir(path_.c_str(), 0755) < 0)
            throw Failure(path_ + ": " + std::strerror(errno));
    }
    ~Group() {
        try_write_file("/tmp/groups/cgroup.procs", process_id());
        rmdir(path_.c_str());
    }
    Group(const Group &) = delete;
    Group &operator=(const Group &) = delete;
    std::string id() const {
        struct stat found;
        return stat(path_.c_str(), &found) == 0 ? std::to_string(found.st_ino) : "";
    }
    void enter() const { write_file(path_ + "/cgroup.procs", process_id()); }

private:
    std::string path_;
};

class ListsOfGroups : public Lists {
protected:
    void SetUp() override {
        if (read_file("/proc/filesystems").find("cgroup2") == std::string::npos)
            GTEST_SKIP() << "a kernel without control groups";
        mkdir("/tmp/groups", 0755);
        must({"mount", "-t", "cgroup2", "none", "/tmp/groups"});
    }
    ~ListsOfGroups() override { run({"umount", "/tmp/groups"}); }
};

TEST_F(ListsOfGroups, hold_for_all_below_a_group) {
    const Group outer("/tmp/groups/outer"), inner("/tmp/groups/outer/inner");
    send("blacklist add group " + outer.id());
    EXPECT_TRUE(read_is_cached()) << "not in it";
    outer.enter();
    EXPECT_FALSE(read_is_cached());
    EXPECT_FALSE(write_is_cached());
    inner.enter();
    EXPECT_FALSE(read_is_cached());
    EXPECT_THAT(file(), HasSubstr("\nBlacklist groups: " + outer.id() + " \n"));
    EXPECT_EQ(show("blacklist"), "group " + outer.id());

    send("whitelist add group " + inner.id());
    EXPECT_TRUE(read_is_cached()) << "the nearest group counts";
    send("whitelist del group " + inner.id());
    send("blacklist del group " + outer.id());
    EXPECT_TRUE(read_is_cached());
}

TEST_F(ListsOfGroups, rank_below_processes) {
    const Group group("/tmp/groups/one");
    group.enter();
    send("blacklist add group " + group.id());
    send("whitelist add " + process_id());
    EXPECT_TRUE(read_is_cached());
    send("whitelist delall");
    EXPECT_FALSE(read_is_cached());
    send("blacklist delall");

    rig_.cache.set("cache_all", 0);
    EXPECT_FALSE(read_is_cached());
    send("whitelist add group " + group.id());
    EXPECT_TRUE(read_is_cached());
    send("blacklist add " + process_id());
    EXPECT_FALSE(read_is_cached());
}

TEST_F(ListsOfGroups, take_existing_groups_only) {
    KernelLog log;
    EXPECT_EQ(try_message("fc0", "blacklist add group 123456789"), ENOENT);
    EXPECT_THAT(log.new_lines(), HasSubstr("no control group with the id 123456789"));
}

// ---- who is in them, and for how long

TEST_F(Lists, are_shown_and_counted) {
    send("blacklist add 1001");
    send("blacklist add 1002");
    send("whitelist add 1003");
    send("blacklist add 1001"); // is there: it becomes the youngest
    EXPECT_EQ(show("blacklist"), "1002 1001");
    EXPECT_EQ(show("whitelist"), "1003");
    EXPECT_EQ(file(), "Blacklist: 1002 1001 \nWhitelist: 1003 \nBlacklist groups: \n"
                      "Whitelist groups: \nBlacklist idle: 0\n");
    EXPECT_EQ(stat("pid_adds"), 3u);
    send("blacklist del 1002");
    EXPECT_EQ(stat("pid_dels"), 1u);
    send("blacklist delall");
    EXPECT_EQ(show("blacklist"), "");
    EXPECT_EQ(show("whitelist"), "1003");
    EXPECT_EQ(stat("pid_dels"), 2u);
    EXPECT_EQ(stat("pid_drops") + stat("pid_expiry"), 0u);
}

TEST_F(Lists, that_are_full_push_their_oldest_out) {
    rig_.cache.set("max_pids", 3);
    for (unsigned id = 1001; id <= 1005; id++)
        send("blacklist add " + std::to_string(id));
    EXPECT_EQ(show("blacklist"), "1003 1004 1005");
    EXPECT_EQ(stat("pid_drops"), 2u);
    rig_.cache.set("max_pids", 1);
    EXPECT_EQ(show("blacklist"), "1005");
    EXPECT_EQ(stat("pid_drops"), 4u);
    EXPECT_EQ(stat("pid_adds"), 5u);
}

TEST_F(Lists, forget_who_has_been_in_them_for_long) {
    rig_.cache.set("pid_expiry_secs", 1);
    send("blacklist add " + process_id());
    send("blacklist add idle");
    pause_ms(2500);
    EXPECT_FALSE(read_is_cached()) << "not asked for";
    rig_.cache.set("do_pid_expiry", 1);
    EXPECT_TRUE(eventually([&] { return show("blacklist") == "idle"; }));
    EXPECT_TRUE(read_is_cached());
    EXPECT_EQ(stat("pid_expiry"), 1u);
    // And with the time still running when it comes.
    send("whitelist add 1001");
    EXPECT_EQ(show("whitelist"), "1001");
    EXPECT_TRUE(eventually([&] { return show("whitelist").empty(); }));
    EXPECT_EQ(stat("pid_expiry"), 2u);
}

TEST_F(Lists, refuse_what_they_do_not_understand) {
    struct Bad {
        const char *text;
        int error;
        const char *message;
    };
    constexpr Bad kBad[] = {
        {"blacklist", EINVAL, "takes 1 to 3 arguments"},
        {"blacklist add 1 2 3", EINVAL, "takes 1 to 3 arguments"},
        {"blacklist add", EINVAL, "blacklist: not \"add|del"},
        {"whitelist add x", EINVAL, "whitelist: not \"add|del"},
        {"blacklist add 0", EINVAL, "blacklist: not \"add|del"},
        {"blacklist add -1", EINVAL, "blacklist: not \"add|del"},
        {"blacklist add 4194305", EINVAL, "blacklist: not \"add|del"},
        {"blacklist add 18446744073709551616", EINVAL, "blacklist: not \"add|del"},
        {"blacklist add group", EINVAL, "blacklist: not \"add|del"},
        {"blacklist add group x", EINVAL, "blacklist: not \"add|del"},
        {"blacklist add group 0", EINVAL, "blacklist: not \"add|del"},
        {"blacklist drop 1", EINVAL, "blacklist: not \"add|del"},
        {"blacklist delall 1", EINVAL, "blacklist: not \"add|del"},
        {"whitelist add idle", EINVAL, "only the blacklist takes \"idle\""},
        {"blacklist del 77", ENOENT, "\"77\" is not in the blacklist"},
        {"whitelist del group 77", ENOENT, "\"77\" is not in the whitelist"},
        {"blacklist del idle", ENOENT, "\"idle\" is not in the blacklist"},
    };
    KernelLog log;
    for (const Bad &bad : kBad) {
        EXPECT_EQ(try_message("fc0", bad.text), bad.error) << bad.text;
        EXPECT_THAT(log.new_lines(), HasSubstr(bad.message)) << bad.text;
    }
}

TEST_F(Lists, of_any_length_are_shown) {
    rig_.cache.set("max_pids", 8192);
    std::string all;
    for (unsigned id = 100000; id < 104000; id++) {
        send("whitelist add " + std::to_string(id));
        all += std::to_string(id) + " ";
    }
    EXPECT_EQ(show("whitelist") + " ", all);
    EXPECT_THAT(file(), HasSubstr("\nWhitelist: " + all + "\n"));
}

TEST_F(Lists, may_change_under_io) {
    Background fio(Fio(rig_.cache.path(), {"--rw=randrw", "--bs=4k", "--iodepth=16",
                                           "--size=" + std::to_string(effort(16)) + "m",
                                           "--verify_backlog=64"})
                       .arguments());
    rig_.cache.set("max_pids", 10);
    for (unsigned n = 0; fio.running(); n++) {
        send("blacklist add " + std::to_string(1 + n % 500));
        send("whitelist add " + std::to_string(1 + n * 7 % 500));
        if (n % 50 == 0) {
            send("blacklist delall");
            send("whitelist delall");
        }
    }
    Fio::check(fio.wait());
    send("blacklist add 5"); // goes away with the cache
    rig_.cache.remove();
}

TEST_F(Lists, stay_over_a_suspend_and_take_entries_meanwhile) {
    send("blacklist add 1001");
    must({"dmsetup", "suspend", "fc0"});
    send("blacklist add 1002");
    EXPECT_EQ(show("blacklist"), "1001 1002");
    must({"dmsetup", "resume", "fc0"});
    EXPECT_EQ(show("blacklist"), "1001 1002");
}

} // namespace
} // namespace vm
