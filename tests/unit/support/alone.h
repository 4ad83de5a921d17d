// SPDX-License-Identifier: GPL-2.0-only
// For the thread-safety analysis: a test of one part of the core has one thread, and no locks.
#ifndef FLASHCACHE_TESTS_UNIT_ALONE_H
#define FLASHCACHE_TESTS_UNIT_ALONE_H

#include "thread_annotations.h"

class FC_SCOPED_CAPABILITY Alone {
public:
    Alone() FC_ACQUIRE(fc::set_lock, fc::log_lock) {}
    ~Alone() FC_RELEASE() {}
    Alone(const Alone &) = delete;
    Alone &operator=(const Alone &) = delete;
};

#endif
