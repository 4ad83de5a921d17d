// SPDX-License-Identifier: GPL-2.0-only
//
// Caches that the kernel has left, looked at and written back by the tools alone.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"
#include "traffic.h"
#include "unchanged.h"

namespace vm {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kCell = 1536; // no multiple of a block
constexpr int kDamage = 4;

class Offline : public testing::TestWithParam<Mode> {
protected:
    Ledger ledger_{static_cast<std::uint32_t>(16 * kMiB) / kCell, kCell};

    void load_it(Cache &cache, unsigned seed) {
        cache.keep_dirty();
        Traffic traffic(cache.path(), ledger_, {.longest = 40, .flush_every = 16, .seed = seed});
        pause_ms(2000);
        traffic.stop();
        ASSERT_EQ(traffic.complaint(), "");
        ASSERT_GT(cache.status()["dirty"], 100u);
    }
};
INSTANTIATE_TEST_SUITE_P(, Offline, testing::Values(Mode::kBack, Mode::kWriteOnly),
                         testing::PrintToStringParamName());

TEST_P(Offline, cache_with_dirty_blocks_is_written_back_and_loads_again) {
    Rig rig;
    rig.create(GetParam());
    load_it(rig.cache, 1);
    const std::string dirty = rig.cache.status().word("dirty");
    rig.cache.fast_remove();
    {
        const Unchanged unchanged(rig.ssd.path(), rig.disk.path());
        EXPECT_THAT(must({"flashcache_check", rig.ssd.path()}),
                    HasSubstr("\ndirty blocks: " + dirty + "\n"));
        EXPECT_THAT(must({"flashcache_writeback", "--dry-run", rig.ssd.path()}),
                    HasSubstr(dirty + " dirty blocks"));
        EXPECT_NE(run({"flashcache_writeback", rig.ssd.path()}).status, 0) << "nobody was asked";
        unchanged.check();
    }
    EXPECT_THAT(must({"flashcache_writeback", "--yes", rig.ssd.path()}),
                HasSubstr(dirty + " dirty blocks"));
    EXPECT_EQ(ledger_.check(BlockFile(rig.disk.path()), Ledger::kAcknowledged), "");
    EXPECT_THAT(must({"flashcache_check", rig.ssd.path()}), HasSubstr("\ndirty blocks: 0\n"));
    rig.load();
    EXPECT_EQ(rig.cache.status()["dirty"], 0u);
    EXPECT_EQ(ledger_.check(BlockFile(rig.cache.path()), Ledger::kAcknowledged), "");
    rig.cache.remove();
    must({"flashcache_destroy", rig.ssd.path()});
}

TEST_P(Offline, cache_after_a_crash_is_recovered_and_written_back) {
    SwitchedRig rig;
    rig.create(GetParam());
    load_it(rig.cache, 2);
    rig.cut_power();
    rig.remove_dead();
    EXPECT_THAT(must({"flashcache_check", rig.ssd.path()}), HasSubstr("stopped: not in good order"));
    must({"flashcache_writeback", "--yes", rig.ssd.path()});
    EXPECT_EQ(ledger_.check(BlockFile(rig.disk.path()), Ledger::kAcknowledged), "");
    EXPECT_THAT(must({"flashcache_check", rig.ssd.path()}), HasSubstr("stopped: in good order"));
}

// Again and again, wherever it is.
TEST_P(Offline, writeback_may_be_killed_and_run_again) {
    Rig rig(kSmallSsd, {.mib = 128, .delay_us = 2000});
    rig.create(GetParam());
    load_it(rig.cache, 3);
    rig.cache.fast_remove();
    for (unsigned ms : {100, 200, 300, 400, 500, 700, 900}) {
        Background writeback({"flashcache_writeback", "--yes", rig.ssd.path()});
        pause_ms(ms);
        writeback.signal(SIGKILL);
        writeback.wait();
    }
    must({"flashcache_writeback", "--yes", rig.ssd.path()});
    EXPECT_EQ(ledger_.check(BlockFile(rig.disk.path()), Ledger::kAcknowledged), "");
}

class OfflineRefusal : public testing::Test {
protected:
    OfflineRefusal() {
        rig_.create(Mode::kBack);
        rig_.cache.keep_dirty();
        BlockFile(rig_.cache.path()).put(0, kMiB, 1);
    }

    void expect_refused(const Arguments &call, const std::string &because, int status) const {
        const Unchanged unchanged(rig_.ssd.path(), rig_.disk.path());
        const Result result = run(call);
        EXPECT_EQ(result.status, status) << joined(call) << ": " << result.output;
        EXPECT_THAT(result.output, HasSubstr(because)) << joined(call);
        unchanged.check();
    }

    Rig rig_;
};

TEST_F(OfflineRefusal, of_a_cache_that_is_running) {
    expect_refused({"flashcache_writeback", "-y", rig_.ssd.path()}, "used by", 1);
    expect_refused({"flashcache_check", rig_.ssd.path()}, "used by", 8);
}

TEST_F(OfflineRefusal, of_the_wrong_disk) {
    rig_.cache.fast_remove();
    const NullDisk other("other", {.mib = 64});
    expect_refused({"flashcache_writeback", "-y", "--disk", other.path(), rig_.ssd.path()},
                   "attach the disk", 1);
    expect_refused({"flashcache_writeback", "-y", "--disk", rig_.ssd.path(), rig_.ssd.path()}, "", 1);
    must({"flashcache_writeback", "-y", "--disk", rig_.disk.path(), rig_.ssd.path()});
}

TEST_F(OfflineRefusal, of_a_damaged_cache) {
    rig_.cache.fast_remove();
    const Buffer junk = pattern(0, 64 * kKiB, 7);
    BlockFile(rig_.ssd.path()).write(8192, junk); // the home table
    expect_refused({"flashcache_writeback", "-y", rig_.ssd.path()}, "cannot be loaded", 1);
    expect_refused({"flashcache_check", rig_.ssd.path()}, "DAMAGED: home unit", kDamage);
}

TEST_F(OfflineRefusal, of_wrong_command_lines) {
    expect_refused({"flashcache_writeback"}, "", 2);
    expect_refused({"flashcache_writeback", "--disk", "", rig_.ssd.path()}, "", 2);
    expect_refused({"flashcache_check"}, "", 16);
    expect_refused({"flashcache_check", "/dev/nothing"}, "", 8);
    expect_refused({"flashcache_check", rig_.disk.path()}, "", 8);
}

} // namespace
} // namespace vm
