// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

#include "abi.h"

// What fc_os_job_alloc() gives out; the job comes first.
struct JobMemory {
    fc_job job = {};
    std::string buffer;
};

inline char *job_buffer(fc_job *job) {
    return reinterpret_cast<JobMemory *>(job)->buffer.data();
}
