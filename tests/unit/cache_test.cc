// SPDX-License-Identifier: GPL-2.0-only
//
// The cache as a whole: memory, tunables, gauges.
#include <gtest/gtest.h>

#include "world.h"

namespace {

fc_config of_size(fc_u64 cache_sectors) {
    fc_config c = {};
    c.cache_device_sectors = cache_sectors;
    c.origin_sectors = cache_sectors * 10;
    c.unit_bytes = 512;
    c.mode = FC_MODE_WRITE_BACK;
    EXPECT_EQ(fc_core_plan(&c), FC_OK);
    return c;
}

TEST(Cache, needs_at_most_12_bytes_of_memory_for_a_block) {
    const fc_config c = of_size(100ull << 21); // 100 GiB
    EXPECT_LE(fc_core_bytes(&c), c.nr_blocks * 12);
    EXPECT_LE(fc_core_bytes(&c), c.nr_blocks * 23 / 2);
}

TEST(Cache, stays_within_the_memory_it_asked_for) {
    fc_config c = of_size(1ull << 21);
    const fc_u64 bytes = fc_core_bytes(&c);
    std::vector<char> memory(bytes + 8192, 0);
    const auto odd = reinterpret_cast<std::uintptr_t>(memory.data()) % 4096;
    char *at = memory.data() + (4096 - odd) % 4096;
    std::fill(at + bytes, memory.data() + memory.size(), '#');
    World w; // for the core's calls
    fc_core *core = fc_core_init(at, &w, &c);
    EXPECT_EQ(fc_core_gauge(core, FC_GAUGE_BLOCKS), c.nr_blocks);
    for (const char *p = at + bytes; p < memory.data() + memory.size(); p++)
        ASSERT_EQ(*p, '#');
}

TEST(Cache, init_does_no_io) {
    World w;
    w.trace.clear();
    std::vector<char> memory(fc_core_bytes(&w.config) + 4096);
    const auto odd = reinterpret_cast<std::uintptr_t>(memory.data()) % 4096;
    fc_core_init(memory.data() + (4096 - odd) % 4096, &w, &w.config);
    EXPECT_EQ(w.trace.size(), 0u);
}

struct Limits {
    int tunable;
    unsigned low, high, initial;
};

TEST(Cache, tunables_keep_within_their_limits) {
    World w;
    for (const Limits &t : {Limits{FC_TUNE_DIRTY_THRESH_PCT, 10, 95, 70}, {FC_TUNE_MAX_CLEAN_IOS_TOTAL, 1, 1024, 32},
                            {FC_TUNE_MAX_CLEAN_IOS_SET, 1, 64, 8}, {FC_TUNE_FAST_REMOVE, 0, 1, 0},
                            {FC_TUNE_STOP_SYNC, 0, 1, 0}, {FC_TUNE_CACHE_ALL, 0, 1, 1}}) {
        EXPECT_EQ(fc_core_tuned(w.core, t.tunable), t.initial);
        EXPECT_EQ(fc_core_tune(w.core, t.tunable, t.high + 1), -1);
        EXPECT_EQ(fc_core_tune(w.core, t.tunable, t.low - 1), -1);
        EXPECT_EQ(fc_core_tuned(w.core, t.tunable), t.initial) << "nothing changes";
        for (const unsigned value : {t.low, t.high}) {
            EXPECT_EQ(fc_core_tune(w.core, t.tunable, value), 0);
            EXPECT_EQ(fc_core_tuned(w.core, t.tunable), value);
        }
    }
}

TEST(Cache, tunables_that_do_not_exist_are_refused) {
    World w;
    for (const int tunable : {-1, static_cast<int>(FC_NR_TUNABLES), 1000}) {
        EXPECT_EQ(fc_core_tune(w.core, tunable, 1), -1);
        EXPECT_EQ(fc_core_tuned(w.core, tunable), 0u);
    }
}

TEST(Cache, gauges_say_how_it_stands) {
    World w;
    EXPECT_EQ(w.gauge(FC_GAUGE_BLOCKS), 32u);
    EXPECT_EQ(w.gauge(FC_GAUGE_LOG_UNITS), w.config.log_units);
    EXPECT_EQ(w.gauge(FC_GAUGE_LOG_USED), 0u);
    w.make_clean(0, 2);
    w.make_dirty(9, 'a');
    w.write(30, 'b');
    w.write(30, 'c');
    EXPECT_EQ(w.gauge(FC_GAUGE_WAITING), 1u);
    w.finish();
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), 4u);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), 2u);
    EXPECT_GE(w.gauge(FC_GAUGE_LOG_USED), 2u);
    EXPECT_EQ(w.gauge(FC_NR_GAUGES), 0u);
    EXPECT_EQ(w.gauge(-1), 0u);
}

TEST(Cache, gauges_agree_with_the_sets_after_much_traffic) {
    World w;
    unsigned random = 1;
    for (int i = 0; i < 3000; i++) {
        random = random * 1664525 + 1013904223;
        const unsigned block = (random >> 8) % 200;
        if (random >> 28 < 8)
            w.read(block);
        else if (random >> 28 < 15)
            w.write(block, 'a');
        else
            w.submit(FC_OP_DISCARD, block * 8, 40);
        if (random & 0x40000)
            w.pass(10);
    }
    w.finish();
    fc_u64 cached = 0, dirty = 0;
    for (fc_u64 block = 0; block < 256; block++) {
        cached += w.state(block) != "none";
        dirty += w.state(block).substr(0, 5) == "dirty";
    }
    EXPECT_EQ(w.gauge(FC_GAUGE_CACHED), cached);
    EXPECT_EQ(w.gauge(FC_GAUGE_DIRTY), dirty);
    EXPECT_EQ(w.gauge(FC_GAUGE_WAITING), 0u);
}

} // namespace
