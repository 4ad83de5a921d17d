// SPDX-License-Identifier: GPL-2.0-only
//
// The core as one object for the kernel module: two C++ objects that both emit an inline function
// would leave the kernel's tables pointing into the copy that the linker throws away.
// User space compiles the files one by one.
#include "cache.cc"
#include "cache_set.cc"
#include "checkpoint.cc"
#include "close.cc"
#include "commit.cc"
#include "decide.cc"
#include "decide_read.cc"
#include "decide_write.cc"
#include "errors.cc"
#include "fingerprint.cc"
#include "flush.cc"
#include "geometry.cc"
#include "home_table.cc"
#include "log.cc"
#include "log_client.cc"
#include "map.cc"
#include "range.cc"
#include "read.cc"
#include "recovery.cc"
#include "status.cc"
#include "superblock.cc"
#include "wait.cc"
#include "write.cc"
#include "writeback.cc"
