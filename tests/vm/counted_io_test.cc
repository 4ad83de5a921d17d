// SPDX-License-Identifier: GPL-2.0-only
//
// What a user's I/O costs: I/Os that reach each device, and memory that is allocated.  Times in
// an emulated machine are noise; these numbers are not.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kLarge = 128 * kKiB;
constexpr std::uint64_t kRequests = 64;
constexpr unsigned kNew = 2;

struct Cost {
    DeviceIo ssd;
    DeviceIo disk;
};

class CountedIo : public testing::TestWithParam<Mode> {
protected:
    using Work = std::function<void(const BlockFile &)>;

    // What the work costs on the cache, with what it leaves to be done behind it.
    Cost cost(const char *what, const Work &work) const {
        rig_.cache.settle();
        const DeviceIo ssd = io_of(rig_.ssd.name());
        const DeviceIo disk = io_of(rig_.disk.name());
        work(BlockFile(rig_.cache.path()));
        rig_.cache.settle();
        const Cost got = {io_of(rig_.ssd.name()) - ssd, io_of(rig_.disk.name()) - disk};
        std::printf("%s, %s:\n  SSD  %s\n  disk %s\n", status_word(GetParam()).c_str(), what,
                    to_text(got.ssd).c_str(), to_text(got.disk).c_str());
        return got;
    }
    // The same work on a bare disk of the same kind.
    static DeviceIo bare(const Work &work) {
        const NullDisk disk("bare", kDisk);
        const DeviceIo before = io_of(disk.name());
        work(BlockFile(disk.path()));
        const DeviceIo got = io_of(disk.name()) - before;
        std::printf("  bare %s\n", to_text(got).c_str());
        return got;
    }
    void create() {
        rig_.create(GetParam());
        rig_.cache.keep_dirty();
    }
    static bool fills() { return GetParam() != Mode::kWriteOnly; }

    Rig rig_;
};
INSTANTIATE_TEST_SUITE_P(, CountedIo, testing::ValuesIn(kModes), testing::PrintToStringParamName());

void read_large(const BlockFile &file) {
    for (std::uint64_t i = 0; i < kRequests; i++)
        file.read(i * kLarge, kLarge);
}

void write_large(const BlockFile &file) {
    for (std::uint64_t i = 0; i < kRequests; i++)
        file.put(i * kLarge, kLarge, kNew);
}

TEST_P(CountedIo, a_large_read_miss_is_one_read_and_at_most_one_fill) {
    create();
    const Cost got = cost("128 KiB read misses", read_large);
    const DeviceIo bare_io = bare(read_large);
    EXPECT_EQ(bare_io.reads, kRequests);
    EXPECT_EQ(got.disk.reads, bare_io.reads);
    EXPECT_EQ(got.disk.read_sectors, bare_io.read_sectors);
    EXPECT_EQ(got.disk.writes, 0u);
    EXPECT_EQ(got.ssd.reads, 0u);
    EXPECT_LE(got.ssd.writes, fills() ? kRequests : 0u); // fewer: the kernel merges some
    EXPECT_EQ(got.ssd.write_sectors, fills() ? bare_io.read_sectors : 0u);
}

TEST_P(CountedIo, a_large_read_hit_is_one_read_of_the_ssd) {
    create();
    cost("before", GetParam() == Mode::kWriteOnly ? Work(write_large) : Work(read_large));
    const Cost got = cost("128 KiB read hits", read_large);
    EXPECT_EQ(got.ssd.reads, kRequests);
    EXPECT_EQ(got.ssd.read_sectors, kRequests * kLarge / 512);
    EXPECT_EQ(got.ssd.writes, 0u);
    EXPECT_EQ(got.disk.all(), 0u);
}

TEST_P(CountedIo, a_large_write_is_one_write_to_each_device_that_gets_it) {
    create();
    const Cost got = cost("128 KiB writes", write_large);
    const DeviceIo bare_io = bare(write_large);
    EXPECT_EQ(bare_io.writes, kRequests);
    const bool back = keeps_dirty(GetParam());
    EXPECT_EQ(got.disk.writes, back ? 0u : kRequests);
    EXPECT_EQ(got.disk.write_sectors, back ? 0u : bare_io.write_sectors);
    EXPECT_EQ(got.disk.reads + got.ssd.reads, 0u);
    if (back) { // and a record in the log for each, 16 bytes a block
        EXPECT_LE(got.ssd.writes, 2 * kRequests + 4);
        EXPECT_LE(got.ssd.write_sectors, bare_io.write_sectors * 102 / 100);
    } else {
        EXPECT_EQ(got.ssd.writes, GetParam() == Mode::kThru ? kRequests : 0u);
    }
}

TEST_P(CountedIo, a_large_overwrite_of_dirty_blocks_is_one_write) {
    if (!keeps_dirty(GetParam()))
        return;
    create();
    write_large(BlockFile(rig_.cache.path()));
    write_large(BlockFile(rig_.cache.path())); // all records are confirmed now
    const Cost got = cost("128 KiB overwrites", write_large);
    EXPECT_EQ(got.ssd.writes, kRequests);
    EXPECT_EQ(got.ssd.write_sectors, kRequests * kLarge / 512);
    EXPECT_EQ(got.ssd.reads + got.disk.all(), 0u);
}

// ---- small writes: what the log costs

unsigned random_mib() {
    return effort(8);
}

// 4 KiB random writes by fio, each block once.
void write_at_random(const std::string &path, unsigned depth) {
    must({"fio", "--name=w", "--filename=" + path, "--direct=1", "--ioengine=libaio", "--bs=4k",
          "--rw=randwrite", "--size=" + std::to_string(random_mib()) + "m", "--randrepeat=1",
          "--iodepth=" + std::to_string(depth)});
}

struct LogCase {
    unsigned depth;
    double most; // SSD writes per write
};

double per_write(std::uint64_t n) {
    return static_cast<double>(n) / static_cast<double>(random_mib() * kMiB / kBlock);
}

class LogCost : public testing::TestWithParam<LogCase> {
protected:
    DeviceIo cost(const char *what) const {
        rig_.cache.settle();
        const DeviceIo before = io_of(rig_.ssd.name());
        write_at_random(rig_.cache.path(), GetParam().depth);
        rig_.cache.settle();
        const DeviceIo got = io_of(rig_.ssd.name()) - before;
        std::printf("iodepth %u, 4 KiB random writes %s: %.3f SSD writes, %.3f bytes per byte\n",
                    GetParam().depth, what, per_write(got.writes),
                    per_write(got.write_sectors * 512) / kBlock);
        return got;
    }

    // An SSD that takes its time, as real ones do, so that requests are in flight together; of a
    // size that gives the log room.
    Rig rig_{{.mib = 1024, .delay_us = 2000}, kDisk};
};

std::string name_of(const testing::TestParamInfo<LogCase> &test) {
    return "iodepth_" + std::to_string(test.param.depth);
}

INSTANTIATE_TEST_SUITE_P(, LogCost, testing::Values(LogCase{1, 2.05}, LogCase{32, 1.3}), name_of);

TEST_P(LogCost, of_small_writes_is_shared_by_those_in_flight_together) {
    rig_.create(Mode::kBack);
    rig_.cache.keep_dirty();
    const DeviceIo first = cost("to a clean cache");
    const Status status = rig_.cache.status();
    std::printf("%llu of %llu records shared a log write; %llu checkpoints\n",
                (unsigned long long)status["metadata_batch"],
                (unsigned long long)status["metadata_dirties"],
                (unsigned long long)status["checkpoints"]);
    // With checkers a write takes longer than the SSD: there are no others in flight.
    if (GetParam().depth == 1 || !has_checkers()) {
        EXPECT_LE(per_write(first.writes), GetParam().most);
    }
    cost("to dirty blocks");
    const DeviceIo over = cost("to confirmed dirty blocks");
    EXPECT_EQ(over.write_sectors, random_mib() * kMiB / 512) << "exactly the data";
    EXPECT_LE(over.writes, random_mib() * kMiB / kBlock) << "one write each; the kernel merges some";
}

// ---- allocations

// Which allocators run inside of the module's functions, by the kernel's own function graph.
class Tracer {
public:
    Tracer() {
        stop();
        set("set_ftrace_filter", joined(kEntries) + " " + joined(kAllocators));
        set("set_graph_function", joined(kEntries));
        set("current_tracer", "function_graph");
        set("trace", "");
        set("tracing_on", "1");
    }
    ~Tracer() { stop(); }
    Tracer(const Tracer &) = delete;
    Tracer &operator=(const Tracer &) = delete;

    // The calls seen, and those of allocators among them.
    std::string end() {
        set("tracing_on", "0");
        return read_file(kTracing + "trace");
    }
    static unsigned count(const std::string &trace, const Arguments &functions) {
        unsigned n = 0;
        for (const std::string &line : lines(trace))
            for (const std::string &function : functions)
                n += line.find(" " + function + "();") != std::string::npos ||
                     line.find(" " + function + "() {") != std::string::npos ||
                     line.find(" " + function + " [flashcache]();") != std::string::npos ||
                     line.find(" " + function + " [flashcache]() {") != std::string::npos;
        return n;
    }

    static bool works() { return exists(kTracing + "set_graph_function"); }

    static const Arguments kEntries;
    static const Arguments kAllocators;

private:
    inline static const std::string kTracing = "/sys/kernel/tracing/";

    static void set(const std::string &file, const std::string &text) {
        // Kernels differ in which allocators there are: names that are unknown are refused singly.
        if (words(text).size() < 2) {
            try_write_file(kTracing + file, text + "\n");
            return;
        }
        try_write_file(kTracing + file, "");
        for (const std::string &word : words(text))
            append(file, word);
    }
    static void append(const std::string &file, const std::string &word) {
        run({"dd", "of=" + kTracing + file, "oflag=append", "conv=notrunc", "status=none"}, kLimit,
            word + "\n");
    }
    static void stop() {
        set("tracing_on", "0");
        set("current_tracer", "nop");
        set("set_graph_function", "");
        set("set_ftrace_filter", "");
    }
};

const Arguments Tracer::kEntries = {"fc_map", "fc_end_io"};
const Arguments Tracer::kAllocators = {
    "mempool_alloc",           "kmem_cache_alloc",      "__kmalloc",
    "kmalloc_trace",           "kmem_cache_alloc_node", "__kmalloc_node",
    "kmem_cache_alloc_noprof", "mempool_alloc_noprof",  "__kmalloc_noprof",
    "__kmalloc_cache_noprof",  "__alloc_pages",         "__alloc_pages_noprof",
    "bio_alloc_bioset",        "bio_alloc_clone",       "get_free_pages"};

TEST_P(CountedIo, a_small_hit_allocates_nothing) {
    if (!Tracer::works())
        GTEST_SKIP() << "this kernel has no function graph tracer";
    create();
    const BlockFile file(rig_.cache.path());
    const auto touch = [&](std::uint64_t at) {
        if (fills())
            file.read(at, kBlock);
        else
            file.put(at, kBlock, kNew);
        rig_.cache.settle();
    };
    std::string trace;
    {
        Tracer tracer;
        touch(0);
        trace = tracer.end();
    }
    EXPECT_GT(Tracer::count(trace, {"fc_map"}), 0u) << trace;
    EXPECT_GT(Tracer::count(trace, Tracer::kAllocators), 0u)
        << "a miss allocates: the tracer would see nothing\n"
        << trace;
    {
        Tracer tracer;
        for (unsigned i = 0; i < 20; i++)
            file.read(0, kBlock);
        trace = tracer.end();
    }
    EXPECT_GE(Tracer::count(trace, {"fc_map"}), 20u);
    EXPECT_EQ(Tracer::count(trace, Tracer::kAllocators), 0u) << trace;
    if (!keeps_dirty(GetParam()))
        return;
    for (unsigned i = 0; i < 2; i++)
        file.put(0, kBlock, kNew); // dirty, and its record confirmed
    {
        Tracer tracer;
        for (unsigned i = 0; i < 20; i++)
            file.put(0, kBlock, kNew);
        trace = tracer.end();
    }
    EXPECT_GE(Tracer::count(trace, {"fc_map"}), 20u);
    EXPECT_EQ(Tracer::count(trace, Tracer::kAllocators), 0u) << trace;
}

} // namespace
} // namespace vm
