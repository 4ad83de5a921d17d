// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's fault injection, aimed at one system call of this thread; and device-mapper's
// calls without a library, so that nothing else allocates meanwhile.
#pragma once

#include <string>

namespace vm {

// Needs CONFIG_FAULT_INJECTION, FAILSLAB, FAIL_PAGE_ALLOC and FAIL_MAKE_REQUEST.  As long as it
// lives, allocations that may sleep can fail, too.
class Faults {
public:
    static bool available();
    Faults();
    ~Faults();
    Faults(const Faults &) = delete;
    Faults &operator=(const Faults &) = delete;

    // Run a call, in which the nth allocation or request fails, from 1.  True if it came so far.
    template <typename Call> bool in(unsigned nth, Call call) const {
        set_nth(nth);
        call();
        const bool reached = left() == 0;
        set_nth(0);
        return reached;
    }

private:
    void set_nth(unsigned nth) const;
    unsigned left() const;

    int file_;
};

// Each returns errno, 0 for success.
class Mapper {
public:
    explicit Mapper(std::string name);
    ~Mapper();
    Mapper(const Mapper &) = delete;
    Mapper &operator=(const Mapper &) = delete;

    int create() const;
    int load(const std::string &table) const; // "0 SECTORS TARGET WORDS..."
    int suspend() const;
    int resume() const;
    int remove() const;

private:
    int call(unsigned long command, unsigned flags, const std::string &table = "") const;

    std::string name_;
    int control_;
};

} // namespace vm
