// SPDX-License-Identifier: GPL-2.0-only
#include "writeback.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core_host.h"
#include "error.h"
#include "support/cache_image.h"

namespace tools::test {
namespace {

bool never_stop(std::uint64_t) {
    return true;
}

class WritebackTest : public testing::TestWithParam<unsigned> {
protected:
    WritebackTest() : image_(GetParam()) {}

    fc_config probed() const {
        fc_config config = {};
        config.cache_device_sectors = image_.open_ssd().sectors();
        config.origin_sectors = image_.config().origin_sectors;
        EXPECT_EQ(probe_cache(image_.open_ssd(), config), FC_OK);
        return config;
    }

    // Every slot of the cache; two of three are dirty.
    void fill() {
        for (unsigned slot = 0; slot < image_.config().nr_blocks; slot++) {
            const unsigned state = slot % 3 == 0 ? FC_DISK_CLEAN : FC_DISK_DIRTY;
            const fc_u64 block = image_.set_home(slot, state);
            if (state == FC_DISK_DIRTY)
                dirty_.insert(block);
        }
    }

    Writeback write_back(const GoOn &go_on = never_stop) const {
        const DeviceFile ssd = image_.open_ssd();
        const DeviceFile disk = image_.open_disk();
        return tools::write_back(ssd, disk, probed(), go_on);
    }

    std::uint64_t dirty_now() const {
        const DeviceFile ssd = image_.open_ssd();
        const DeviceFile disk = image_.open_disk();
        return count_dirty(ssd, disk, probed());
    }

    void expect_all_on_disk() const {
        const std::size_t bytes = image_.config().block_sectors * 512;
        const std::string disk = image_.disk().peek(0, image_.config().origin_sectors * 512);
        const std::string nothing(bytes, '\0');
        for (fc_u64 block = 0; block < disk.size() / bytes; block++) {
            ASSERT_EQ(disk.compare(block * bytes, bytes,
                                   dirty_.count(block) != 0 ? image_.contents(block) : nothing),
                      0)
                << "block " << block;
        }
    }

    CacheImage image_;
    std::set<fc_u64> dirty_;
};
INSTANTIATE_TEST_SUITE_P(Units, WritebackTest, testing::Values(512u, 4096u));

TEST_P(WritebackTest, brings_every_dirty_block_to_its_place_and_nothing_else) {
    fill();
    EXPECT_EQ(dirty_now(), dirty_.size());
    const Writeback result = write_back();
    EXPECT_EQ(result.dirty, dirty_.size());
    EXPECT_EQ(result.left, 0u);
    EXPECT_EQ(result.error, 0);
    expect_all_on_disk();
    EXPECT_EQ(dirty_now(), 0u);
    EXPECT_NE(probed().flags & FC_DISK_FLAG_CLEAN, 0u);
}

TEST_P(WritebackTest, recovers_first_after_a_crash) {
    image_.stop(false);
    dirty_ = {image_.set_home(3, FC_DISK_DIRTY), image_.block_of(70), image_.block_of(71)};
    image_.set_home(4, FC_DISK_CLEAN); // not trusted
    image_.log_dirty({70}, true);
    image_.log_dirty({71}, true);
    image_.log_dirty({99}, false); // its data never arrived
    EXPECT_EQ(dirty_now(), 3u);
    EXPECT_EQ(write_back().dirty, 3u);
    expect_all_on_disk();
    EXPECT_EQ(dirty_now(), 0u);
}

TEST_P(WritebackTest, looking_changes_neither_device) {
    fill();
    image_.stop(false);
    const std::string ssd = image_.ssd().peek(0, image_.open_ssd().sectors() * 512);
    const std::string disk = image_.disk().peek(0, image_.open_disk().sectors() * 512);
    EXPECT_EQ(dirty_now(), dirty_.size());
    EXPECT_EQ(image_.ssd().peek(0, ssd.size()), ssd);
    EXPECT_EQ(image_.disk().peek(0, disk.size()), disk);
}

TEST_P(WritebackTest, told_to_stop_keeps_the_rest_dirty_and_goes_on_later) {
    fill();
    const Writeback first = write_back([](std::uint64_t) { return false; });
    EXPECT_EQ(first.error, 0);
    EXPECT_EQ(dirty_now(), first.left);
    EXPECT_EQ(write_back().left, 0u);
    expect_all_on_disk();
}

TEST_P(WritebackTest, a_disk_that_has_been_written_to_is_refused) {
    fill();
    write_back([](std::uint64_t) { return false; }); // an orderly stop knows the disk
    std::string changed(1 << 20, 'x');
    for (std::uint64_t at = 0; at < image_.config().origin_sectors * 512; at += changed.size())
        image_.disk().poke(at, changed.data(), changed.size());
    EXPECT_THROW(write_back(), Error);
    EXPECT_EQ(image_.disk().peek(0, changed.size()), changed);
}

TEST_P(WritebackTest, a_damaged_cache_is_refused_and_nothing_is_written) {
    fill();
    image_.damage_home(0);
    const std::string ssd = image_.ssd().peek(0, image_.open_ssd().sectors() * 512);
    EXPECT_THROW(write_back(), Error);
    EXPECT_EQ(image_.ssd().peek(0, ssd.size()), ssd);
    for (const fc_u64 block : dirty_)
        ASSERT_EQ(image_.on_disk(block), std::string(4096, '\0'));
}

} // namespace
} // namespace tools::test
