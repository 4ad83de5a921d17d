// SPDX-License-Identifier: GPL-2.0-only
#include "traffic.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "marks.h"

namespace vm {
namespace {

constexpr std::uint32_t kSector = 512;

std::uint64_t word_of(std::uint32_t cell, std::uint32_t generation) {
    return std::uint64_t{generation} << 32 | cell;
}

} // namespace

// ---- Ledger

Ledger::Ledger(std::uint32_t cells, std::uint32_t cell_bytes)
    : cells_(cells), cell_bytes_(cell_bytes), begun_(cells), acknowledged_(cells), flushed_(cells) {
}

Buffer Ledger::begin_write(std::uint32_t cell, std::uint32_t n) {
    Buffer buffer(std::size_t{n} * cell_bytes_);
    for (std::uint32_t i = 0; i < n; i++) {
        const std::uint64_t word = word_of(cell + i, ++begun_[cell + i]);
        for (std::uint32_t at = 0; at < cell_bytes_; at += sizeof(word))
            std::memcpy(buffer.data() + i * cell_bytes_ + at, &word, sizeof(word));
    }
    return buffer;
}

void Ledger::acknowledged(std::uint32_t cell, std::uint32_t n) {
    for (std::uint32_t i = cell; i < cell + n; i++)
        acknowledged_[i] = begun_[i].load();
}

std::vector<std::uint32_t> Ledger::begin_flush() const {
    return begin_read(0, cells_);
}

std::vector<std::uint32_t> Ledger::begun() const {
    return {begun_.begin(), begun_.end()};
}

void Ledger::flushed(const std::vector<std::uint32_t> &covered) {
    for (std::uint32_t i = 0; i < cells_; i++) {
        std::uint32_t seen = flushed_[i];
        while (seen < covered[i] && !flushed_[i].compare_exchange_weak(seen, covered[i]))
            continue;
    }
}

std::vector<std::uint32_t> Ledger::begin_read(std::uint32_t cell, std::uint32_t n) const {
    std::vector<std::uint32_t> at_least;
    for (std::uint32_t i = cell; i < cell + n; i++)
        at_least.push_back(acknowledged_[i]);
    return at_least;
}

std::string Ledger::judge(std::uint32_t cell, const Buffer &buffer,
                          const std::vector<std::uint32_t> &at_least) const {
    const auto n = static_cast<std::uint32_t>(buffer.size() / cell_bytes_);
    const std::vector<std::uint32_t> at_most(begun_.begin() + cell, begun_.begin() + cell + n);
    return judge_cells(cell, cell_bytes_, buffer.data(), buffer.size(), at_least.data(),
                       at_most.data());
}

std::string Ledger::check(const BlockFile &file, Limit limit) const {
    const std::uint32_t step = cells_at_once();
    const auto &lower = limit == kAcknowledged ? acknowledged_ : flushed_;
    for (std::uint32_t cell = 0; cell < cells_; cell += step) {
        const std::uint32_t n = std::min(step, cells_ - cell);
        const std::vector<std::uint32_t> at_least(lower.begin() + cell, lower.begin() + cell + n);
        const std::string wrong =
            judge(cell, file.read(offset(cell), std::size_t{n} * cell_bytes_), at_least);
        if (!wrong.empty())
            return wrong;
    }
    return {};
}

void Ledger::adopt(const BlockFile &file) {
    const std::uint32_t step = cells_at_once();
    for (std::uint32_t cell = 0; cell < cells_; cell += step) {
        const std::uint32_t n = std::min(step, cells_ - cell);
        const Buffer buffer = file.read(offset(cell), std::size_t{n} * cell_bytes_);
        for (std::uint32_t i = 0; i < n; i++)
            adopt_cell(cell + i, buffer.data() + std::size_t{i} * cell_bytes_);
    }
}

// A cell of one sector has one generation; a larger one may be torn, then the lowest counts.
void Ledger::adopt_cell(std::uint32_t cell, const unsigned char *data) {
    std::uint32_t lowest = begun_[cell];
    for (std::uint32_t at = 0; at < cell_bytes_; at += kSector) {
        std::uint64_t word = 0;
        std::memcpy(&word, data + at, sizeof(word));
        lowest = std::min(lowest, static_cast<std::uint32_t>(word >> 32));
    }
    acknowledged_[cell] = lowest;
    flushed_[cell] = lowest;
}

// ---- Traffic

Traffic::Traffic(std::string path, Ledger &ledger, const TrafficOptions &options)
    : path_(std::move(path)), ledger_(ledger), options_(options) {
    for (unsigned i = 0; i < options.writers; i++)
        threads_.emplace_back([this, i] { write(i); });
    for (unsigned i = 0; i < options.readers; i++)
        threads_.emplace_back([this, i] { read(options_.writers + i); });
}

Traffic::~Traffic() {
    stop();
}

void Traffic::stop() {
    stop_ = true;
    for (std::thread &thread : threads_)
        if (thread.joinable())
            thread.join();
}

std::string Traffic::complaint() const {
    const std::lock_guard lock(mutex_);
    return complaint_;
}

void Traffic::complain(const std::string &text) {
    const std::lock_guard lock(mutex_);
    if (complaint_.empty())
        complaint_ = text;
    stop_ = true;
}

bool Traffic::note_error(const char *what, int error) {
    errors_++;
    if (!options_.errors_allowed)
        complain(std::string(what) + ": " + std::strerror(error));
    return options_.errors_allowed;
}

// Each writer has a part of the area, which does not end where a cache block ends.
void Traffic::write(unsigned thread) {
    const BlockFile file(path_);
    std::mt19937 random(options_.seed * 1000 + thread);
    const std::uint32_t part = ledger_.cells() / options_.writers;
    const std::uint32_t first = thread * part;
    while (!stop_) {
        const std::uint32_t n = 1 + random() % std::min(options_.longest, part);
        const std::uint32_t cell = first + random() % (part - n + 1);
        const int error = file.try_write(ledger_.offset(cell), ledger_.begin_write(cell, n));
        if (error == 0)
            ledger_.acknowledged(cell, n);
        else if (!note_error("write", error))
            return;
        if (++writes_; options_.flush_every == 0 || random() % options_.flush_every != 0)
            continue;
        const auto covered = ledger_.begin_flush();
        if (const int flush_error = file.try_flush(); flush_error == 0)
            ledger_.flushed(covered);
        else if (!note_error("flush", flush_error))
            return;
        flushes_++;
    }
}

void Traffic::read(unsigned thread) {
    const BlockFile file(path_);
    std::mt19937 random(options_.seed * 1000 + thread);
    while (!stop_) {
        const std::uint32_t n = 1 + random() % std::min(options_.longest, ledger_.cells());
        const std::uint32_t cell = random() % (ledger_.cells() - n + 1);
        const auto at_least = ledger_.begin_read(cell, n);
        Buffer buffer(std::size_t{n} * ledger_.cell_bytes());
        const int error = file.try_read(ledger_.offset(cell), buffer);
        if (error != 0 && !note_error("read", error))
            return;
        if (error == 0)
            if (const std::string wrong = ledger_.judge(cell, buffer, at_least); !wrong.empty())
                complain("read: " + wrong);
        reads_++;
    }
}

} // namespace vm
