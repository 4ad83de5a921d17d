// SPDX-License-Identifier: GPL-2.0-only
//
// Traces of references to blocks: read from text, or made up.
#pragma once

#include <cstdint>
#include <istream>
#include <vector>

namespace tools {

struct Reference {
    std::uint64_t block;
    std::uint32_t nr_blocks;
};

struct Trace {
    std::vector<Reference> references;
    std::uint64_t end = 0;      // the highest block, and one more
    std::uint64_t distinct = 0; // blocks referred to
};

// A line for each reference: a block number, and how many blocks if it is not one.  Empty lines and
// what follows a "#" do not count.  Throws Error with the number of a line that is wrong.
Trace read_trace(std::istream &in);

// Made of a seed: seven in ten references go to 100,000 blocks by a zipf law of exponent 0.9, one
// and a half to blocks that never come again, the others belong to scans of 2000 blocks.
Trace made_up_trace(std::uint64_t references, std::uint64_t seed);

} // namespace tools
