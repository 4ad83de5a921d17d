// SPDX-License-Identifier: GPL-2.0-only
// What tells two states of a world apart, for who wants to visit each once (explorer.h).
#include <algorithm>

#include "state_hash.h"
#include "world.h"

namespace sim {

namespace {

enum Kind { kCore = 1, kWorld, kJob, kPending, kBio, kOp, kCopy, kData, kFiber, kStack, kLists };

void add_data(StateHash &hash, const std::vector<Sector> &data) {
    hash.value(data.size());
    for (const Sector &sector : data)
        hash.value(sector.hash());
}

} // namespace

// Times count by their order only.
void Oracle::add_state(StateHash &hash, const std::vector<Time> &also) const {
    std::vector<Time> times(also);
    times.insert(times.end(), readers_.begin(), readers_.end());
    times.push_back(flushed_);
    for (const Versions &versions : versions_)
        for (const Version &v : versions)
            times.insert(times.end(), {v.issued, v.ended, v.dead});
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    auto add = [&](Time t) {
        const auto rank = std::lower_bound(times.begin(), times.end(), t) - times.begin();
        hash.value(t == kNever ? kNever : static_cast<uint64_t>(rank));
    };
    for (Time t : also)
        add(t);
    for (Time t : readers_)
        add(t);
    add(flushed_);
    for (const Versions &versions : versions_) {
        hash.value(versions.size());
        for (const Version &v : versions) {
            hash.value(v.value.hash());
            hash.value(v.write);
            add(v.issued);
            add(v.ended);
            add(v.dead);
            hash.value(v.wild | v.failed << 1 | v.persisted << 2 | v.survivor << 3 |
                       v.abandoned << 4);
        }
    }
}

void Scheduler::know_fibers(StateHash &hash) const {
    for (const auto &fiber : pool_.all()) {
        const Fiber::Stack stack = fiber->stack();
        hash.know(kFiber, fiber.get(), sizeof(Fiber), fiber.get());
        hash.know(kStack, stack.begin, static_cast<size_t>(stack.end - stack.begin), fiber.get());
    }
}

void Scheduler::add_state(StateHash &hash) const {
    hash.value(now_us_);
    for (const Work &w : works_) {
        hash.value(w.scheduled | w.running << 1);
        hash.value(w.scheduled ? w.due_us : 0);
    }
    for (const Fiber *fiber : runnable_)
        hash.pointer(fiber);
    for (const Sleeper &s : sleepers_) {
        hash.pointer(s.fiber);
        hash.value(s.until_us << 1 | s.until_wake);
    }
    hash.pointer(operator_);
    for (unsigned int i = 0; i < FC_NR_LOCKS; i++)
        if (lock_owner_[i]) {
            hash.value(i);
            hash.pointer(lock_owner_[i]);
        }
}

void World::know_objects(StateHash &hash) {
    hash.know(kWorld, this, sizeof *this, this);
    if (memory_)
        hash.know(kCore, memory_, fc_core_bytes(&config_), memory_);
    for (std::vector<char> *lists : {&policy_memory_, &next_policy_memory_})
        if (!lists->empty())
            hash.know(kLists, lists->data(), lists->size(), nullptr);
    auto data = [&](const std::vector<Sector> &sectors) {
        if (!sectors.empty())
            hash.know(kData, sectors.data(), sectors.size() * sizeof(Sector), nullptr);
    };
    for (size_t i = 0; i < jobs_.size(); i++) {
        hash.know(kJob, jobs_[i], sizeof(JobMemory), jobs_[i]);
        data(jobs_[i]->buffer);
    }
    for (size_t i = 0; i < pendings_.size(); i++)
        hash.know(kPending, pendings_[i], sizeof(PendingMemory), pendings_[i]);
    for (size_t i = 0; i < bios_.size(); i++)
        hash.know(kBio, bios_[i], sizeof(Bio), bios_[i]);
    for (size_t i = 0; i < ops_.size(); i++) {
        hash.know(kOp, ops_[i], sizeof(Op), ops_[i]);
        data(ops_[i]->data);
    }
    for (size_t i = 0; i < copies_.size(); i++) {
        hash.know(kCopy, copies_[i], sizeof(Copy), copies_[i]);
        data(copies_[i]->data);
    }
    scheduler_.know_fibers(hash);
    hash.all_known();
}

void World::add_object(StateHash &hash, int kind, const void *owner) const {
    if (kind == kJob) {
        const auto *job = static_cast<const JobMemory *>(owner);
        hash.memory(&job->job, sizeof job->job, true);
        hash.value(job->ios);
        add_data(hash, job->buffer);
    } else if (kind == kPending) {
        hash.memory(owner, sizeof(fc_pending), true);
    } else if (kind == kBio) {
        const auto *bio = static_cast<const Bio *>(owner);
        hash.memory(&bio->req, sizeof bio->req, true);
        hash.pointer(bio->op);
        hash.value(bio->offset);
        hash.value(bio->count);
        hash.value(bio->ios);
    } else if (kind == kOp) {
        const auto *op = static_cast<const Op *>(owner);
        hash.value(op->number);
        hash.value(op->left);
        hash.value(static_cast<uint64_t>(op->status));
        add_data(hash, op->data);
    } else if (kind == kCopy) {
        const auto *copy = static_cast<const Copy *>(owner);
        hash.pointer(copy->job);
        hash.value(copy->origin_sector);
        add_data(hash, copy->data);
    } else if (kind == kFiber || kind == kStack) {
        const auto *fiber = static_cast<const Fiber *>(owner);
        const Fiber::Stack stack = fiber->stack();
        uint64_t registers[6];
        fiber->saved_registers(registers);
        hash.memory(registers, sizeof registers, true);
        hash.memory(stack.live, static_cast<size_t>(stack.end - stack.live), true);
        hash.value(fiber->locks_held);
        hash.pointer(fiber->local);
    }
}

uint64_t World::state() {
    StateHash hash;
    know_objects(hash);
    hash.value(formatted_ | live_ << 1 | origin_alone_ << 2 | interrupt_ << 3 | no_io_ << 4 |
               users_active_ << 5 | starved_ << 6);
    hash.value(stopped_with_);
    hash.value(profile_.mode);
    if (memory_)
        hash.memory(memory_, fc_core_bytes(&config_), true);
    for (const std::vector<char> *lists : {&policy_memory_, &next_policy_memory_})
        hash.memory(lists->data(), lists->size(), true); // of lru
    std::vector<const Op *> ops;
    for (size_t i = 0; i < ops_.size(); i++)
        ops.push_back(ops_[i]);
    std::sort(ops.begin(), ops.end(), [](auto *a, auto *b) { return a->number < b->number; });
    std::vector<Time> times;
    for (const Op *op : ops) {
        hash.pointer(op);
        times.push_back(op->issued);
    }
    for (const Piece &piece : to_map_) {
        hash.pointer(piece.op);
        hash.value(piece.offset);
        hash.value(piece.count << 1 | piece.flush_dev);
    }
    scheduler_.add_state(hash);
    for (auto &dev : devices_)
        dev->add_state(hash);
    oracle_->add_state(hash, times);
    while (const StateHash::Object *object = hash.next())
        add_object(hash, object->kind, object->owner);
    return hash.result();
}

} // namespace sim
