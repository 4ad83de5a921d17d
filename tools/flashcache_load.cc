// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_load: start a cache that exists on an SSD.

#include "error.h"
#include "load_cache.h"
#include "options.h"

namespace {

void load(int argc, const char *const *argv) {
    tools::load_cache(tools::parse_load_options(argc, argv));
}

} // namespace

int main(int argc, char **argv) {
    return tools::run_tool("flashcache_load", argc, argv, load);
}
