// SPDX-License-Identifier: GPL-2.0-only
//
// Names for clang's thread-safety analysis (-Wthread-safety); nothing with other compilers.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#if defined(__clang__)
#define FC_TSA(x) __attribute__((x))
#else
#define FC_TSA(x)
#endif

#define FC_CAPABILITY(name) FC_TSA(capability(name))
#define FC_SCOPED_CAPABILITY FC_TSA(scoped_lockable)
#define FC_GUARDED_BY(x) FC_TSA(guarded_by(x))
#define FC_REQUIRES(...) FC_TSA(requires_capability(__VA_ARGS__))
#define FC_EXCLUDES(...) FC_TSA(locks_excluded(__VA_ARGS__))
#define FC_ACQUIRE(...) FC_TSA(acquire_capability(__VA_ARGS__))
#define FC_RELEASE(...) FC_TSA(release_capability(__VA_ARGS__))

namespace fc {

// The locks themselves are the surroundings'; these stand for them in the analysis.  There are
// many set locks and one token: the analysis sees that one is held, the guard says which.
class FC_CAPABILITY("lock") LockToken {
};

extern LockToken set_lock;		// of the set in question
extern LockToken log_lock;
extern LockToken queue_lock;
extern LockToken writeback_lock;

} // namespace fc
