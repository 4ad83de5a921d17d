// SPDX-License-Identifier: GPL-2.0-only
//
// The log, changed at will, and the data that its records speak of.
#include "life.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input(data, size);
    const unsigned char how = input.byte();
    Pair &pair = pair_of(how, false);
    for (unsigned left = input.byte() % 12; left; left--) {
        const unsigned char what = input.byte();
        const Area area = what % 8 == 0 ? Area::data : Area::log;
        const fc_u64 unit = what % 8 < 4 ? overlay(pair, area, input) : put_log_unit(pair, input);
        if (how & 0x20)
            seal(pair, area, unit);
    }
    live(pair, input);
    return 0;
}
