// SPDX-License-Identifier: GPL-2.0-only
#include "bugs.h"

[[gnu::externally_visible]] void bugs_write(unsigned char *at, unsigned long index) {
    at[index] = 1;
}

[[gnu::externally_visible]] unsigned int bugs_shift(unsigned int value, unsigned int by) {
    return value << by;
}

[[gnu::externally_visible]] void bugs_count(unsigned int *counter) {
    ++*counter;
}
