// SPDX-License-Identifier: GPL-2.0-only
//
// Power cuts within the machine: both devices stop at a random moment, and what was in their
// write caches only is lost.  That is harsher than killing the machine (see power-cut), whose
// host remembers every write; but the file system above does not live through it.
#include <random>

#include <gtest/gtest.h>

#include "rig.h"
#include "traffic.h"

namespace vm {
namespace {

const unsigned kRounds = effort(4) + (has_checkers() ? 1 : 0);

struct Case {
    Mode mode;
    bool volatile_caches;
};

class PowerCut : public testing::TestWithParam<Case> {
protected:
    static DiskOptions with_cache(DiskOptions options) {
        options.cache_mib = GetParam().volatile_caches ? 64 : 0;
        return options;
    }

    SwitchedRig rig_{with_cache({.mib = 16}), with_cache({.mib = 64})};
};

std::string name_of(const testing::TestParamInfo<Case> &test) {
    return status_word(test.param.mode) + (test.param.volatile_caches ? "_with" : "_without") +
           "_write_caches";
}

std::ostream &operator<<(std::ostream &out, const Case &test) {
    return out << test.mode << (test.volatile_caches ? " with" : " without") << " write caches";
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const Mode mode : kModes)
        for (const bool volatile_caches : {true, false})
            all.push_back({mode, volatile_caches});
    return all;
}

INSTANTIATE_TEST_SUITE_P(, PowerCut, testing::ValuesIn(cases()), name_of);

TEST_P(PowerCut, loses_nothing_that_was_flushed) {
    std::mt19937 random(7);
    Ledger ledger(6000, 1536); // larger than the cache
    const auto limit = GetParam().volatile_caches ? Ledger::kFlushed : Ledger::kAcknowledged;
    rig_.create(GetParam().mode, {"-s", "6m"});
    std::uint64_t writes = 0;
    std::uint64_t dirty = 0;
    std::uint64_t torn = 0;
    for (unsigned round = 0; round < kRounds; round++) {
        SCOPED_TRACE(round);
        rig_.cache.set("idle_delay_ms", 50);
        Traffic traffic(rig_.cache.path(), ledger,
                        {.writers = 4,
                         .readers = 2,
                         .longest = round % 2 != 0 ? 4u : 100u,
                         .flush_every = 20,
                         .errors_allowed = true,
                         .seed = round + 1});
        pause_ms(200 + random() % 2500);
        rig_.cut_power();
        traffic.stop();
        ASSERT_EQ(traffic.complaint(), "");
        rig_.remove_dead();
        rig_.load();
        const Status status = rig_.cache.status();
        EXPECT_EQ(status["unclean_load"], 1u);
        writes += traffic.writes();
        dirty += status["recovered_dirty"];
        torn += status["recovered_void"];
        const BlockFile file(rig_.cache.path());
        ASSERT_EQ(ledger.check(file, limit), "");
        ledger.adopt(file);
        ASSERT_EQ(ledger.check(file, Ledger::kAcknowledged), "") << "read again";
    }
    std::printf(
        "%u power cuts, %llu writes, %llu blocks recovered dirty, %llu torn writes voided\n",
        kRounds, (unsigned long long)writes, (unsigned long long)dirty, (unsigned long long)torn);
    rig_.cache.remove();
    EXPECT_EQ(ledger.check(BlockFile(rig_.disk.path()), Ledger::kAcknowledged), "");
}

} // namespace
} // namespace vm
