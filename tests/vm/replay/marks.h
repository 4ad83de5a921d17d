// SPDX-License-Identifier: GPL-2.0-only
//
// What a machine tells its host about the cells of a Ledger (traffic.h), at moments that are marked
// in a log of writes, too: between which generations a cell must be, if the power is cut between the
// mark before and this one.  Kept on a raw disk, one mark after the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vm {

// Index: the cell.
struct Mark {
    std::vector<std::uint32_t> flushed; // generations that were acknowledged, and then flushed, by now
    std::vector<std::uint32_t> begun;   // the last that was begun by now
};

struct Marks {
    std::uint32_t cell_bytes = 0;
    std::vector<Mark> marks;

    // Whole sectors; throws std::runtime_error if the bytes are not what to_bytes() makes.
    std::string to_bytes() const;
    static Marks from_bytes(const std::string &bytes);
};

// "" if the bytes, read where this cell begins, hold of each cell a generation that is neither below
// nor above the limits, which are those of the cells from this one on; else what is wrong.
std::string judge_cells(std::uint32_t cell, std::uint32_t cell_bytes, const unsigned char *bytes,
                        std::size_t size, const std::uint32_t *at_least,
                        const std::uint32_t *at_most);

} // namespace vm
