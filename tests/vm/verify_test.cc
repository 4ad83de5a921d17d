// SPDX-License-Identifier: GPL-2.0-only
//
// fio writes and reads back, with a cache of a quarter of the data, and all of it must be on the
// disk in the end.
#include <gtest/gtest.h>

#include "fio.h"
#include "rig.h"

namespace vm {
namespace {

constexpr DiskOptions kVerifySsd = {.mib = 24};
constexpr DiskOptions kVerifyDisk = {.mib = 64};
const Arguments kQuarter = {"-s", std::to_string(effort(16)) + "m"};

// Four jobs, each on its quarter of the disk; 32 requests in flight each.
Fio on_separate_ranges(const std::string &path, const Arguments &options) {
    return Fio(path, {"--numjobs=4", "--size=" + std::to_string(effort(12)) + "m",
                      "--offset_increment=16m", "--iodepth=32",
                      "--verify_backlog=256", "--group_reporting"})
        .with(options);
}

// What fio is to do; the second time it only verifies.
struct Work {
    const char *name;
    const char *order;
    const char *sizes;
};

std::ostream &operator<<(std::ostream &out, const Work &work) {
    return out << work.name;
}

constexpr Work kWork[] = {
    {"blocks at random", "randwrite", "--bs=4k"},
    {"blocks in order", "write", "--bs=4k"},
    {"all sizes at random", "randwrite",
     "--bssplit=512/15:1536/15:3k/10:4k/20:12k/15:68k/15:256k/10"},
    {"all sizes in order", "write", "--bssplit=512/15:1536/15:3k/10:4k/20:12k/15:68k/15:256k/10"},
};

Fio work_on(const std::string &path, const Work &work) {
    return on_separate_ranges(path, {std::string("--rw=") + work.order, work.sizes});
}

class Verify : public testing::TestWithParam<std::tuple<Mode, Work>> {};

std::string name_of(const testing::TestParamInfo<std::tuple<Mode, Work>> &test) {
    std::string name = status_word(std::get<0>(test.param)) + "_" + std::get<1>(test.param).name;
    for (char &c : name)
        c = c == ' ' ? '_' : c;
    return name;
}

INSTANTIATE_TEST_SUITE_P(, Verify,
                         testing::Combine(testing::ValuesIn(kModes), testing::ValuesIn(kWork)),
                         name_of);

TEST_P(Verify, fio_reads_what_it_wrote) {
    const auto &[mode, work] = GetParam();
    Rig rig(kVerifySsd, kVerifyDisk);
    rig.create(mode, kQuarter);
    work_on(rig.cache.path(), work).run();
    const Status status = rig.cache.status();
    EXPECT_EQ(status.word("state"), "ok");
    EXPECT_LE(status["blocks"], effort(16) * 256);
    rig.cache.remove();
    // The same work again, but only its reads, on the disk alone.
    work_on(rig.disk.path(), work).with({"--verify_only"}).run();
}

TEST(VerifyTwo, caches_at_once_do_not_disturb_each_other) {
    Rig first(kVerifySsd, kVerifyDisk, "0");
    Rig second(kVerifySsd, kVerifyDisk, "1");
    for (const Mode mode : kModes) {
        SCOPED_TRACE(status_word(mode));
        first.create(Mode::kBack, kQuarter);
        second.create(mode, kQuarter);
        const Work &work = kWork[2];
        Background one(work_on(first.cache.path(), work).with({"--numjobs=2"}).arguments());
        Background two(work_on(second.cache.path(), work).with({"--numjobs=2"}).arguments());
        Fio::check(one.wait(Seconds(600)));
        Fio::check(two.wait(Seconds(600)));
        for (Rig *rig : {&first, &second}) {
            rig->cache.remove();
            work_on(rig->disk.path(), work).with({"--numjobs=2", "--verify_only"}).run();
            must({"flashcache_destroy", rig->ssd.path()});
        }
    }
}

} // namespace
} // namespace vm
