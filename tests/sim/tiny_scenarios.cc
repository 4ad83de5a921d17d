// SPDX-License-Identifier: GPL-2.0-only
// The tiny worlds that the explorer tries in every order.
#include "tiny_world.h"

namespace sim {

namespace {

// One set of two ways, or two; blocks of @block_sectors; an origin of a few blocks.
Profile tiny(uint32_t mode, bool cache_volatile, bool origin_volatile, uint32_t block_sectors = 1,
             uint32_t sets = 1) {
    Profile p;
    p.block_sectors = block_sectors;
    p.sets = sets;
    p.extent_blocks = 2;
    p.origin_sectors = 6 * block_sectors;
    p.mode = mode;
    p.cache_volatile = cache_volatile;
    p.origin_volatile = origin_volatile;
    return p;
}

constexpr uint32_t kBack = FC_MODE_WRITE_BACK, kThrough = FC_MODE_WRITE_THROUGH,
                   kAround = FC_MODE_WRITE_AROUND;
constexpr bool kFua = true;

TinyOp read(uint64_t sector, uint64_t count, uint32_t after = 0) {
    return {TinyKind::kRead, sector, count, false, after};
}
TinyOp write(uint64_t sector, uint64_t count, uint32_t after = 0, bool fua = false) {
    return {TinyKind::kWrite, sector, count, fua, after};
}
TinyOp op(TinyKind kind, uint32_t after = 0, uint64_t sector = 0, uint64_t count = 0) {
    return {kind, sector, count, false, after};
}

// after: bit 0 is the first operation of the list, bit 1 the second, ...
std::vector<Scenario> small_scenarios() {
    using enum TinyKind;
    return {
        {"overwrite",
         "two writes of one block and a flush, nothing volatile",
         tiny(kBack, false, false),
         {},
         {write(0, 1), write(0, 1), op(kFlush)}},
        {"overwrite-volatile",
         "a write, one over it, a flush; both devices volatile",
         tiny(kBack, true, true),
         {},
         {write(0, 1), write(0, 1, 1), op(kFlush)}},
        {"fua",
         "a block becomes dirty with FUA, and at once another without",
         tiny(kBack, true, true),
         {},
         {write(0, 1, 0, kFua), write(1, 1)}},
        {"part",
         "parts of one block, one after the other and at once",
         tiny(kBack, true, false, 2),
         {},
         {write(0, 2), write(1, 1), read(0, 2)}},
        {"fill",
         "a read miss, a write of the block and a read",
         tiny(kBack, false, false),
         {},
         {read(0, 1), write(0, 1), read(0, 1, 1)}},
        {"fill-around",
         "a read miss while a write goes past the cache",
         tiny(kAround, false, true),
         {},
         {read(0, 2), write(0, 1), read(0, 1, 2)}},
        {"full",
         "three blocks for two ways: eviction while blocks are read",
         tiny(kBack, false, false),
         {read(0, 2)},
         {read(0, 1), write(4, 1), write(5, 1)}},
        {"full-dirty",
         "a full set of dirty blocks, and a write that collides; cleaning",
         tiny(kBack, true, true),
         {write(0, 2)},
         {op(kSync), write(4, 1), read(0, 1)},
         1},
        {"clean-overwrite",
         "a dirty block is written back while it is overwritten; flush",
         tiny(kBack, true, true),
         {write(0, 1)},
         {op(kSync), write(0, 1), op(kFlush, 2)},
         1},
        {"clean-fua",
         "the same, and FUA",
         tiny(kBack, true, true),
         {write(0, 1)},
         {op(kSync), write(0, 1, 0, kFua), read(0, 1)}},
    };
}

std::vector<Scenario> large_scenarios() {
    using enum TinyKind;
    return {
        {"through",
         "write-through: writes, and reads of the block",
         tiny(kThrough, true, true),
         {},
         {write(0, 1), read(0, 1), write(0, 1), op(kFlush, 4)}},
        {"discard",
         "a discard against a write and a read of the block",
         tiny(kBack, true, false),
         {write(0, 2)},
         {op(kDiscard, 0, 0, 2), write(0, 1), read(1, 1)}},
        {"zeroes",
         "write-zeroes of part of a dirty block against a write",
         tiny(kBack, false, true, 2),
         {write(0, 2)},
         {op(kWriteZeroes, 0, 1, 2), write(2, 2), op(kFlush, 3)}},
        {"zeroes-flush",
         "write-zeroes of part of a dirty block that is durable, then a flush",
         tiny(kBack, true, true, 2),
         {write(0, 2), op(kFlush)},
         {op(kWriteZeroes, 0, 1, 1), op(kFlush, 1)}},
        {"checkpoint",
         "a checkpoint while blocks become dirty",
         tiny(kBack, true, true),
         {write(0, 1)},
         {op(kCheckpoint), write(1, 1), write(0, 1)}},
        {"checkpoint-clean",
         "a checkpoint while a block becomes clean, and is written again",
         tiny(kBack, true, false),
         {write(0, 1)},
         {op(kSync), op(kCheckpoint), write(4, 1)}},
        {"mode",
         "write-back is left while a block is dirty, then the block is written",
         tiny(kBack, true, true),
         {write(0, 1)},
         {op(kSetMode, 0, kAround), write(0, 1, 1), op(kFlush, 3)}},
        {"close",
         "the cache is closed and loaded with a dirty block; the block is written",
         tiny(kBack, true, true),
         {write(0, 1)},
         {write(1, 1), op(kReload), write(0, 1, 2)}},
        {"close-keep",
         "the same, and the block is kept dirty",
         tiny(kBack, true, true),
         {write(0, 1)},
         {write(1, 1), op(kReloadKeep), write(0, 1, 2)}},
    };
}

} // namespace

const std::vector<Scenario> &scenarios() {
    static const std::vector<Scenario> all = [] {
        std::vector<Scenario> list = small_scenarios();
        for (Scenario &more : large_scenarios())
            list.push_back(std::move(more));
        return list;
    }();
    return all;
}

} // namespace sim
