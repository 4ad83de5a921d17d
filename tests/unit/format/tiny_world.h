// SPDX-License-Identifier: GPL-2.0-only
//
// The least that the core can live in: two devices of memory without volatile caches, I/O that
// ends when pump() is called, a clock that stands still.  One request at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "abi.h"

class TinyWorld {
public:
    TinyWorld(std::uint64_t cache_sectors, std::uint64_t origin_sectors);
    ~TinyWorld();
    TinyWorld(const TinyWorld &) = delete;
    TinyWorld &operator=(const TinyWorld &) = delete;

    // Statuses are enum fc_status.
    int format(const fc_config &config);
    int open();
    int close(bool keep_dirty);
    void forget_core() { core_ = nullptr; } // a power cut: the devices stay as they are

    int write(std::uint64_t sector, const std::string &data);
    int discard(std::uint64_t sector, unsigned nr_sectors);
    std::string read(std::uint64_t sector, unsigned nr_sectors);
    void checkpoint();
    std::uint64_t gauge(fc_gauge which) { return fc_core_gauge(core_, which); }
    const fc_config &config() const { return config_; }

    // The first 512 bytes of a sector of the cache device.
    std::vector<unsigned char> sector(std::uint64_t number) const;

    // What the core's calls need.
    char *at(int dev, std::uint64_t sector) { return device_[dev].data() + sector * 512; }
    void later(std::function<void()> end) { ends_.push_back(std::move(end)); }
    void kick(int work) { kicked_[work] = true; }
    void pump();
    void complete(int status);
    std::string &request_data() { return data_; }
    fc_core *core() { return core_; }

private:
    int run(fc_request &request);
    int transfer(int op, std::uint64_t sector, unsigned nr_sectors);

    std::vector<char> device_[2];
    fc_config config_ = {};
    fc_core *core_ = nullptr;
    std::vector<char> memory_;
    std::deque<std::function<void()>> ends_;
    bool kicked_[FC_NR_WORKS] = {};
    std::string data_; // of the request in progress
    bool completed_ = false;
    int status_ = 0;
};
