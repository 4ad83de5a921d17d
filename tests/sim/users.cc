// SPDX-License-Identifier: GPL-2.0-only
// Operations of users, and how device-mapper hands them to the core.
#include <algorithm>
#include <cstring>

#include "world.h"

namespace sim {

using ull = unsigned long long;

namespace {

unsigned char request_op(DevOp kind) {
    static const unsigned char ops[] = {FC_OP_READ, FC_OP_WRITE, FC_OP_DISCARD, FC_OP_WRITE_ZEROES,
                                        FC_OP_FLUSH};
    return ops[static_cast<int>(kind)];
}

} // namespace

DevOp World::pick_kind() {
    const uint32_t weights[] = {profile_.reads, profile_.writes, profile_.discards_weight,
                                profile_.zeroes_weight, profile_.flushes};
    uint64_t sum = 0;
    for (uint32_t w : weights)
        sum += w;
    uint64_t at = rng_.below(sum);
    for (int i = 0;; i++) {
        if (at < weights[i])
            return static_cast<DevOp>(i);
        at -= weights[i];
    }
}

// Where an operation starts; reduces @count to what is there.
uint64_t World::pick_sector(uint64_t &count) {
    const uint64_t grain = profile_.unit_bytes / kSectorBytes;
    const uint64_t end = oracle_->sectors() / grain;
    uint64_t n = std::max<uint64_t>(count / grain, 1), first;
    if (profile_.streams && rng_.below(4) != 0) {
        first = stream_at_ < end ? stream_at_ : 0;
    } else {
        const uint64_t hot = std::max<uint64_t>(profile_.hot_sectors / grain, 1);
        first = rng_.below(rng_.one_in(8) ? end : std::min(hot, end));
        if (rng_.coin()) // where blocks begin
            first -= first % std::max<uint64_t>(profile_.block_sectors / grain, 1);
    }
    n = std::min(n, end - first);
    stream_at_ = first + n;
    count = n * grain;
    return first * grain;
}

void World::user_step() {
    if (profile_.scribble_per_mille && !ops_.empty() && rng_.coin()) {
        change_memory();
        return;
    }
    const DevOp kind = pick_kind();
    uint64_t count = 0, sector = 0;
    if (kind != DevOp::kFlush) {
        count = rng_.coin() ? profile_.block_sectors : rng_.between(1, profile_.max_sectors);
        if (kind >= DevOp::kDiscard)
            count = rng_.one_in(10) ? oracle_->sectors() : count * rng_.between(1, 5);
        sector = pick_sector(count);
    }
    const bool data = kind == DevOp::kWrite || kind == DevOp::kWriteZeroes;
    start_op(kind, sector, count, data && rng_.per_mille(profile_.fua_per_mille));
}

// A program writes into memory that it has given to a write.
void World::change_memory() {
    Op *op = ops_[rng_.below(ops_.size())];
    if (op->kind != DevOp::kWrite)
        return;
    const uint64_t number = next_number_++;
    const uint64_t first = rng_.below(op->count), n = rng_.between(1, op->count - first);
    for (uint64_t i = first; i < first + n; i++) {
        op->data[i] = Sector::user(op->sector + i, number);
        oracle_->also(op->sector + i, op->data[i], op->number);
    }
    if (trace_.wants(op->sector, op->count))
        trace_.line("user   memory of #%llu from sector %llu on +%llu becomes write %llu",
                    static_cast<ull>(op->number), static_cast<ull>(op->sector + first),
                    static_cast<ull>(n), static_cast<ull>(number));
}

Op *World::start_op(DevOp kind, uint64_t sector, uint64_t count, bool fua) {
    Op *op = ops_.get();
    op->kind = kind;
    op->fua = fua;
    op->marks = 0;
    op->sector = sector;
    op->count = count;
    op->number = next_number_++;
    op->left = kind == DevOp::kFlush ? 2 : count;
    if (kind == DevOp::kRead || kind == DevOp::kWrite)
        op->data.assign(count, Sector::user(0, 0));
    for (uint64_t i = 0; kind == DevOp::kWrite && i < count; i++)
        op->data[i] = Sector::user(sector + i, op->number);
    if (kind == DevOp::kRead)
        op->issued = oracle_->read_issued();
    else if (kind == DevOp::kWrite)
        oracle_->write_issued(sector, count, op->data.data(), op->number);
    else if (kind == DevOp::kWriteZeroes)
        oracle_->zeroes_issued(sector, count, op->number);
    else if (kind == DevOp::kDiscard)
        oracle_->discard_issued(sector, count, op->number);
    else
        op->issued = oracle_->now();
    if (kind == DevOp::kFlush || trace_.wants(sector, count))
        trace_.line("user   #%llu %s %llu+%llu%s", static_cast<ull>(op->number), name_of(kind),
                    static_cast<ull>(sector), static_cast<ull>(count), fua ? " fua" : "");
    queue_pieces(op);
    return op;
}

// As device-mapper splits: reads and writes at chunk boundaries, flushes one for each device.
void World::queue_pieces(Op *op) {
    if (op->kind == DevOp::kFlush) {
        for (unsigned int dev = 0; dev < 2; dev++)
            to_map_.push_back({op, 0, 0, dev});
        return;
    }
    const bool data = op->kind == DevOp::kRead || op->kind == DevOp::kWrite;
    const uint64_t chunk = config_.chunk_sectors;
    for (uint64_t at = 0; at < op->count;) {
        const uint64_t room = data ? chunk - (op->sector + at) % chunk : op->count;
        const uint64_t n = std::min(room, op->count - at);
        to_map_.push_back({op, at, n, 0});
        at += n;
    }
}

void World::map_piece(size_t i) {
    const Piece piece = to_map_[i];
    to_map_.erase(to_map_.begin() + static_cast<long>(i));
    scheduler_.call(Scheduler::Context::kMap, [this, piece] { map(piece); });
}

void World::map(const Piece &piece) {
    Bio *bio = bios_.get();
    memset(&bio->req, 0xa5, sizeof bio->req);
    bio->op = piece.op;
    bio->offset = piece.offset;
    bio->count = piece.count;
    bio->ios = 0;
    bio->req.sector = piece.op->sector + piece.offset;
    bio->req.nr_sectors = static_cast<unsigned int>(piece.count);
    bio->req.op = request_op(piece.op->kind);
    bio->req.flags = static_cast<unsigned char>(piece.op->marks | (piece.op->fua ? FC_REQ_FUA : 0));
    if (rng_.below(16) == 0)
        bio->req.flags |= rng_.coin() ? FC_REQ_AVOID : FC_REQ_WANT;
    bio->req.flush_dev = static_cast<unsigned char>(piece.flush_dev);
    totals_.requests++;
    mapped_[bio->req.op] += bio->req.op != FC_OP_FLUSH || piece.flush_dev == FC_DEV_CACHE;
    MapCall call = {bio, 0};
    Fiber::current()->local = &call;
    const int action = fc_core_map(core_, &bio->req);
    Fiber::current()->local = nullptr;
    after_map(action, call, piece);
}

void World::after_map(int action, MapCall &call, const Piece &piece) {
    if (call.accepted && call.accepted < piece.count)
        to_map_.push_back(
            {piece.op, piece.offset + call.accepted, piece.count - call.accepted, piece.flush_dev});
    Bio *bio = call.bio;
    if (action == FC_ACT_TAKEN)
        return;
    if (action == FC_ACT_COMPLETE) {
        end_bio(bio, bio->req.status);
        return;
    }
    if (action != FC_ACT_REMAP_CACHE && action != FC_ACT_REMAP_ORIGIN)
        scheduler_.fail("fc_core_map() returned " + std::to_string(action));
    send_bio(bio, kOwnerBio, action == FC_ACT_REMAP_CACHE ? FC_DEV_CACHE : FC_DEV_ORIGIN,
             bio->req.target_sector, 0, bio->count);
}

uint64_t World::blocks_touched(uint64_t sector, uint64_t count) const {
    return (sector + count - 1) / config_.block_sectors - sector / config_.block_sectors + 1;
}

void World::end_bio(Bio *bio, int status) {
    if (bio->ios)
        scheduler_.fail("a request ended while I/O of it is in flight", bio->req.sector);
    if (status != FC_OK && status != FC_EIO && status != FC_ENOTSUPP)
        scheduler_.fail("a request ended with status " + std::to_string(status), bio->req.sector);
    Op *op = bio->op;
    if (bio->req.op == FC_OP_READ || bio->req.op == FC_OP_WRITE)
        (status ? failed_ : served_)[bio->req.op] += blocks_touched(bio->req.sector, bio->count);
    op->left -= op->kind == DevOp::kFlush ? 1 : bio->count;
    op->status = op->status ? op->status : status;
    bios_.put(bio);
    if (op->left == 0)
        end_op(op);
}

void World::end_op(Op *op) {
    totals_.ops++;
    last_progress_ = steps_;
    if (op->kind == DevOp::kFlush || trace_.wants(op->sector, op->count))
        trace_.line("user   #%llu %s %llu+%llu ended%s", static_cast<ull>(op->number),
                    name_of(op->kind), static_cast<ull>(op->sector), static_cast<ull>(op->count),
                    op->status ? " FAILED" : "");
    check_status(op);
    if (op->kind == DevOp::kRead) {
        end_read(op);
    } else if (op->kind == DevOp::kFlush) {
        if (!op->status)
            oracle_->flushed(op->issued);
    } else {
        oracle_->write_ended(op->sector, op->count, op->number, !op->status,
                             acknowledged_is_persisted(op));
    }
    ops_.put(op);
}

void World::end_read(Op *op) {
    oracle_->read_dropped(op->issued);
    for (uint64_t i = 0; i < op->count && !op->status; i++) {
        const std::string wrong = oracle_->read_ended(op->sector + i, op->data[i], op->issued);
        if (!wrong.empty())
            scheduler_.fail(wrong, op->sector + i);
    }
}

bool World::acknowledged_is_persisted(const Op *op) const {
    if (op->fua || (!profile_.cache_volatile && !profile_.origin_volatile))
        return true;
    return origin_alone_ && !profile_.origin_volatile;
}

void World::check_status(const Op *op) {
    if (!op->status)
        return;
    totals_.failed_ops++;
    if (!profile_.faulty())
        scheduler_.fail(std::string(name_of(op->kind)) + " failed although no device did",
                        op->sector);
    if (origin_alone_ && !origin_failed_)
        scheduler_.fail(std::string(name_of(op->kind)) +
                            " failed although the origin has all data and works",
                        op->sector);
}

} // namespace sim
