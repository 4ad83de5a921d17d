// SPDX-License-Identifier: GPL-2.0-only
#include "fio.h"

#include <cstdint>

#include <nlohmann/json.hpp>

namespace vm {

Fio::Fio(std::string file, const Arguments &options)
    : arguments_{"fio",
                 "--name=verify",
                 "--filename=" + file,
                 "--direct=1",
                 "--ioengine=libaio",
                 "--verify=crc32c",
                 "--verify_fatal=1",
                 "--verify_state_save=0",
                 "--randrepeat=1",
                 "--allrandrepeat=1",
                 "--output-format=json"} {
    arguments_.insert(arguments_.end(), options.begin(), options.end());
}

Fio Fio::with(const Arguments &options) const {
    Fio other = *this;
    other.arguments_.insert(other.arguments_.end(), options.begin(), options.end());
    return other;
}

void Fio::check(const Result &result) {
    if (result.status != 0)
        throw Failure("fio: status " + std::to_string(result.status) + ": " + result.output);
    const auto start = result.output.find('{');
    if (start == std::string::npos)
        throw Failure("fio says nothing: " + result.output);
    const auto report = nlohmann::json::parse(result.output.substr(start), nullptr, false);
    if (report.is_discarded())
        throw Failure("fio's report cannot be read: " + result.output);
    std::uint64_t verified = 0;
    for (const auto &job : report.at("jobs")) {
        if (job.at("error").get<int>() != 0)
            throw Failure("fio: " + result.output);
        verified += job.at("read").at("io_kbytes").get<std::uint64_t>();
    }
    if (verified == 0)
        throw Failure("fio has verified nothing: " + result.output);
}

void Fio::run(Seconds limit) const {
    const Result result = vm::run(arguments_, limit);
    if (result.status != 0)
        throw Failure(joined(arguments_) + ": status " + std::to_string(result.status) + ": " +
                      result.output);
    check(result);
}

} // namespace vm
