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
// By who shall bring nothing in (FC_REQ_AVOID), or may whatever is tuned (FC_REQ_WANT).
TinyOp marked(unsigned char marks, TinyOp op) {
    op.marks = marks;
    return op;
}
TinyOp avoiding(TinyOp op) {
    return marked(FC_REQ_AVOID, op);
}
TinyOp policy(fc_policy to, uint32_t after = 0) {
    return {TinyKind::kSetPolicy, static_cast<uint64_t>(to), 0, false, after};
}
TinyOp tune(fc_tunable which, uint64_t value, uint32_t after = 0) {
    return {TinyKind::kTune, static_cast<uint64_t>(which), value, false, after};
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

// Changes of the policy; one preemption: between two sets, and between a decision and what follows.
std::vector<Scenario> policy_scenarios() {
    using enum TinyKind;
    return {
        {"policy-fill",
         "the policy becomes lru while a miss is filled, and a block of the other set is written",
         tiny(kBack, true, false, 1, 2),
         {},
         {read(0, 1), write(2, 1), policy(FC_POLICY_LRU)},
         0,
         1},
        {"policy-full",
         "the policy becomes lru while full sets give blocks away",
         tiny(kBack, false, false),
         {read(0, 2)},
         {policy(FC_POLICY_LRU), write(4, 1), read(1, 1)}},
        {"policy-clean",
         "lru is left, and comes back, while a full set of dirty blocks is cleaned and written",
         tiny(kBack, false, false),
         {policy(FC_POLICY_LRU), write(0, 2)},
         {op(kSync), policy(FC_POLICY_FIFO), write(4, 1), policy(FC_POLICY_LRU, 2)},
         1},
        {"policy-hit",
         "lru is left while its blocks are read, and one is overwritten; both sets",
         tiny(kBack, false, false, 1, 2),
         {policy(FC_POLICY_LRU), read(0, 2), write(2, 1)},
         {policy(FC_POLICY_CLOCK2Q), read(0, 1), write(2, 1)},
         0,
         1},
    };
}

// Who brings what in.
std::vector<Scenario> admission_scenarios() {
    using enum TinyKind;
    return {
        {"avoid-clean",
         "a dirty block is written back while it is written by who shall not cache; flush",
         tiny(kBack, true, true),
         {write(0, 1)},
         {op(kSync), avoiding(write(0, 1)), op(kFlush, 2)},
         1},
        {"avoid-fill",
         "a read miss, a read and a write of the block by who shall not cache",
         tiny(kBack, false, true),
         {},
         {read(0, 1), avoiding(read(0, 1)), avoiding(write(0, 1))}},
        {"avoid-write",
         "a block becomes dirty while who shall not cache writes it; a read behind both",
         tiny(kBack, true, true),
         {},
         {write(0, 1), avoiding(write(0, 1)), read(0, 1, 3)}},
        {"second-sight",
         "admission on second sight: reads and a write of a block, the first time past the cache",
         tiny(kBack, false, true),
         {tune(FC_TUNE_ADMISSION, 2)},
         {read(0, 1), read(0, 1), write(0, 1)}},
        {"cache-all",
         "caching of everything ends while a block is written twice, once by who may",
         tiny(kBack, false, true),
         {},
         {tune(FC_TUNE_CACHE_ALL, 0), write(0, 1), marked(FC_REQ_WANT, write(0, 1))}},
        {"sequential",
         "the end of a long stream of writes goes past the cache, beside another write and a read",
         tiny(kBack, true, false, 1, 2),
         {tune(FC_TUNE_SKIP_SEQ_WRITE_KB, 1), write(0, 2)},
         {write(2, 1), write(2, 1), read(2, 1)}},
        {"sync-twice",
         "a sync, an overwrite of the block, and a second sync",
         tiny(kBack, true, true),
         {write(0, 1)},
         {op(kSync), write(0, 1), op(kSync, 2)},
         1},
    };
}

} // namespace

const std::vector<Scenario> &scenarios() {
    static const std::vector<Scenario> all = [] {
        std::vector<Scenario> list;
        for (auto *part :
             {small_scenarios, large_scenarios, policy_scenarios, admission_scenarios})
            for (Scenario &more : part())
                list.push_back(std::move(more));
        return list;
    }();
    return all;
}

} // namespace sim
