// SPDX-License-Identifier: GPL-2.0-only
//
// fio, told to verify what it writes.
#pragma once

#include <string>

#include "command.h"

namespace vm {

class Fio {
public:
    // --name and what all jobs have; options are added and win.
    Fio(std::string file, const Arguments &options);

    const Arguments &arguments() const { return arguments_; }
    Fio with(const Arguments &options) const;

    void run(Seconds limit = Seconds(600)) const; // must succeed, and must have verified something
    // What a job that has ended says of itself.
    static void check(const Result &result);

private:
    Arguments arguments_;
};

} // namespace vm
