// SPDX-License-Identifier: GPL-2.0-only
//
// Caches of all shapes: block sizes, sets, extents, logical blocks of the devices.
#include <gtest/gtest.h>

#include "rig.h"
#include "system.h"
#include "traffic.h"

namespace vm {
namespace {

struct Shape {
    const char *name;
    const char *options;      // of flashcache_create
    unsigned logical_block;   // of both devices
    std::uint32_t cell_bytes; // of the requests
};

std::ostream &operator<<(std::ostream &out, const Shape &shape) {
    return out << shape.name;
}

constexpr Shape kShapes[] = {
    {"sectors_as_blocks", "-b 1 -s 4m", 512, 512},
    {"blocks_of_1k", "-b 1k -s 4m -a 256", 512, 512},
    {"blocks_of_64k", "-b 64k -s 8m -a 16", 512, 1536},
    {"sets_of_two", "-a 2 -s 4m", 512, 1024},
    {"one_set_of_8192", "-a 8192 -s 32m -d 2m", 512, 1024},
    {"extents_of_a_block", "-d 8 -s 4m", 512, 1024},
    {"extents_of_2m", "-d 2m -s 4m", 512, 1024},
    {"large_logical_blocks", "-s 4m", 4096, 4096},
    {"large_logical_blocks_in_large_blocks", "-b 16k -s 8m -a 128", 4096, 4096},
};

class Geometry : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(, Geometry, testing::ValuesIn(kShapes), testing::PrintToStringParamName());

// With a power cut in between, so that recovery sees the shape, too.
TEST_P(Geometry, of_any_kind_keeps_what_is_written) {
    const Shape &shape = GetParam();
    const auto with_blocks = [&](DiskOptions options) {
        options.block_bytes = shape.logical_block;
        return options;
    };
    SwitchedRig rig(with_blocks(kSmallSsd), with_blocks({.mib = 64}));
    rig.create(Mode::kBack, words(shape.options));
    // More than the smallest caches hold, also where it is less.
    const auto bytes = static_cast<std::uint32_t>((has_checkers() ? 5 : 12) * kMiB);
    Ledger ledger(bytes / shape.cell_bytes, shape.cell_bytes);
    for (unsigned round = 0; round < 2; round++) {
        rig.cache.set("idle_delay_ms", 50);
        Traffic traffic(rig.cache.path(), ledger,
                        {.writers = 3,
                         .readers = 2,
                         .longest = static_cast<std::uint32_t>(256 * kKiB) / shape.cell_bytes,
                         .errors_allowed = round == 0,
                         .seed = round + 1});
        pause_ms(2000);
        if (round == 0)
            rig.cut_power();
        traffic.stop();
        ASSERT_EQ(traffic.complaint(), "");
        if (round == 0) {
            rig.remove_dead();
            rig.load();
        }
        ASSERT_EQ(ledger.check(BlockFile(rig.cache.path()), Ledger::kAcknowledged), "");
        ledger.adopt(BlockFile(rig.cache.path()));
    }
    const std::string table = rig.cache.table();
    rig.cache.remove();
    rig.load();
    EXPECT_EQ(words(rig.cache.table()).at(8), words(table).at(8)) << "block size";
    EXPECT_EQ(ledger.check(BlockFile(rig.cache.path()), Ledger::kAcknowledged), "");
    rig.cache.remove();
    EXPECT_EQ(ledger.check(BlockFile(rig.disk.path()), Ledger::kAcknowledged), "");
}

} // namespace
} // namespace vm
