// SPDX-License-Identifier: GPL-2.0-only
#include "marks.h"

#include <cstring>
#include <stdexcept>

namespace vm {
namespace {

constexpr std::uint32_t kMagic = 0x6b72616d; // "mark"
constexpr std::size_t kSector = 512;

struct Head {
    std::uint32_t magic, cell_bytes, cells, marks;
};

void append(std::string &bytes, const std::vector<std::uint32_t> &numbers) {
    bytes.append(reinterpret_cast<const char *>(numbers.data()), numbers.size() * sizeof(numbers[0]));
}

std::vector<std::uint32_t> take(const std::string &bytes, std::size_t &at, std::size_t n) {
    std::vector<std::uint32_t> numbers(n);
    if (bytes.size() - at < n * sizeof(numbers[0]))
        throw std::runtime_error("the marks are cut short");
    std::memcpy(numbers.data(), bytes.data() + at, n * sizeof(numbers[0]));
    at += n * sizeof(numbers[0]);
    return numbers;
}

} // namespace

std::string Marks::to_bytes() const {
    const auto cells = marks.empty() ? 0 : marks[0].flushed.size();
    const Head head = {kMagic, cell_bytes, static_cast<std::uint32_t>(cells),
                       static_cast<std::uint32_t>(marks.size())};
    std::string bytes(reinterpret_cast<const char *>(&head), sizeof(head));
    for (const Mark &mark : marks) {
        append(bytes, mark.flushed);
        append(bytes, mark.begun);
    }
    bytes.resize((bytes.size() + kSector - 1) / kSector * kSector);
    return bytes;
}

Marks Marks::from_bytes(const std::string &bytes) {
    Head head = {};
    if (bytes.size() >= sizeof(head))
        std::memcpy(&head, bytes.data(), sizeof(head));
    if (head.magic != kMagic || head.cell_bytes == 0)
        throw std::runtime_error("these are no marks");
    Marks marks;
    marks.cell_bytes = head.cell_bytes;
    std::size_t at = sizeof(head);
    for (std::uint32_t i = 0; i < head.marks; i++) {
        Mark mark;
        mark.flushed = take(bytes, at, head.cells);
        mark.begun = take(bytes, at, head.cells);
        marks.marks.push_back(std::move(mark));
    }
    return marks;
}

std::string judge_cells(std::uint32_t cell, std::uint32_t cell_bytes, const unsigned char *bytes,
                        std::size_t size, const std::uint32_t *at_least,
                        const std::uint32_t *at_most) {
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
        const auto i = static_cast<std::uint32_t>(at / cell_bytes);
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + at, sizeof(word));
        const auto generation = static_cast<std::uint32_t>(word >> 32);
        const auto number = static_cast<std::uint32_t>(word);
        // Of generation 0 a cell holds zeroes: it was never written.
        if ((word == 0 || (number == cell + i && generation != 0)) && generation >= at_least[i] &&
            generation <= at_most[i])
            continue;
        const std::string of =
            number == cell + i || word == 0 ? "" : "cell " + std::to_string(number) + ", ";
        return "cell " + std::to_string(cell + i) + " (byte " +
               std::to_string(std::uint64_t{cell} * cell_bytes + at) + "): " + of + "generation " +
               std::to_string(generation) + " instead of " + std::to_string(at_least[i]) + " to " +
               std::to_string(at_most[i]);
    }
    return {};
}

} // namespace vm
