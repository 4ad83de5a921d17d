// SPDX-License-Identifier: GPL-2.0-only
#include "damage.h"

#include <algorithm>
#include <cstring>

namespace sim {

using ull = unsigned long long;

namespace {

template <typename T> T header_of(const std::vector<unsigned char> &unit) {
    T header;
    memcpy(&header, unit.data(), sizeof header);
    return header;
}

bool all_zeros(const std::vector<unsigned char> &unit) {
    return std::all_of(unit.begin(), unit.end(), [](unsigned char byte) { return byte == 0; });
}

uint32_t crc_of(uint32_t seed, std::vector<unsigned char> bytes, size_t crc_at) {
    memset(bytes.data() + crc_at, 0, 4);
    return crc32c(seed, bytes.data(), bytes.size());
}

bool has_magic(const fc_disk_superblock &superblock) {
    return !memcmp(superblock.magic, FC_DISK_MAGIC, sizeof superblock.magic);
}

bool is_whole(const fc_disk_superblock &superblock) {
    std::vector<unsigned char> bytes(sizeof superblock);
    memcpy(bytes.data(), &superblock, sizeof superblock);
    return has_magic(superblock) &&
           superblock.crc == crc_of(0, bytes, offsetof(fc_disk_superblock, crc));
}

} // namespace

// ---- units

Damage::Bytes Damage::now(uint64_t sector) {
    Bytes unit(config_.unit_bytes);
    for (uint64_t at = 0; at < unit.size(); at += kSectorBytes)
        device_.current(sector + at / kSectorBytes).to_bytes(unit.data() + at);
    return unit;
}

Damage::Bytes Damage::durable(uint64_t sector) {
    Bytes unit(config_.unit_bytes);
    for (uint64_t at = 0; at < unit.size(); at += kSectorBytes)
        device_.durable(sector + at / kSectorBytes).to_bytes(unit.data() + at);
    return unit;
}

// As it would be if nothing had gone bad.
Damage::Bytes Damage::undamaged(uint64_t sector) {
    for (const Hurt &hurt : hurts_)
        if (hurt.sector == sector && seen(hurt))
            return hurt.before;
    return now(sector);
}

void Damage::put(uint64_t sector, const Bytes &bytes) {
    for (uint64_t at = 0; at < bytes.size(); at += kSectorBytes)
        device_.replace(sector + at / kSectorBytes, Sector::from_bytes(bytes.data() + at));
}

// A write that is not durable hides what is bad below it until the power fails.
void Damage::forget_healed() {
    std::erase_if(hurts_, [this](const Hurt &hurt) {
        return !seen(hurt) && durable(hurt.sector) != hurt.after;
    });
}

bool Damage::settled(uint64_t sector) {
    for (uint64_t s = sector; s < sector + config_.unit_bytes / kSectorBytes; s++)
        if (!(device_.current(s) == device_.durable(s)))
            return false;
    return true;
}

uint64_t Damage::place(uint64_t sector) const {
    const uint64_t first =
        is_log(sector) ? config_.log_offset_sectors : config_.home_offset_sectors;
    return (sector - first) / (config_.unit_bytes / kSectorBytes);
}

std::string Damage::name(uint64_t sector) const {
    if (is_superblock(sector))
        return sector ? "superblock B" : "superblock A";
    return (is_log(sector) ? "log place " : "home unit ") + std::to_string(place(sector));
}

void Damage::overwritten(uint64_t sector, uint64_t count) {
    constexpr size_t kKept = 4;
    const uint64_t step = config_.unit_bytes / kSectorBytes;
    for (uint64_t s = sector; s + step <= sector + count; s += step) {
        std::vector<Bytes> &versions = older_[s];
        versions.push_back(undamaged(s));
        if (versions.size() > kKept)
            versions.erase(versions.begin());
    }
}

void Damage::undo() {
    forget_healed();
    for (const Hurt &hurt : hurts_) {
        trace_.line("world  %s is mended", name(hurt.sector).c_str());
        const bool hidden = !seen(hurt);
        for (uint64_t at = 0; at < hurt.before.size(); at += kSectorBytes) {
            const Sector value = Sector::from_bytes(hurt.before.data() + at);
            if (hidden)
                device_.replace_durable(hurt.sector + at / kSectorBytes, value);
            else
                device_.replace(hurt.sector + at / kSectorBytes, value);
        }
    }
    hurts_.clear();
}

// ---- the format

bool Damage::sealed(const Bytes &unit, uint32_t magic) const {
    const uint32_t seed = crc32c(0, config_.cache_uuid, sizeof config_.cache_uuid);
    static_assert(offsetof(fc_disk_log_header, crc) == offsetof(fc_disk_home_header, crc));
    const auto header = header_of<fc_disk_log_header>(unit);
    return header.magic == magic &&
           header.crc == crc_of(seed, unit, offsetof(fc_disk_log_header, crc));
}

// The superblock that holds: of what is there, or (not @damaged) of what should be.
bool Damage::newest(bool damaged, fc_disk_superblock &found, bool &magic) {
    bool any = false;
    magic = false;
    for (const uint64_t sector : {FC_DISK_SUPERBLOCK_A_SECTOR, FC_DISK_SUPERBLOCK_B_SECTOR}) {
        const auto sb = header_of<fc_disk_superblock>(damaged ? now(sector) : undamaged(sector));
        magic = magic || has_magic(sb);
        if (!is_whole(sb) || (any && sb.sequence <= found.sequence))
            continue;
        any = true;
        found = sb;
    }
    return any;
}

uint64_t Damage::log_sector(uint64_t sequence) const {
    return config_.log_offset_sectors +
           sequence % config_.log_units * (config_.unit_bytes / kSectorBytes);
}

uint64_t Damage::sequence_at(uint64_t place, uint64_t tail) const {
    return tail + (place + config_.log_units - tail % config_.log_units) % config_.log_units;
}

bool Damage::log_unit(uint64_t sequence, uint64_t epoch, fc_disk_log_header &header) {
    const Bytes unit = undamaged(log_sector(sequence));
    header = header_of<fc_disk_log_header>(unit);
    return header.sequence == sequence && header.epoch == epoch && sealed(unit, FC_DISK_LOG_MAGIC);
}

// The first unit that is not there, from the superblock's tail on.
uint64_t Damage::log_end(const fc_disk_superblock &superblock) {
    fc_disk_log_header header;
    uint64_t end = superblock.log_tail;
    while (end - superblock.log_tail < config_.log_units && log_unit(end, superblock.epoch, header))
        end++;
    return end;
}

// ---- going bad

uint64_t Damage::pick_unit() {
    const uint64_t step = config_.unit_bytes / kSectorBytes;
    fc_disk_superblock superblock;
    bool magic;
    if (rng_.one_in(3) || !newest(false, superblock, magic))
        return rng_.coin() ? FC_DISK_SUPERBLOCK_A_SECTOR : FC_DISK_SUPERBLOCK_B_SECTOR;
    if (rng_.one_in(3))
        return config_.home_offset_sectors + rng_.below(config_.home_units) * step;
    // What the next recovery reads, its end above all.
    const uint64_t end = log_end(superblock);
    if (rng_.one_in(4))
        return log_sector(rng_.below(config_.log_units));
    if (rng_.coin())
        return log_sector(end - 1 + rng_.below(2));
    return log_sector(rng_.between(superblock.log_tail - 1, end));
}

Damage::Bytes Damage::changed(uint64_t sector, Kind kind) {
    Bytes unit = now(sector);
    const std::vector<Bytes> &versions = older_[sector];
    if (kind == kFlip)
        for (uint64_t n = rng_.between(1, 3); n; n--) {
            const size_t bytes = is_superblock(sector) ? kSectorBytes : unit.size();
            const size_t at = rng_.below(rng_.coin() ? 64 : bytes);
            unit[at] = static_cast<unsigned char>(unit[at] ^ 1u << rng_.below(8));
        }
    else if (kind == kAstray)
        unit = now(pick_unit());
    else if (kind == kZeros)
        std::fill(unit.begin(), unit.end(), 0);
    else if (!versions.empty())
        unit = versions[rng_.below(versions.size())];
    return unit;
}

void Damage::strike(bool at_rest) {
    forget_healed();
    for (uint64_t n = rng_.pick({1, 1, 1, 2, 3}); n; n--) {
        const bool subtle =
            std::any_of(hurts_.begin(), hurts_.end(), [](const Hurt &hurt) { return hurt.subtle; });
        if (!subtle)
            hurt_one(at_rest);
    }
}

void Damage::hurt_one(bool at_rest) {
    const uint64_t sector = pick_unit();
    const auto kind = static_cast<Kind>(rng_.below(4));
    const bool hurt_already = std::any_of(hurts_.begin(), hurts_.end(),
                                          [&](const Hurt &hurt) { return hurt.sector == sector; });
    if (hurt_already || !settled(sector))
        return;
    const Bytes before = now(sector), after = changed(sector, kind);
    bool subtle = false;
    if (before == after || !noticeable(sector, after, at_rest, subtle))
        return;
    static const char *const kinds[] = {"has flipped bits", "is overwritten with another unit",
                                        "turns to zeros", "turns into what it was before"};
    trace_.line("DAMAGE %s %s", name(sector).c_str(), kinds[kind]);
    hurts_.push_back({sector, before, after, subtle});
    put(sector, after);
}

// Can the format notice, or repair, what this unit is to become?  @subtle: only from other units,
// so those must stay what they are.
bool Damage::noticeable(uint64_t sector, const Bytes &after, bool at_rest, bool &subtle) {
    if (is_log(sector))
        return log_noticeable(sector, after, at_rest, subtle);
    if (is_superblock(sector)) {
        subtle = is_whole(header_of<fc_disk_superblock>(after));
        return !subtle || (at_rest && hurts_.empty());
    }
    return !sealed(after, FC_DISK_HOME_MAGIC) ||
           header_of<fc_disk_home_header>(after).index != place(sector);
}

bool Damage::log_noticeable(uint64_t sector, const Bytes &after, bool at_rest, bool &subtle) {
    const bool sealed_log = sealed(after, FC_DISK_LOG_MAGIC);
    const auto header = header_of<fc_disk_log_header>(after);
    if (sealed_log ? header.sequence % config_.log_units != place(sector) : !all_zeros(after))
        return true;
    subtle = true;
    fc_disk_superblock superblock;
    bool magic;
    if (!at_rest || !hurts_.empty() || !newest(false, superblock, magic))
        return false;
    const uint64_t end = log_end(superblock);
    const uint64_t sequence = sequence_at(place(sector), superblock.log_tail);
    if (superblock.flags & FC_DISK_FLAG_CLEAN || sequence > end)
        return true;
    if (!sealed_log && sequence > config_.log_units)
        return true;
    // A later unit that says so; a power cut may take one that is not durable itself.
    fc_disk_log_header other;
    for (uint64_t s = sequence + 1; s < end; s++)
        if (log_unit(s, superblock.epoch, other) && other.durable >= sequence &&
            settled(log_sector(s)))
            return true;
    return false;
}

// ---- what a load may answer

Damage::Verdict Damage::judge() {
    forget_healed();
    Verdict v;
    fc_disk_superblock truth, found;
    bool magic;
    if (hurts_.empty() || !newest(false, truth, magic))
        return v;
    if (!newest(true, found, magic)) {
        v.may_load = false;
        v.refusal = magic ? FC_E_SUPERBLOCK_DAMAGED : FC_E_NO_SUPERBLOCK;
        return v;
    }
    v.rolled_back = found.sequence != truth.sequence;
    for (const Hurt &hurt : hurts_) {
        if (is_superblock(hurt.sector) || is_log(hurt.sector) || !seen(hurt))
            continue;
        v.may_load = false;
        v.refusal = FC_E_HOME_DAMAGED;
        return v;
    }
    if (!(found.flags & FC_DISK_FLAG_CLEAN))
        judge_log(truth, found, v);
    return v;
}

// The log holds what happened since @found was written; or, if it was overwritten since or has gone
// bad, that must be noticed.
void Damage::judge_log(const fc_disk_superblock &truth, const fc_disk_superblock &found,
                       Verdict &v) {
    const uint64_t end = log_end(found);
    const uint64_t true_end = truth.flags & FC_DISK_FLAG_CLEAN ? truth.log_tail : log_end(truth);
    if (end < true_end) {
        v.may_load = false;
        v.refusal = FC_E_LOG_DAMAGED;
    }
    for (const Hurt &hurt : hurts_) {
        if (!is_log(hurt.sector) || !seen(hurt))
            continue;
        const uint64_t sequence = sequence_at(place(hurt.sector), found.log_tail);
        v.may_load = v.may_load && sequence >= end;
        if (sequence <= end)
            v.refusal = FC_E_LOG_DAMAGED;
    }
}

} // namespace sim
