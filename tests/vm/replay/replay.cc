// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_replay: every state in which a power cut could have left the devices of a cache that a
// machine ran (flashcache_log_writes_load).  The logged writes are replayed up to each flush and FUA
// write; the core opens the cache that is there then, and each cell must hold what was flushed by
// then, or something later.  The same with any part of the writes that were not yet flushed.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "marks.h"
#include "replay_sizes.h"
#include "world.h"
#include "write_log.h"

namespace {

struct Options {
    std::string log, marks, disk_log;
    unsigned mode = FC_MODE_WRITE_BACK;
    unsigned every = 1;
    unsigned parts = 1;
} options;

std::string contents_of(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Counts {
    std::size_t writes = 0, boundaries = 0, tried = 0, parts = 0, dirty = 0;
};

// Do the devices hold a cache whose cells are within the limits?
class Trial {
public:
    explicit Trial(const vm::Marks &marks) : marks_(marks) {}

    // Open what the bytes hold; last: the mark before the cut, next: the one after it.
    void operator()(std::string ssd, std::string disk, std::size_t last, std::size_t next) {
        World world(options.mode, 512, std::move(ssd), std::move(disk));
        ASSERT_EQ(world.open(), FC_OK);
        counts.dirty += world.gauge(FC_GAUGE_DIRTY);
        const std::string bytes = read_all(world);
        const auto &low = marks_.marks[last].flushed;
        const auto &high = marks_.marks[next].begun;
        ASSERT_EQ(vm::judge_cells(0, marks_.cell_bytes,
                                  reinterpret_cast<const unsigned char *>(bytes.data()),
                                  low.size() * marks_.cell_bytes, low.data(), high.data()),
                  "");
    }

    Counts counts;

private:
    static std::string read_all(World &world) {
        fc_core_tune(world.core, FC_TUNE_CACHE_ALL, 0);
        std::string bytes;
        const unsigned step = world.config.chunk_sectors;
        for (fc_u64 at = 0; at < world.config.origin_sectors; at = bytes.size() / 512) {
            // The core may take less than it is asked for, which is never more than a chunk.
            UserRequest &read = world.submit(FC_OP_READ, at, step - static_cast<unsigned>(at % step));
            for (int guard = 0; !read.ended() && guard < 10000; guard++)
                world.finish();
            EXPECT_EQ(read.status, FC_OK);
            bytes += read.data;
        }
        return bytes;
    }

    const vm::Marks &marks_;
};

// One log, of the SSD with the disk behind it.
class Together {
public:
    Together(const vm::WriteLog &log, const vm::Marks &marks)
        : log_(log), trial_(marks), device_((vm::kReplaySsdSectors + vm::kReplayDiskSectors) * 512, '\0'),
          durable_(device_), nr_marks_(marks.marks.size()) {}

    const Counts &run() {
        for (const vm::LoggedWrite &entry : log_.entries()) {
            log_.replay(entry, device_);
            trial_.counts.writes++;
            seen_ += !entry.mark.empty();
            if (entry.is_boundary())
                boundary();
            else
                pending_.push_back(&entry);
            if (testing::Test::HasFatalFailure())
                break;
        }
        EXPECT_EQ(seen_, nr_marks_) << "marks";
        return trial_.counts;
    }

private:
    // All before this is durable; of what came since the boundary before, any part may have been.
    void boundary() {
        trial_.counts.boundaries++;
        if (seen_ > 0 && trial_.counts.boundaries % options.every == 0) {
            SCOPED_TRACE("boundary " + std::to_string(trial_.counts.boundaries) + ", entry " +
                         std::to_string(trial_.counts.writes));
            trial_.counts.tried++;
            attempt(device_);
            for (unsigned i = 0; i < options.parts && pending_.size() > 1; i++)
                some_part();
        }
        durable_ = device_;
        pending_.clear();
    }

    void some_part() {
        std::string device = durable_;
        for (const vm::LoggedWrite *entry : pending_)
            if (random_() % 2 != 0)
                log_.replay(*entry, device);
        SCOPED_TRACE("a part of what was not flushed");
        trial_.counts.parts++;
        attempt(device);
    }

    void attempt(const std::string &device) {
        const std::size_t ssd = vm::kReplaySsdSectors * 512;
        trial_(device.substr(0, ssd), device.substr(ssd), seen_ - 1, std::min(seen_, nr_marks_ - 1));
    }

    const vm::WriteLog &log_;
    Trial trial_;
    std::string device_, durable_;
    std::vector<const vm::LoggedWrite *> pending_; // since the boundary before
    std::size_t seen_ = 0;                         // marks
    const std::size_t nr_marks_;
    std::mt19937 random_{1};
};

// A device that was logged by itself, up to the next mark.
class Alone {
public:
    Alone(const std::string &path, std::uint64_t sectors) : log_(path), device_(sectors * 512, '\0') {}
    bool advance() {
        while (next_ < log_.entries().size()) {
            const vm::LoggedWrite &entry = log_.entries()[next_++];
            if (!entry.mark.empty())
                return true;
            log_.replay(entry, device_);
        }
        return false;
    }
    const std::string &device() const { return device_; }
    std::size_t writes() const { return log_.entries().size(); }

private:
    vm::WriteLog log_;
    std::string device_;
    std::size_t next_ = 0;
};

Counts run_apart(const vm::Marks &marks) {
    Alone ssd(options.log, vm::kReplaySsdSectors), disk(options.disk_log, vm::kReplayDiskSectors);
    Trial trial(marks);
    trial.counts.writes = ssd.writes() + disk.writes();
    for (std::size_t mark = 0; ssd.advance() && disk.advance(); mark++) {
        SCOPED_TRACE("mark " + std::to_string(mark));
        trial.counts.boundaries++, trial.counts.tried++;
        trial(ssd.device(), disk.device(), mark, mark);
        if (testing::Test::HasFatalFailure())
            break;
    }
    EXPECT_EQ(trial.counts.tried, marks.marks.size());
    return trial.counts;
}

TEST(Replay, shows_what_was_flushed_at_each_boundary) {
    const vm::Marks marks = vm::Marks::from_bytes(contents_of(options.marks));
    Counts counts;
    if (options.disk_log.empty())
        counts = Together(vm::WriteLog(options.log), marks).run();
    else
        counts = run_apart(marks);
    std::printf("replayed: %zu entries, %zu boundaries, %zu of them and %zu parts of epochs loaded, "
                "%zu dirty blocks recovered, %zu marks\n",
                counts.writes, counts.boundaries, counts.tried, counts.parts, counts.dirty,
                marks.marks.size());
    EXPECT_GT(counts.tried, 0u);
}

} // namespace

int main(int argc, char **argv) {
    testing::InitGoogleTest(&argc, argv);
    const std::map<std::string, unsigned> modes = {{"write_back", FC_MODE_WRITE_BACK},
                                                   {"write_through", FC_MODE_WRITE_THROUGH},
                                                   {"write_around", FC_MODE_WRITE_AROUND},
                                                   {"write_only", FC_MODE_WRITE_ONLY}};
    CLI::App app("Load a cache as it was at every moment of a log of its writes.");
    app.add_option("--mode", options.mode, "the cache's mode")
        ->transform(CLI::CheckedTransformer(modes));
    app.add_option("--every", options.every, "try each Nth boundary")->check(CLI::PositiveNumber);
    app.add_option("--parts", options.parts,
                   "at each, so many random parts of what was not flushed");
    app.add_option("--disk-log", options.disk_log, "the disk's own log")->check(CLI::ExistingFile);
    app.add_option("log", options.log, "log of SSD and disk, or of the SSD")
        ->required()->check(CLI::ExistingFile);
    app.add_option("marks", options.marks, "what was flushed when")
        ->required()->check(CLI::ExistingFile);
    CLI11_PARSE(app, argc, argv);
    return RUN_ALL_TESTS();
}
