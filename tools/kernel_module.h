// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace tools {

// Makes sure that the kernel has the flashcache target, loading the module if need be.  Throws
// Error that says what to do.
void require_flashcache_target();

} // namespace tools
