// SPDX-License-Identifier: GPL-2.0-only
//
// get_agsize: an allocation group size for mkfs.xfs on a cached volume.

#include "allocation_groups.h"
#include "error.h"
#include "options.h"

namespace tools {
namespace {

void run(int argc, const char *const *argv) {
    const AgsizeOptions options = parse_agsize_options(argc, argv);
    const std::vector<Agsize> sizes = possible_agsizes(options.cache_gb, options.volume_gb);
    if (sizes.empty())
        refuse("a volume of {} GB cannot have 1 to 29 groups of 16 GB to 1 TB; leave the size to "
               "mkfs.xfs",
               options.volume_gb);
    if (options.verbose)
        for (const Agsize &size : sizes)
            fmt::print("agsize = {} agcount={} gap = {}\n", size.size_gb, size.count, size.gap_gb);
    const Agsize &best = best_agsize(sizes);
    fmt::print("best agsize = {} agcount={}\n", best.size_gb, best.count);
}

} // namespace
} // namespace tools

int main(int argc, char **argv) {
    return tools::run_tool("get_agsize", argc, argv, tools::run);
}
