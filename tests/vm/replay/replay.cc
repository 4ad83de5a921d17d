// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_replay: every state in which a power cut could have left the devices of a cache that a
// machine ran (flashcache_log_writes_load).  The logged writes are replayed up to each flush and FUA
// write; the core opens the cache that is there then, and each cell must hold what was flushed by
// then, or something later.  The same with random parts of the writes that were not yet flushed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "marks.h"
#include "replay_sizes.h"
#include "world.h"
#include "write_log.h"

namespace {

struct Options {
    std::string log, marks, disk_log, check;
    unsigned mode = FC_MODE_WRITE_BACK;
    bool bare = false; // no cache: the disk was written to
    std::size_t ssd_bytes = vm::kReplaySsdSectors * 512, disk_bytes = vm::kReplayDiskSectors * 512;
    unsigned every = 1;
    unsigned parts = 1;
} options;

std::string contents_of(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_to(const std::string &path, const std::string &bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.flush()) << path << " cannot be written";
}

struct Counts {
    std::size_t writes = 0, boundaries = 0, tried = 0, parts = 0, dirty = 0;
};

// Do the devices hold a cache that shows what it must?
class Trial {
public:
    Trial() {
        if (!options.marks.empty())
            marks_ = vm::Marks::from_bytes(contents_of(options.marks));
    }
    std::size_t nr_marks() const { return marks_.marks.size(); }

    // Open what the bytes hold; seen: how many marks stand before the cut.
    void operator()(const std::string &ssd, const std::string &disk, std::size_t seen) {
        if (options.bare)
            return judge(disk, seen);
        World world(options.mode, 512, ssd, disk);
        ASSERT_EQ(world.open(), FC_OK);
        counts.dirty += world.gauge(FC_GAUGE_DIRTY);
        const std::string bytes = read_all(world);
        if (options.check.empty())
            judge(bytes, seen);
        else
            ask(ssd, disk, bytes, seen);
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

    // Between the last mark that was seen and the next one.
    void judge(const std::string &bytes, std::size_t seen) const {
        const auto &low = marks_.marks[seen - 1].flushed;
        const auto &high = marks_.marks[std::min(seen, nr_marks() - 1)].begun;
        ASSERT_EQ(vm::judge_cells(0, marks_.cell_bytes,
                                  reinterpret_cast<const unsigned char *>(bytes.data()),
                                  low.size() * marks_.cell_bytes, low.data(), high.data()),
                  "");
    }

    static void ask(const std::string &ssd, const std::string &disk, const std::string &bytes,
                    std::size_t seen) {
        write_to("ssd", ssd);
        write_to("disk", disk);
        write_to("image", bytes);
        const std::string command = options.check + " " + std::to_string(seen - 1);
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }

    vm::Marks marks_;
};

// One log, of the SSD with the disk behind it.
class Together {
public:
    explicit Together(const vm::WriteLog &log)
        : log_(log), device_(options.ssd_bytes + options.disk_bytes, '\0'), durable_(device_) {}

    const Counts &run() {
        for (const vm::LoggedWrite &entry : log_.entries()) {
            log_.replay(entry, device_);
            trial_.counts.writes++;
            pending_.push_back(&entry);
            if (entry.is_boundary())
                boundary();
            else if (!entry.mark.empty())
                mark();
            if (testing::Test::HasFatalFailure())
                break;
        }
        if (options.check.empty()) {
            EXPECT_EQ(seen_, trial_.nr_marks()) << "marks";
        }
        return trial_.counts;
    }

private:
    // What the load knew to be flushed when it set the mark stands in the log by now.
    void mark() {
        seen_++;
        SCOPED_TRACE("mark " + std::to_string(seen_ - 1) + ", entry " +
                     std::to_string(trial_.counts.writes));
        attempt(device_);
    }

    // All before this is durable; of what came since the boundary before, any part may have been.
    void boundary() {
        trial_.counts.boundaries++;
        if (seen_ > 0 && trial_.counts.boundaries % options.every == 0) {
            SCOPED_TRACE("boundary " + std::to_string(trial_.counts.boundaries) + ", entry " +
                         std::to_string(trial_.counts.writes));
            trial_.counts.tried++;
            attempt(device_);
            for (unsigned i = 0; i < options.parts && pending_.size() > 2; i++)
                some_part();
        }
        for (const vm::LoggedWrite *entry : pending_)
            log_.replay(*entry, durable_);
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
        trial_(device.substr(0, options.ssd_bytes), device.substr(options.ssd_bytes), seen_);
    }

    const vm::WriteLog &log_;
    Trial trial_;
    std::string device_, durable_; // the SSD, and the disk behind it
    std::vector<const vm::LoggedWrite *> pending_; // since the boundary before; the last may be one
    std::size_t seen_ = 0;                         // marks
    std::mt19937 random_{1};
};

// A device that was logged by itself, up to the next mark.
class Alone {
public:
    Alone(const std::string &path, std::size_t bytes) : log_(path), device_(bytes, '\0') {}
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

Counts run_apart() {
    Alone ssd(options.log, options.ssd_bytes), disk(options.disk_log, options.disk_bytes);
    Trial trial;
    trial.counts.writes = ssd.writes() + disk.writes();
    for (std::size_t seen = 1; ssd.advance() && disk.advance(); seen++) {
        SCOPED_TRACE("mark " + std::to_string(seen - 1));
        trial.counts.boundaries++, trial.counts.tried++;
        trial(ssd.device(), disk.device(), seen);
        if (testing::Test::HasFatalFailure())
            break;
    }
    EXPECT_EQ(trial.counts.tried, trial.nr_marks());
    return trial.counts;
}

TEST(Replay, shows_what_was_flushed_at_each_boundary) {
    const Counts counts =
        options.disk_log.empty() ? Together(vm::WriteLog(options.log)).run() : run_apart();
    std::printf("replayed: %zu entries, %zu boundaries, %zu of them and %zu parts of epochs loaded, "
                "%zu dirty blocks recovered\n",
                counts.writes, counts.boundaries, counts.tried, counts.parts, counts.dirty);
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
    app.add_flag("--bare", options.bare, "there is no cache: judge the disk as it is");
    app.add_option("--every", options.every, "try each Nth boundary")->check(CLI::PositiveNumber);
    app.add_option("--parts", options.parts,
                   "at each, so many random parts of what was not flushed");
    const CLI::AsSizeValue size(false);
    app.add_option("--ssd", options.ssd_bytes, "size of the SSD, e.g. 16MiB")->transform(size);
    app.add_option("--disk", options.disk_bytes, "size of the disk")->transform(size);
    app.add_option("--disk-log", options.disk_log, "the disk's own log")->check(CLI::ExistingFile);
    auto *marks = app.add_option("--marks", options.marks, "what was flushed when (marks.h)");
    app.add_option("--check", options.check,
                   "instead: a command that judges the files ssd, disk and image (the disk as it is "
                   "read through the cache) here; its last argument: the mark seen last")
        ->excludes(marks);
    app.add_option("log", options.log, "log of SSD and disk, or of the SSD")
        ->required()->check(CLI::ExistingFile);
    CLI11_PARSE(app, argc, argv);
    if (options.marks.empty() && options.check.empty())
        return std::fputs("flashcache_replay: give --marks or --check\n", stderr), 2;
    return RUN_ALL_TESTS();
}
