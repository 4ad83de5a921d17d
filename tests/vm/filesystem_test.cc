// SPDX-License-Identifier: GPL-2.0-only
//
// File systems on a cache.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "rig.h"
#include "system.h"

namespace vm {
namespace {

constexpr const char *kMount = "/mnt";
// XFS wants 300 MiB; what is not written takes no memory.
constexpr DiskOptions kFileSystemDisk = {.mib = 320};

struct Kind {
    const char *name;
    Arguments make;
    Arguments check;
};

const Kind kKinds[] = {
    {"ext4", {"mkfs.ext4", "-q"}, {"e2fsck", "-fn"}},
    {"xfs", {"mkfs.xfs", "-q", "-f"}, {"xfs_repair", "-n"}},
};

class FileSystem : public testing::TestWithParam<std::tuple<Mode, int>> {
protected:
    void SetUp() override {
        if (has_checkers() && run({"modprobe", kind_.name}).status != 0)
            GTEST_SKIP() << "this kernel has no " << kind_.name;
        load_module(kind_.name);
        rig_.create(std::get<0>(GetParam()));
        with_device(kind_.make);
    }

    // Run a program on the cache.
    void with_device(Arguments program) const {
        program.push_back(rig_.cache.path());
        must(program, Seconds(300));
    }
    void mount() const { must({"mount", "-t", kind_.name, rig_.cache.path(), kMount}); }
    static void unmount() { must({"umount", kMount}, Seconds(300)); }
    void check() const { with_device(kind_.check); }

    const Kind &kind_ = kKinds[std::get<1>(GetParam())];
    Rig rig_{{.mib = 40}, kFileSystemDisk};
};

std::string name_of(const testing::TestParamInfo<std::tuple<Mode, int>> &test) {
    return status_word(std::get<0>(test.param)) + "_" + kKinds[std::get<1>(test.param)].name;
}

INSTANTIATE_TEST_SUITE_P(, FileSystem,
                         testing::Combine(testing::ValuesIn(kModes), testing::Values(0, 1)),
                         name_of);

// Files of many sizes, some MiB altogether, with a generation's contents.
void make_tree(const std::string &root, unsigned generation) {
    for (unsigned directory = 0; directory < 8; directory++) {
        const std::string path = root + "/d" + std::to_string(directory);
        std::filesystem::create_directories(path);
        for (unsigned file = 0; file < 24; file++) {
            std::ofstream out(path + "/f" + std::to_string(file), std::ios::binary);
            const unsigned count = (file * file * 97 + directory * 53 + 1) % 6000;
            for (unsigned i = 0; i < count; i++)
                out << generation << ' ' << directory << ' ' << file << ' ' << i << '\n';
        }
    }
}

// The checksums of all files.
std::string sums() {
    Arguments call = {"sha256sum"};
    for (const auto &entry : std::filesystem::recursive_directory_iterator(kMount))
        if (entry.is_regular_file())
            call.push_back(entry.path().string());
    if (call.size() < 2)
        throw Failure("no files");
    std::sort(call.begin() + 1, call.end());
    return must(call, Seconds(300));
}

TEST_P(FileSystem, is_whole_and_unchanged_after_remove_and_load) {
    mount();
    make_tree(kMount, 1);
    const std::string before = sums();
    unmount();
    rig_.cache.remove();
    rig_.load();
    check();
    mount();
    EXPECT_EQ(sums(), before);

    // Over what was cached, with the dirty blocks left where they are.
    rig_.cache.keep_dirty();
    make_tree(kMount, 2);
    std::filesystem::remove_all(std::string(kMount) + "/d3");
    const std::string second = sums();
    unmount();
    const auto dirty = rig_.cache.status()["dirty"];
    EXPECT_EQ(dirty > 0, keeps_dirty(std::get<0>(GetParam())));
    rig_.cache.fast_remove();
    rig_.load();
    EXPECT_EQ(rig_.cache.status()["unclean_load"], 0u);
    check();
    mount();
    EXPECT_EQ(sums(), second);
    unmount();

    rig_.cache.remove();
    must({"mount", "-t", kind_.name, rig_.disk.path(), kMount});
    EXPECT_EQ(sums(), second) << "on the disk alone";
    unmount();
}

} // namespace
} // namespace vm
