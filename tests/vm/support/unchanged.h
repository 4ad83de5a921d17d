// SPDX-License-Identifier: GPL-2.0-only
//
// What a refused call must not change: the first megabyte of the devices, and the list of
// device-mapper devices.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "block_file.h"
#include "command.h"

namespace vm {

class Unchanged {
public:
    Unchanged(std::string ssd, std::string disk)
        : ssd_(std::move(ssd)), disk_(std::move(disk)), ssd_before_(read(ssd_)),
          disk_before_(read(disk_)), devices_before_(devices()) {}

    void check() const {
        EXPECT_TRUE(read(ssd_) == ssd_before_) << ssd_ << " was written to";
        EXPECT_TRUE(read(disk_) == disk_before_) << disk_ << " was written to";
        EXPECT_EQ(devices(), devices_before_);
    }

private:
    static Buffer read(const std::string &path) {
        return BlockFile(path, BlockFile::kReadOnly).read(0, kMiB);
    }
    static std::string devices() { return must({"dmsetup", "ls"}); }

    std::string ssd_;
    std::string disk_;
    Buffer ssd_before_;
    Buffer disk_before_;
    std::string devices_before_;
};

} // namespace vm
