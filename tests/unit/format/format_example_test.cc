// SPDX-License-Identifier: GPL-2.0-only
//
// The worked example of docs/ON_SSD_FORMAT.md: a tiny cache lives through what the document tells,
// and each dump in the document is what the code has written.  FORMAT_EXAMPLE_PRINT=1 prints the
// dumps, for a document that has to be changed.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tiny_world.h"

namespace {

// As "hexdump -C" prints it, with "*" in place of lines of zeros.
std::string dump(const std::vector<unsigned char> &bytes, std::uint64_t offset) {
    std::string text;
    bool starred = false;
    for (std::size_t line = 0; line < bytes.size(); line += 16) {
        bool zero = true;
        std::string hex, ascii;
        for (std::size_t i = line; i < line + 16; i++) {
            char byte[8];
            std::snprintf(byte, sizeof(byte), "%s%02x", i == line + 8 ? "  " : " ", bytes[i]);
            hex += byte;
            ascii += bytes[i] >= 0x20 && bytes[i] < 0x7f ? static_cast<char>(bytes[i]) : '.';
            zero = zero && !bytes[i];
        }
        if (zero) {
            text += starred ? "" : "*\n";
            starred = true;
            continue;
        }
        starred = false;
        char head[24];
        std::snprintf(head, sizeof(head), "%08llx ", static_cast<unsigned long long>(offset + line));
        text += head + hex + "  |" + ascii + "|\n";
    }
    return text;
}

std::string document() {
    std::ifstream file(FORMAT_DOCUMENT);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string block_of(char letter) {
    return std::string(4096, letter);
}

class FormatExample : public ::testing::Test {
protected:
    // 2 sets of 2 ways, 16 blocks on the origin.
    FormatExample() : world_(2048 + 32, 128) {
        fc_config config = {};
        config.cache_device_sectors = 2048 + 32;
        config.origin_sectors = 128;
        config.unit_bytes = 512;
        config.ways_per_set = 2;
        config.mode = FC_MODE_WRITE_BACK;
        config.created_s = 1700000000;
        for (unsigned i = 0; i < FC_DISK_UUID_BYTES; i++)
            config.cache_uuid[i] = static_cast<unsigned char>(0x11 * i);
        std::strcpy(config.cache_name, "tiny");
        std::strcpy(config.origin_path, "/dev/sdb");
        std::strcpy(config.origin_id, "serial:42");
        EXPECT_EQ(fc_core_plan(&config), FC_OK);
        EXPECT_EQ(world_.format(config), FC_OK);
    }

    // The unit at this sector of the cache device stands in the document, byte for byte.
    void documented(const char *what, std::uint64_t sector) {
        const std::string text = dump(world_.sector(sector), sector * 512);
        if (std::getenv("FORMAT_EXAMPLE_PRINT"))
            std::printf("---- %s\n%s", what, text.c_str());
        EXPECT_NE(document().find("```\n" + text + "```"), std::string::npos)
            << "docs/ON_SSD_FORMAT.md does not have this for \"" << what << "\":\n"
            << text;
    }
    std::uint64_t log_sector(unsigned sequence) const {
        return world_.config().log_offset_sectors + sequence % world_.config().log_units;
    }

    // Two blocks become dirty, one of them is overwritten, the other discarded.
    void live() {
        ASSERT_EQ(world_.open(), FC_OK);
        ASSERT_EQ(world_.write(5 * 8, block_of('A')), FC_OK);
        ASSERT_EQ(world_.write(6 * 8, block_of('B')), FC_OK);
        ASSERT_EQ(world_.write(5 * 8, block_of('C')), FC_OK);
        ASSERT_EQ(world_.discard(6 * 8, 8), FC_OK);
    }

    TinyWorld world_;
};

TEST_F(FormatExample, shows_what_is_written_when_a_cache_is_created) {
    documented("superblock of the new cache", 8);
    documented("home table of the new cache", 16);
}

TEST_F(FormatExample, shows_what_a_cache_in_use_writes) {
    live();
    documented("superblock of the cache in use", 8);
    documented("log unit 1", log_sector(1));
    documented("log unit 2", log_sector(2));
    documented("log unit 3", log_sector(3));
    documented("log unit 4", log_sector(4));
}

TEST_F(FormatExample, shows_what_an_orderly_stop_writes) {
    live();
    ASSERT_EQ(world_.close(true), FC_OK);
    documented("home table after the stop", 16);
    documented("superblock after the stop", 0);
}

TEST_F(FormatExample, is_recovered_as_the_document_says) {
    live();
    world_.forget_core();
    ASSERT_EQ(world_.open(), FC_OK);
    EXPECT_EQ(world_.gauge(FC_GAUGE_RECOVERED_DIRTY), 1u);
    EXPECT_EQ(world_.gauge(FC_GAUGE_RECOVERED_VOID), 0u);
    EXPECT_EQ(world_.read(5 * 8, 8), block_of('C'));
    EXPECT_EQ(world_.read(6 * 8, 8), std::string(4096, '\0'));
}

TEST_F(FormatExample, has_a_record_voided_whose_data_never_arrived) {
    ASSERT_EQ(world_.open(), FC_OK);
    ASSERT_EQ(world_.write(5 * 8, block_of('A')), FC_OK);
    world_.forget_core();
    // Slot of block 5: the record of log unit 1 says which.
    std::uint32_t slot = 0;
    std::memcpy(&slot, world_.sector(log_sector(1)).data() + sizeof(fc_disk_log_header),
                sizeof(slot));
    *world_.at(FC_DEV_CACHE, world_.config().data_offset_sectors + slot * 8) = 'x';
    ASSERT_EQ(world_.open(), FC_OK);
    EXPECT_EQ(world_.gauge(FC_GAUGE_RECOVERED_VOID), 1u);
    EXPECT_EQ(world_.gauge(FC_GAUGE_DIRTY), 0u);
}

} // namespace
