// SPDX-License-Identifier: GPL-2.0-only
//
// What flashcache_load, _destroy, _create and _check read of an SSD whose metadata is changed at will, or
// which says that it holds a cache of flashcache 1 to 3.
#include <map>

#include <sys/mman.h>
#include <unistd.h>

#include "activation.h"
#include "check_report.h"
#include "core_host.h"
#include "error.h"
#include "image.h"
#include "legacy_cache.h"
#include "metadata_scan.h"
#include "model.h"
#include "new_cache.h"
#include "origin_identity.h"
#include "text.h"

namespace {

using tools::DeviceFile;

// A file in memory for each disk, kept from input to input.
class File {
public:
    explicit File(fc_u64 sectors) : descriptor_(memfd_create("ssd", MFD_CLOEXEC)) {
        require(descriptor_ >= 0 && ftruncate(descriptor_, static_cast<off_t>(sectors * kSector)) == 0, "no file");
    }
    DeviceFile open() const {
        return DeviceFile::open("/proc/self/fd/" + std::to_string(descriptor_), tools::Access::kReadWrite, false);
    }
    void put(const Disk &disk, fc_u64 sector) {
        require(pwrite(descriptor_, disk.at(sector), kSector, static_cast<off_t>(sector * kSector)) == kSector, "no file");
    }

private:
    int descriptor_;
};

File &file_of(Pair &pair) {
    static std::map<const Pair *, File> files;
    const auto [found, is_new] = files.try_emplace(&pair, pair.ssd.sectors());
    for (fc_u64 sector = 0; is_new && sector < pair.ssd.sectors(); sector++)
        found->second.put(pair.ssd, sector);
    return found->second;
}

// The first sectors as flashcache 1 to 3 left them, more or less.
void make_legacy(Pair &pair, Input &input) {
    constexpr unsigned kStates[] = {0xdeadbeef, 0xfacecafe, 0xcafefeed, 0xc8249756};
    constexpr unsigned kStateAt = 16, kVersionAt = 296, kHeadSectors = 16;
    char *head = pair.ssd.touch(0, kHeadSectors);
    std::memset(head, 0, kHeadSectors * kSector);
    const fc_u64 blocks = input.take<std::uint16_t>();
    const unsigned numbers[] = {1u << input.byte() % 8, 512, kStates[input.byte() % 4]};
    const unsigned version[] = {input.byte() % 6u, 1u << input.byte() % 9};
    std::memcpy(head, &blocks, sizeof(blocks));
    std::memcpy(head + sizeof(blocks), numbers, sizeof(numbers));
    static_assert(sizeof(blocks) + sizeof(numbers) == kStateAt + 4);
    std::memcpy(head + kVersionAt, version, sizeof(version));
    for (unsigned left = input.byte() % 8; left; left--) {
        const unsigned at = input.take<std::uint16_t>() % (kHeadSectors * kSector);
        head[at] = static_cast<char>(input.byte());
    }
}

// What stands in the superblock goes into messages and into the table line.
void use_texts(const fc_config &config) {
    const std::string name = tools::from_field(config.cache_name, sizeof(config.cache_name));
    const std::string path = tools::from_field(config.origin_path, sizeof(config.origin_path));
    for (const char c : tools::printable(name) + tools::printable(path))
        require(c >= 0x20 && c < 0x7f, "not fit for a terminal");
    try {
        tools::check_cache_name(name);
        require(!name.empty() && name[0] != '-' && name.find('/') == std::string::npos, "an unsafe name is taken");
    } catch (const tools::Error &) {
    }
    require(!tools::is_plain_device_path(path) || path.starts_with("/dev/"), "an unsafe path is taken");
    require(tools::device_uuid(config).size() == std::strlen("FLASHCACHE-") + 32, "UUID");
    tools::table_arguments({config.origin_sectors, path, path, name, config.mode});
}

bool create_refuses(const DeviceFile &device) {
    try {
        tools::check_ssd_contents(device, true);
    } catch (const tools::Error &) {
        return true;
    }
    return false;
}

// flashcache_check loads as the kernel does, and writes nothing: a device that is changed shows in
// what follows.
void check_current(const DeviceFile &device, const fc_config &config, const Model &model) {
    const tools::CheckReport report = tools::check_cache(device, nullptr, config, {});
    require(report.facts["loads"] == !model.refused, "loads what must be refused, or refuses what is whole");
    require(model.refused || report.facts["dirty_blocks"] == model.count(FC_DISK_DIRTY), "dirty blocks are miscounted");
    require(!model.refused || !report.damages.empty(), "damage is not told");
    tools::report_text(report);
    tools::report_json(report);
}

void destroy_current(Pair &pair, const DeviceFile &device, const fc_config &config) {
    use_texts(config);
    const tools::MetadataScan scan = tools::scan_metadata(device, config);
    require(scan.dirty_blocks <= config.nr_blocks, "more dirty blocks than blocks");
    const Model model = read_model(pair.ssd, config);
    // What the kernel would load as dirty must not be destroyed without -f.
    require(model.refused || !scan.damages.empty() || scan.dirty_blocks >= model.count(FC_DISK_DIRTY),
            "dirty blocks are overlooked");
    check_current(device, config, model);
}

void destroy_legacy(const DeviceFile &device, const tools::LegacyCache &cache) {
    const auto dirty = tools::count_legacy_dirty(device, cache);
    require(!dirty || *dirty <= cache.nr_blocks, "more dirty blocks than blocks");
    const tools::CheckReport report = tools::check_legacy_cache(device, cache, [](const tools::Json &) {});
    require(dirty || !report.damages.empty(), "damage is not told");
    require(!dirty || !report.damages.empty() || report.facts["dirty_blocks"] == *dirty, "dirty blocks are miscounted");
    tools::wipe_legacy_cache(device);
    require(!tools::find_legacy_cache(device), "an old cache is still there");
}

void use_tools(Pair &pair, const DeviceFile &device) {
    fc_config config = {};
    config.cache_device_sectors = device.sectors();
    const int status = tools::probe_cache(device, config);
    const auto legacy = tools::find_legacy_cache(device);
    require(create_refuses(device) == (status != FC_E_NO_SUPERBLOCK || legacy), "a cache is overwritten, or nothing protected");
    if (status == FC_OK)
        destroy_current(pair, device, config);
    else if (status == FC_E_NO_SUPERBLOCK && legacy)
        return destroy_legacy(device, *legacy);
    tools::wipe_cache(device, config);
    fc_config after = {};
    after.cache_device_sectors = device.sectors();
    require(tools::probe_cache(device, after) == FC_E_NO_SUPERBLOCK, "the superblock is still there");
}

void change(Pair &pair, Input &input, bool sealed) {
    constexpr Area kAreas[] = {Area::superblock, Area::home, Area::log};
    for (unsigned left = input.byte() % 12; left; left--) {
        const unsigned char what = input.byte();
        const Area area = kAreas[what % 3];
        const bool raw = what & 0x80 || area == Area::superblock;
        const fc_u64 unit = raw ? overlay(pair, area, input) : area == Area::home ? put_slot(pair, input) : put_log_unit(pair, input);
        if (sealed)
            seal(pair, area, unit);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    constexpr fc_u64 kWipedSectors = 16; // of what the tools wrote, nothing may be left for the next input
    Input input(data, size);
    const unsigned char how = input.byte();
    Pair &pair = pair_of(how, how & 0x10);
    File &file = file_of(pair);
    if (how & 0x40)
        make_legacy(pair, input);
    change(pair, input, how & 0x20);
    const std::vector<fc_u64> changed = pair.ssd.touched();
    for (const fc_u64 sector : changed)
        file.put(pair.ssd, sector);
    use_tools(pair, file.open());
    pair.ssd.reset();
    for (const fc_u64 sector : changed)
        file.put(pair.ssd, sector);
    for (fc_u64 sector = 0; sector < kWipedSectors; sector++)
        file.put(pair.ssd, sector);
    return 0;
}
