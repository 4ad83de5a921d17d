// SPDX-License-Identifier: GPL-2.0-only
//
// The home table, changed at will, with and without a log on top of it.
#include "life.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input(data, size);
    const unsigned char how = input.byte();
    Pair &pair = pair_of(how, how & 0x10);
    for (unsigned left = input.byte() % 12; left; left--) {
        const bool raw = input.byte() % 4 == 0;
        const fc_u64 unit = raw ? overlay(pair, Area::home, input) : put_slot(pair, input);
        if (how & 0x20)
            seal(pair, Area::home, unit);
    }
    live(pair, input);
    return 0;
}
