// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_log_writes_load MODE LOG MARKS [DISK-LOG]: a load on a cache whose devices log all
// writes (dm-log-writes), for flashcache_replay on the host.
//
//   LOG        device for the log of the SSD's and the disk's writes
//   MARKS      device for what was flushed when (marks.h)
//   DISK-LOG   log the disk's writes here by themselves.  One log for both orders the writes of both
//              and makes a flush of one a flush of the other; two do not, but only at a mark, where
//              both stand still, is known what belongs together.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>

#include "cache.h"
#include "devices.h"
#include "marks.h"
#include "replay_sizes.h"
#include "traffic.h"

namespace vm {
namespace {

constexpr unsigned kMarks = 30;
constexpr unsigned kMarkEveryMs = 60;
constexpr unsigned kFlushEvery = 3; // marks

// A dm device for as long as it is in scope.
class Mapped {
public:
    Mapped(std::string name, std::uint64_t sectors, const std::string &target)
        : name_(std::move(name)) {
        must({"dmsetup", "create", name_, "--table",
              "0 " + std::to_string(sectors) + " " + target});
    }
    Mapped(const Mapped &) = delete;
    Mapped &operator=(const Mapped &) = delete;
    ~Mapped() { run({"dmsetup", "remove", "--retry", name_}); }
    const std::string &name() const { return name_; }
    std::string path() const { return "/dev/mapper/" + name_; }

private:
    std::string name_;
};

// A disk with a volatile write cache, whose writes are logged.
struct LoggedDisk {
    LoggedDisk(const std::string &name, std::uint64_t sectors, const std::string &log)
        : below("null_" + name, {.mib = static_cast<unsigned>(sectors / 2048), .cache_mib = 64}),
          device(name, sectors, "log-writes " + below.path() + " " + log) {}
    void mark(unsigned number) const {
        must({"dmsetup", "message", device.name(), "0", "mark", std::to_string(number)});
    }

    NullDisk below;
    Mapped device;
};

Mode mode_of(const std::string &word) {
    for (const Mode mode : kModes)
        if (status_word(mode) == word)
            return mode;
    throw Failure("there is no mode " + word);
}

class Recorder {
public:
    Recorder(const Cache &cache, const LoggedDisk &first, const LoggedDisk *second)
        : path_(cache.path()), first_(first), second_(second), file_(path_) {
        marks_.cell_bytes = ledger_.cell_bytes();
    }

    Marks run_load() {
        Traffic traffic(path_, ledger_, {.writers = 3, .readers = 1, .longest = 64});
        for (unsigned i = 0; i < kMarks; i++) {
            pause_ms(kMarkEveryMs);
            mark();
        }
        traffic.stop();
        if (const std::string wrong = traffic.complaint(); !wrong.empty())
            throw Failure(wrong);
        mark();
        std::printf("%llu writes, %llu reads\n", (unsigned long long)traffic.writes(),
                    (unsigned long long)traffic.reads());
        return marks_;
    }

private:
    void mark() {
        const auto number = static_cast<unsigned>(marks_.marks.size());
        // A flush of ours makes up for one that the cache forgot.
        if (number % kFlushEvery == 0) {
            auto covered = ledger_.begin_flush();
            file_.flush();
            flushed_ = std::move(covered);
        }
        hold();
        first_.mark(number);
        if (second_ != nullptr)
            second_->mark(number);
        release();
        marks_.marks.push_back({flushed_, ledger_.begun()});
    }

    // When the disk stands still before the SSD does, the two are as they were at one moment.
    void hold() {
        for (const LoggedDisk *disk : {second_, &first_})
            if (second_ != nullptr)
                must({"dmsetup", "suspend", "--noflush", "--nolockfs", disk->device.name()});
    }
    void release() {
        for (const LoggedDisk *disk : {&first_, second_})
            if (second_ != nullptr)
                must({"dmsetup", "resume", disk->device.name()});
    }

    const std::string path_;
    const LoggedDisk &first_;
    const LoggedDisk *second_;
    BlockFile file_;
    Ledger ledger_{kReplayCells, kReplayCellBytes};
    std::vector<std::uint32_t> flushed_;
    Marks marks_;
};

void record(Mode mode, const Arguments &paths) {
    must({"modprobe", "dm-log-writes"});
    const bool apart = paths.size() > 2;
    const LoggedDisk first("logged", kReplaySsdSectors + (apart ? 0 : kReplayDiskSectors), paths[0]);
    std::unique_ptr<LoggedDisk> second;
    std::unique_ptr<Mapped> ssd, disk;
    if (apart) {
        second = std::make_unique<LoggedDisk>("logged2", kReplayDiskSectors, paths[2]);
    } else {
        ssd = std::make_unique<Mapped>("ssd", kReplaySsdSectors, "linear " + first.device.path() + " 0");
        disk = std::make_unique<Mapped>("disk", kReplayDiskSectors,
                                        "linear " + first.device.path() + " " +
                                            std::to_string(kReplaySsdSectors));
    }
    Cache cache;
    cache.create(mode, apart ? first.device.path() : ssd->path(),
                 apart ? second->device.path() : disk->path(), {"-s", "4m"});
    cache.set("idle_delay_ms", 50);
    const std::string bytes = Recorder(cache, first, second.get()).run_load().to_bytes();
    Buffer buffer(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer.data());
    const BlockFile file(paths[1]);
    file.write(0, buffer);
    file.flush();
    cache.fast_remove();
}

} // namespace
} // namespace vm

int main(int argc, char **argv) {
    if (argc < 4 || argc > 5) {
        std::fprintf(stderr, "usage: flashcache_log_writes_load MODE LOG MARKS [DISK-LOG]\n");
        return 2;
    }
    try {
        vm::record(vm::mode_of(argv[1]), vm::Arguments(argv + 2, argv + argc));
    } catch (const std::exception &error) {
        std::fprintf(stderr, "flashcache_log_writes_load: %s\n", error.what());
        return 1;
    }
    return 0;
}
