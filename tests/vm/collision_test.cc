// SPDX-License-Identifier: GPL-2.0-only
//
// Readers and writers on the same blocks at once.
#include <gtest/gtest.h>

#include "rig.h"
#include "traffic.h"

namespace vm {
namespace {

constexpr unsigned kMilliseconds = 8000;

class Collision : public testing::TestWithParam<Mode> {
protected:
    // Traffic on the cache for a while; how many requests waited for another.
    std::uint64_t collide(Ledger &ledger, const TrafficOptions &options) {
        const auto before = rig_.cache.status();
        Traffic traffic(rig_.cache.path(), ledger, options);
        pause_ms(kMilliseconds);
        traffic.stop();
        EXPECT_EQ(traffic.complaint(), "");
        EXPECT_EQ(ledger.check(BlockFile(rig_.cache.path()), Ledger::kAcknowledged), "");
        rig_.cache.settle();
        const auto waited = rig_.cache.status()["pending_enqueues"] - before["pending_enqueues"];
        std::printf("%s: %llu writes, %llu reads; %llu requests waited\n",
                    status_word(GetParam()).c_str(), (unsigned long long)traffic.writes(),
                    (unsigned long long)traffic.reads(), (unsigned long long)waited);
        return waited;
    }
    void expect_same(const Status &before, std::initializer_list<const char *> counters) const {
        const Status after = rig_.cache.status();
        for (const char *counter : counters)
            EXPECT_EQ(after[counter], before[counter]) << counter;
    }

    Rig rig_;
};
INSTANTIATE_TEST_SUITE_P(, Collision, testing::ValuesIn(kModes), testing::PrintToStringParamName());

TEST_P(Collision, of_a_reader_and_a_writer_evicts_nothing) {
    rig_.create(GetParam());
    rig_.cache.keep_dirty();
    Ledger ledger(64, 4096);
    {
        const BlockFile file(rig_.cache.path());
        file.write(0, ledger.begin_write(0, 64));
        ledger.acknowledged(0, 64);
        file.read(0, ledger.bytes());
    }
    rig_.cache.settle();
    const Status before = rig_.cache.status();
    EXPECT_EQ(before["cached"], 64u);
    collide(ledger, {.writers = 2, .readers = 4, .longest = 4});
    expect_same(before, {"pending_inval", "replacement", "write_replacement", "read_invalidates",
                         "no_room", "uncached_io_requeue"});
    // Write-around is the mode that invalidates what is written, and overtakes fills.
    if (GetParam() != Mode::kAround)
        expect_same(before, {"write_invalidates", "uncached_reads", "uncached_writes", "cached",
                             "fill_drops"});
}

TEST_P(Collision, of_parts_of_blocks_shows_no_stale_data) {
    rig_.create(GetParam());
    rig_.cache.keep_dirty();
    Ledger ledger(8 * 64 + 7, 512);
    collide(ledger, {.writers = 4, .readers = 3, .longest = 20, .flush_every = 50});
    EXPECT_EQ(rig_.cache.status()["pending_inval"], 0u);
}

TEST_P(Collision, in_a_small_cache_shows_no_stale_data) {
    rig_.create(GetParam(), {"-s", "2m"});
    rig_.cache.set("idle_delay_ms", 10); // cleaning is in the way, too
    Ledger ledger(8192, 1024);           // four times the cache
    collide(ledger, {.writers = 4, .readers = 3, .longest = 200, .flush_every = 100});
    EXPECT_EQ(rig_.cache.status()["pending_inval"], 0u);
    rig_.cache.remove();
    EXPECT_EQ(ledger.check(BlockFile(rig_.disk.path()), Ledger::kAcknowledged), "");
}

} // namespace
} // namespace vm
