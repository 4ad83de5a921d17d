// SPDX-License-Identifier: GPL-2.0-only
#include "life.h"

#include <set>

#include "cache.h"
#include "model.h"
#include "platform.h"

namespace {

class Life {
public:
    explicit Life(Pair &pair) : pair_(pair), platform_(pair.ssd, pair.origin) {}

    // False if the cache was refused.
    bool begin(bool volatile_caches);
    void go_on(Input &input);
    void end(bool crash, bool keep_dirty);

private:
    int load();
    void agree_on_clean_blocks(const Model &model);
    void check_core(const Model &model);
    void check_disks();
    void read(fc_u64 block, unsigned n);
    void write(fc_u64 block, unsigned n, char letter);
    void discard(fc_u64 block, unsigned n);
    void read_all(const Model &model);
    void reload(bool crash, bool keep_dirty);
    fc_u64 block_at(unsigned char number) const { return number % whole_blocks_; }
    unsigned clipped(fc_u64 block, unsigned n) const;

    Pair &pair_;
    Platform platform_;
    fc_config config_ = {};
    fc_u64 whole_blocks_ = 0;
    bool volatile_caches_ = false;
    bool crashes_ = true;       // must the log be readable again?
    std::vector<char> visible_; // what the user must see
};

// From the devices alone, as a tool or a table load has it.
int Life::load() {
    config_ = {};
    config_.cache_device_sectors = pair_.ssd.sectors();
    config_.origin_sectors = pair_.origin.sectors();
    config_.cache_volatile = config_.origin_volatile = volatile_caches_;
    if (const int bad = platform_.probe(config_))
        return bad;
    whole_blocks_ = config_.origin_sectors / config_.block_sectors;
    return FC_OK;
}

void require_refusal(Platform &platform, int status) {
    require(std::strcmp(fc_status_text(status), "unknown error") != 0, "a status without a sentence");
    require(status != FC_EIO, "an I/O error where there is none");
    require(platform.written(FC_DEV_CACHE).end == 0 && platform.written(FC_DEV_ORIGIN).end == 0,
            "a device was written to although the cache is refused");
}

bool Life::begin(bool volatile_caches) {
    volatile_caches_ = volatile_caches;
    if (const int bad = load()) {
        require_refusal(platform_, bad);
        return false;
    }
    const Model model = read_model(pair_.ssd, config_);
    agree_on_clean_blocks(model);
    const int status = platform_.open(config_);
    if (status == FC_E_ORIGIN_CHANGED && (config_.flags & FC_DISK_FLAG_FINGERPRINT)) {
        require_refusal(platform_, status);
        return false;
    }
    require((status != FC_OK) == model.refused, status ? "refused without a reason" : "loaded although it makes no sense");
    if (status) {
        require_refusal(platform_, status);
        return false;
    }
    require(platform_.written(FC_DEV_ORIGIN).end == 0 &&
                platform_.written(FC_DEV_CACHE).end <= config_.log_offset_sectors,
            "open wrote to more than superblocks and home table");
    crashes_ = !model.scarred;
    check_core(model);
    read_all(model);
    return true;
}

// Clean means that the origin has the same; the user sees what dirty blocks hold.
void Life::agree_on_clean_blocks(const Model &model) {
    const unsigned n = config_.block_sectors;
    for (std::size_t i = 0; i < model.slots.size() && !model.refused; i++)
        if (model.slots[i].state == FC_DISK_CLEAN)
            pair_.origin.write(model.slots[i].block * n, pair_.ssd.at(config_.data_offset_sectors + i * n, n), n);
    const char *origin = pair_.origin.at(0, pair_.origin.sectors());
    visible_.assign(origin, origin + pair_.origin.sectors() * kSector);
    for (std::size_t i = 0; i < model.slots.size() && !model.refused; i++)
        if (model.slots[i].state == FC_DISK_DIRTY)
            std::memcpy(visible_.data() + model.slots[i].block * n * kSector,
                        pair_.ssd.at(config_.data_offset_sectors + i * n, n), n * kSector);
}

// Slot by slot, and what the gauges say.
void Life::check_core(const Model &model) {
    fc_core &core = *platform_.core();
    unsigned valid = 0, dirty = 0;
    for (unsigned slot = 0; slot < model.slots.size(); slot++) {
        const unsigned set_nr = slot / config_.ways_per_set, way = slot % config_.ways_per_set;
        const fc::SetGuard guard(core, set_nr);
        const fc::CacheSet set = fc::set_at(core, set_nr);
        const Slot &expected = model.slots[slot];
        require(set.valid(way) == (expected.state != FC_DISK_INVALID), "a slot is valid, or not, without a reason");
        require(set.dirty(way) == (expected.state == FC_DISK_DIRTY), "a slot is dirty, or not, without a reason");
        require(!set.busy(way) && !set.unconfirmed(way) && !set.pinned(way), "a slot is in use after the load");
        if (!set.valid(way))
            continue;
        require(core.geo.origin_block(set_nr, set.tag(way)) == expected.block, "a slot holds another block");
        require(set.find(set.tag(way)) == way, "two slots hold one block");
        valid++;
        dirty += set.dirty(way);
    }
    require(fc_core_gauge(&core, FC_GAUGE_CACHED) == valid && fc_core_gauge(&core, FC_GAUGE_DIRTY) == dirty,
            "gauges and slots disagree");
    require(fc_core_gauge(&core, FC_GAUGE_RECOVERED_DIRTY) == dirty, "the load counted wrongly");
    require(fc_core_gauge(&core, FC_GAUGE_WAITING) == 0, "somebody waits");
}

// After a stop or crash: origin and dirty blocks make what the user saw.
void Life::check_disks() {
    require(load() == FC_OK, "the superblock that the core wrote is refused");
    const Model model = read_model(pair_.ssd, config_);
    require(!model.refused, "the metadata that the core wrote are refused");
    const unsigned n = config_.block_sectors;
    std::set<fc_u64> dirty;
    for (std::size_t i = 0; i < model.slots.size(); i++) {
        const Slot &slot = model.slots[i];
        if (slot.state == FC_DISK_INVALID)
            continue;
        if (slot.state == FC_DISK_DIRTY)
            dirty.insert(slot.block);
        require(!std::memcmp(visible_.data() + slot.block * n * kSector,
                             pair_.ssd.at(config_.data_offset_sectors + i * n, n), n * kSector),
                "a slot does not hold what was written");
    }
    for (fc_u64 block = 0; block < whole_blocks_; block++)
        require(dirty.count(block) || !std::memcmp(visible_.data() + block * n * kSector,
                                                   pair_.origin.at(block * n, n), n * kSector),
                "a write is neither on the origin nor dirty");
}

unsigned Life::clipped(fc_u64 block, unsigned n) const {
    const fc_u64 in_chunk = config_.chunk_blocks - block % config_.chunk_blocks;
    const fc_u64 most = std::min(in_chunk, whole_blocks_ - block);
    return static_cast<unsigned>(std::min<fc_u64>(n, most));
}

void Life::read(fc_u64 block, unsigned n) {
    const unsigned sectors = clipped(block, n) * config_.block_sectors;
    std::vector<char> data(sectors * kSector);
    require(platform_.transfer(FC_OP_READ, block * config_.block_sectors, sectors, data.data()) == FC_OK,
            "a read failed");
    require(!std::memcmp(data.data(), visible_.data() + block * config_.block_sectors * kSector, data.size()),
            "a read gave other data");
}

void Life::write(fc_u64 block, unsigned n, char letter) {
    const unsigned sectors = clipped(block, n) * config_.block_sectors;
    std::vector<char> data(sectors * kSector, letter);
    require(platform_.transfer(FC_OP_WRITE, block * config_.block_sectors, sectors, data.data()) == FC_OK,
            "a write failed");
    std::memcpy(visible_.data() + block * config_.block_sectors * kSector, data.data(), data.size());
}

void Life::discard(fc_u64 block, unsigned n) {
    const unsigned sectors = clipped(block, n) * config_.block_sectors;
    std::vector<char> zeroes(sectors * kSector);
    require(platform_.transfer(FC_OP_DISCARD, block * config_.block_sectors, sectors, zeroes.data()) == FC_OK,
            "a discard failed");
    std::memcpy(visible_.data() + block * config_.block_sectors * kSector, zeroes.data(), zeroes.size());
}

void Life::read_all(const Model &model) {
    for (const Slot &slot : model.slots)
        if (slot.state != FC_DISK_INVALID)
            read(slot.block, 1);
}

void Life::reload(bool crash, bool keep_dirty) {
    if (crash && !crashes_)
        return;
    if (crash)
        platform_.crash();
    else
        require(platform_.close(keep_dirty) == FC_OK, "the orderly stop failed");
    check_disks();
    const Model model = read_model(pair_.ssd, config_);
    require(platform_.open(config_) == FC_OK, "what the core wrote is refused");
    check_core(model);
}

void Life::go_on(Input &input) {
    constexpr int kMostSteps = 24;
    for (int i = 0; i < kMostSteps && !input.empty(); i++) {
        const unsigned char what = input.byte();
        const fc_u64 block = block_at(input.byte());
        const unsigned n = 1 + (what >> 4) % 4;
        switch (what % 8) {
        case 0:
        case 1:
            read(block, n);
            break;
        case 2:
        case 3:
            write(block, n, static_cast<char>('a' + i));
            break;
        case 4:
            discard(block, n);
            break;
        case 5:
            require(platform_.flush(what >> 4 & 1) == FC_OK, "a flush failed");
            break;
        case 6:
            fc_core_start_sync(platform_.core());
            platform_.pass(10 * n);
            break;
        default:
            reload(what & 0x10, what & 0x20);
            break;
        }
    }
}

void Life::end(bool crash, bool keep_dirty) {
    if (crash) {
        platform_.crash();
        if (crashes_)
            check_disks();
        return;
    }
    require(platform_.close(keep_dirty) == FC_OK, "the orderly stop failed");
    check_disks();
    require(keep_dirty || read_model(pair_.ssd, config_).count(FC_DISK_DIRTY) == 0,
            "dirty blocks after they were written back");
}

} // namespace

void live(Pair &pair, Input &input) {
    {
        Life life(pair);
        const unsigned char how = input.byte();
        if (life.begin(how & 1)) {
            life.go_on(input);
            life.end(how & 4, how & 2);
        }
    }
    pair.ssd.reset();
    pair.origin.reset();
}
