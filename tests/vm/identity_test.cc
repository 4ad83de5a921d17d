// SPDX-License-Identifier: GPL-2.0-only
//
// A cache is loaded with the disk that it belongs to, unchanged, or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block_file.h"
#include "rig.h"
#include "system.h"

namespace vm {
namespace {

using testing::HasSubstr;

constexpr unsigned kOld = 1;
constexpr unsigned kNew = 2;
constexpr const char *kUuid = "TEST-disk-of-the-cache";

class Identity : public testing::TestWithParam<Mode> {
protected:
    // Disks that have an identity.
    Identity() : disk_(std::make_unique<Switch>("disk", below_.path(), below_.sectors(), kUuid)) {}

    void make_cache() {
        cache_.create(GetParam(), ssd_.path(), disk_->path());
        cache_.keep_dirty();
        BlockFile(cache_.path()).put(kMiB, kMiB, kNew);
    }
    void expect_refused(const Arguments &options, const std::string &because) const {
        Arguments call = {"flashcache_load"};
        call.insert(call.end(), options.begin(), options.end());
        call.insert(call.end(), {ssd_.path(), "fc0"});
        const Result result = run(call);
        EXPECT_NE(result.status, 0) << joined(call);
        EXPECT_THAT(result.output, HasSubstr(because));
        EXPECT_FALSE(cache_.exists());
    }
    void expect_dmsetup_refused(const Switch &disk) const {
        const auto table = table_line(disk.sectors(), disk.path(), ssd_.path(), "fc0 1 1");
        EXPECT_NE(run({"dmsetup", "create", "fc0", "--table", table}).status, 0);
        run({"dmsetup", "remove", "fc0"});
        EXPECT_FALSE(cache_.exists());
    }

    NullDisk ssd_{"ssd0", kSmallSsd};
    NullDisk below_{"below", kDisk};
    NullDisk other_below_{"other_below", kDisk};
    std::unique_ptr<Switch> disk_;
    Cache cache_;
};
INSTANTIATE_TEST_SUITE_P(, Identity, testing::ValuesIn(kModes), testing::PrintToStringParamName());

TEST_P(Identity, another_disk_of_the_same_size_is_refused) {
    const Switch other("other", other_below_.path(), other_below_.sectors(), "TEST-other");
    BlockFile(other.path()).put(0, kMiB, kOld);
    make_cache();
    cache_.fast_remove();
    expect_refused({"--disk", other.path()}, "is another disk");
    expect_dmsetup_refused(other);
    EXPECT_EQ(BlockFile(other.path()).check(0, kMiB, kOld), "");
    cache_.load(ssd_.path());
    EXPECT_EQ(BlockFile(cache_.path()).check(kMiB, kMiB, kNew), "");
}

TEST_P(Identity, a_resized_disk_is_refused) {
    make_cache();
    cache_.fast_remove();
    disk_.reset();
    for (const std::uint64_t sectors : {below_.sectors() - 8, below_.sectors() / 2}) {
        const Switch resized("disk", below_.path(), sectors, kUuid);
        expect_refused({}, "sectors");
        expect_dmsetup_refused(resized);
    }
    disk_ = std::make_unique<Switch>("disk", below_.path(), below_.sectors(), kUuid);
    cache_.load(ssd_.path());
    EXPECT_EQ(BlockFile(cache_.path()).check(kMiB, kMiB, kNew), "");
}

TEST_P(Identity, a_disk_written_while_detached_is_refused) {
    make_cache();
    cache_.remove();
    BlockFile(disk_->path()).put(4096, 4096, kOld); // as a file system does when it is mounted
    expect_refused({}, "written to while the cache was detached");
    expect_dmsetup_refused(*disk_);
    must({"flashcache_destroy", ssd_.path()});
    make_cache();
}

TEST_P(Identity, a_disk_that_has_got_another_name_is_found) {
    make_cache();
    cache_.fast_remove();
    disk_.reset();
    disk_ = std::make_unique<Switch>("moved", below_.path(), below_.sectors(), kUuid);
    cache_.load(ssd_.path());
    EXPECT_EQ(BlockFile(cache_.path()).check(kMiB, kMiB, kNew), "");
    cache_.remove();
    EXPECT_EQ(BlockFile(disk_->path()).check(kMiB, kMiB, kNew), "");
}

TEST_P(Identity, a_cache_that_was_not_stopped_orderly_is_not_taken_for_another_disks) {
    const Switch other("other", other_below_.path(), other_below_.sectors(), "TEST-other");
    Switch ssd("ssd", ssd_.path(), ssd_.sectors());
    cache_.create(GetParam(), ssd.path(), disk_->path());
    cache_.keep_dirty();
    BlockFile(cache_.path()).put(kMiB, kMiB, kNew);
    ssd.pull();
    cache_.abandon();
    ssd.plug();
    const Result result = run({"flashcache_load", "--disk", other.path(), ssd.path()});
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(result.output, HasSubstr("is another disk"));
    cache_.load(ssd.path());
    EXPECT_EQ(BlockFile(cache_.path()).check(kMiB, kMiB, kNew), "");
    cache_.remove();
}

} // namespace
} // namespace vm
