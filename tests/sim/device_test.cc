// SPDX-License-Identifier: GPL-2.0-only
// The simulated disk keeps what it promised, and nothing else.
#include <gtest/gtest.h>

#include "device.h"

namespace sim {
namespace {

class DeviceTest : public testing::Test {
protected:
    std::unique_ptr<Device> make(bool volatile_cache, uint64_t atomic = 1) {
        Device::Config config;
        config.sectors = 100;
        config.volatile_cache = volatile_cache;
        config.atomic_sectors = atomic;
        config.factory = [](uint64_t s) { return Sector::user(s, 1); };
        return std::make_unique<Device>(config, rng_);
    }

    void submit(Device &device, DevOp op, uint64_t sector, uint64_t count, uint64_t write = 0,
                bool fua = false) {
        auto io = std::make_unique<DeviceIo>();
        io->op = op;
        io->sector = sector;
        io->count = count;
        io->fua = fua;
        for (uint64_t i = 0; i < count; i++)
            memory_[sector + i] = Sector::user(sector + i, write);
        io->memory.sectors = memory_ + sector;
        device.submit(std::move(io));
    }
    void finish_all(Device &device) {
        while (device.in_flight())
            device.complete(0, false);
    }
    void write(Device &device, uint64_t sector, uint64_t count, uint64_t number, bool fua = false) {
        submit(device, DevOp::kWrite, sector, count, number, fua);
        finish_all(device);
    }

    Rng rng_{1};
    Sector memory_[100];
};

TEST_F(DeviceTest, completed_writes_survive_on_a_device_without_volatile_cache) {
    auto device = make(false);
    write(*device, 3, 5, 7);
    device->power_cut(50);
    for (uint64_t s = 3; s < 8; s++)
        EXPECT_EQ(device->current(s).write(), 7u);
    EXPECT_EQ(device->current(8).write(), 1u);
}

TEST_F(DeviceTest, an_unflushed_write_may_be_lost_or_survive_or_be_torn) {
    int lost = 0, whole = 0, torn = 0;
    for (int i = 0; i < 200; i++) {
        auto device = make(true);
        write(*device, 0, 8, 7);
        device->power_cut(50);
        int arrived = 0;
        for (uint64_t s = 0; s < 8; s++)
            arrived += device->current(s).write() == 7;
        lost += arrived == 0;
        whole += arrived == 8;
        torn += arrived > 0 && arrived < 8;
    }
    EXPECT_GT(lost, 0);
    EXPECT_GT(whole, 0);
    EXPECT_GT(torn, 0);
}

TEST_F(DeviceTest, a_unit_is_never_torn) {
    for (int i = 0; i < 200; i++) {
        auto device = make(true, 8);
        write(*device, 0, 16, 7);
        submit(*device, DevOp::kWrite, 16, 16, 8);
        device->power_cut(50);
        for (uint64_t s = 0; s < 32; s++)
            EXPECT_EQ(device->current(s).write(), device->current(s - s % 8).write());
    }
}

TEST_F(DeviceTest, a_flush_covers_what_had_completed_when_it_was_issued) {
    for (int i = 0; i < 50; i++) {
        auto device = make(true);
        write(*device, 0, 4, 7);
        submit(*device, DevOp::kFlush, 0, 0);
        write(*device, 4, 4, 8); // completes the flush, too, before or after this write
        device->power_cut(50);
        for (uint64_t s = 0; s < 4; s++)
            EXPECT_EQ(device->current(s).write(), 7u);
    }
}

TEST_F(DeviceTest, a_flush_does_not_cover_what_completed_after_its_issue) {
    int lost = 0;
    for (int i = 0; i < 50; i++) {
        auto device = make(true);
        submit(*device, DevOp::kFlush, 0, 0);
        submit(*device, DevOp::kWrite, 0, 4, 7);
        while (device->in_flight())
            device->complete(device->in_flight() - 1, false); // the write, then the flush
        device->power_cut(50);
        lost += device->current(0).write() == 1;
    }
    EXPECT_GT(lost, 0);
}

TEST_F(DeviceTest, a_fua_write_survives_and_older_data_never_comes_back_over_it) {
    for (int i = 0; i < 200; i++) {
        auto device = make(true);
        write(*device, 0, 8, 7);
        write(*device, 2, 2, 8, true);
        device->power_cut(50);
        EXPECT_EQ(device->current(2).write(), 8u);
        EXPECT_EQ(device->current(3).write(), 8u);
    }
}

TEST_F(DeviceTest, a_restart_keeps_what_has_completed_and_makes_nothing_durable) {
    int lost = 0;
    for (int i = 0; i < 50; i++) {
        auto device = make(true);
        write(*device, 0, 4, 7);
        device->reset();
        EXPECT_EQ(device->current(0).write(), 7u);
        device->power_cut(50);
        lost += device->current(0).write() == 1;
    }
    EXPECT_GT(lost, 0);
}

TEST_F(DeviceTest, a_failed_read_leaves_memory_alone_and_a_failed_write_may_be_partial) {
    int partial = 0;
    for (int i = 0; i < 100; i++) {
        auto device = make(false);
        submit(*device, DevOp::kWrite, 0, 8, 7);
        device->complete(0, true);
        int arrived = 0;
        for (uint64_t s = 0; s < 8; s++)
            arrived += device->current(s).write() == 7;
        partial += arrived > 0 && arrived < 8;
    }
    EXPECT_GT(partial, 0);
}

TEST(Sector, bytes_and_back) {
    unsigned char bytes[kSectorBytes];
    const Sector user = Sector::user(1234, 99);
    user.to_bytes(bytes);
    EXPECT_TRUE(Sector::from_bytes(bytes) == user);
    EXPECT_EQ(user.origin_sector(), 1234u);
    EXPECT_EQ(user.write(), 99u);
    bytes[100] ^= 1;
    EXPECT_FALSE(Sector::from_bytes(bytes).is_user());
    Sector().to_bytes(bytes);
    EXPECT_TRUE(Sector::from_bytes(bytes).is_zero());
}

TEST(Crc32c, matches_the_standard_and_chains) {
    EXPECT_EQ(crc32c(0, "123456789", 9), 0xe3069283u);
    EXPECT_EQ(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

} // namespace
} // namespace sim
