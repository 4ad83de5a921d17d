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
//
// MODE "bare" is no cache: the load runs on the logged device itself.  What is lost then is lost by
// the log.
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

// How the load of a cache and of the bare device differ.
struct Pace {
    TrafficOptions traffic;
    unsigned marks, mark_every_ms, flush_every; // marks
};
constexpr Pace kOnCache = {{.writers = 3, .readers = 1, .longest = 64}, 30, 60, 3};
// Many flushes at once, and many that are answered for.
constexpr Pace kOnBare = {{.writers = 8, .readers = 0, .longest = 4, .flush_every = 3}, 150, 5, 1};

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

// A loop device over a device.  Of all flushes it sends one at a time, as dm-log-writes needs it:
// that logs the writes that a flush covers when that flush ends.  A second flush, which began later
// and ended earlier, would stand in the log before them, though it says as much about them.
class OneFlushAtATime {
public:
    explicit OneFlushAtATime(const std::string &lower) {
        load_module("loop");
        const std::string out = must({"losetup", "--find", "--show", "--direct-io=on", lower});
        path_ = out.substr(0, out.find('\n'));
    }
    OneFlushAtATime(const OneFlushAtATime &) = delete;
    OneFlushAtATime &operator=(const OneFlushAtATime &) = delete;
    ~OneFlushAtATime() { run({"losetup", "--detach", path_}); }
    const std::string &path() const { return path_; }

private:
    std::string path_;
};

// A disk with a volatile write cache, whose writes are logged.
struct LoggedDisk {
    LoggedDisk(const std::string &name, std::uint64_t sectors, const std::string &log)
        : below("null_" + name, {.mib = static_cast<unsigned>(sectors / 2048), .cache_mib = 64}),
          device(name, sectors, "log-writes " + below.path() + " " + log), top(device.path()) {}
    const std::string &path() const { return top.path(); }
    void mark(unsigned number) const {
        must({"dmsetup", "message", device.name(), "0", "mark", std::to_string(number)});
    }

    NullDisk below;
    Mapped device;
    OneFlushAtATime top;
};

Mode mode_of(const std::string &word) {
    for (const Mode mode : kModes)
        if (status_word(mode) == word)
            return mode;
    throw Failure("there is no mode " + word);
}

class Recorder {
public:
    Recorder(std::string path, const LoggedDisk &first, const LoggedDisk *second)
        : path_(std::move(path)), first_(first), second_(second), file_(path_) {
        marks_.cell_bytes = ledger_.cell_bytes();
    }

    Marks run_load(const Pace &pace) {
        Traffic traffic(path_, ledger_, pace.traffic);
        for (unsigned i = 0; i < pace.marks; i++) {
            pause_ms(pace.mark_every_ms);
            mark(pace.flush_every);
        }
        traffic.stop();
        if (const std::string wrong = traffic.complaint(); !wrong.empty())
            throw Failure(wrong);
        mark(1);
        std::printf("%llu writes, %llu reads\n", (unsigned long long)traffic.writes(),
                    (unsigned long long)traffic.reads());
        return marks_;
    }

private:
    void mark(unsigned flush_every) {
        const auto number = static_cast<unsigned>(marks_.marks.size());
        // A flush of ours makes up for one that the cache forgot.
        if (number % flush_every == 0) {
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

void keep(const Marks &marks, const std::string &path) {
    const std::string bytes = marks.to_bytes();
    Buffer buffer(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer.data());
    const BlockFile file(path);
    file.write(0, buffer);
    file.flush();
}

void record_cache(Mode mode, const std::string &ssd, const std::string &disk,
                  const LoggedDisk &first, const LoggedDisk *second, const std::string &marks) {
    Cache cache;
    cache.create(mode, ssd, disk, {"-s", "4m"});
    cache.set("idle_delay_ms", 50);
    keep(Recorder(cache.path(), first, second).run_load(kOnCache), marks);
    cache.fast_remove();
}

void record(const std::string &mode, const Arguments &paths) {
    load_module("dm-log-writes");
    if (paths.size() > 2) {
        const LoggedDisk ssd("logged", kReplaySsdSectors, paths[0]);
        const LoggedDisk disk("logged2", kReplayDiskSectors, paths[2]);
        return record_cache(mode_of(mode), ssd.path(), disk.path(), ssd, &disk, paths[1]);
    }
    const LoggedDisk both("logged", kReplaySsdSectors + kReplayDiskSectors, paths[0]);
    const std::string slice = "linear " + both.path() + " ";
    const Mapped ssd("ssd", kReplaySsdSectors, slice + "0");
    const Mapped disk("disk", kReplayDiskSectors, slice + std::to_string(kReplaySsdSectors));
    if (mode == "bare")
        keep(Recorder(disk.path(), both, nullptr).run_load(kOnBare), paths[1]);
    else
        record_cache(mode_of(mode), ssd.path(), disk.path(), both, nullptr, paths[1]);
}

} // namespace
} // namespace vm

int main(int argc, char **argv) {
    if (argc < 4 || argc > 5) {
        std::fprintf(stderr, "usage: flashcache_log_writes_load MODE LOG MARKS [DISK-LOG]\n");
        return 2;
    }
    try {
        vm::record(argv[1], vm::Arguments(argv + 2, argv + argc));
    } catch (const std::exception &error) {
        std::fprintf(stderr, "flashcache_log_writes_load: %s\n", error.what());
        return 1;
    }
    return 0;
}
