// SPDX-License-Identifier: GPL-2.0-only
#include "new_cache.h"

#include <ctime>

#include <sys/random.h>

#include <fmt/ranges.h>

#include "core_host.h"
#include "error.h"
#include "legacy_cache.h"
#include "origin_identity.h"
#include "signatures.h"
#include "text.h"

namespace tools {
namespace {

constexpr std::uint32_t kDefaultBlockSectors = 8;
constexpr std::uint32_t kDefaultAssociativity = 512;

void check_one(const BlockDevice &device) {
    if (device.sectors == 0)
        refuse("{} has no size (no medium?)", device.path);
    require_writable(device);
    if (const auto zoned = sysfs_attribute(device.disk_name, "queue/zoned");
        !zoned.empty() && zoned != "none")
        refuse("{} is a zoned device ({}); the cache needs one that takes writes anywhere", device.path,
               zoned);
}

void make_uuid(unsigned char (&uuid)[FC_DISK_UUID_BYTES]) {
    if (::getrandom(uuid, sizeof(uuid), 0) != static_cast<ssize_t>(sizeof(uuid)))
        refuse("the kernel gives no random numbers: {}", errno_text(errno));
    uuid[6] = static_cast<unsigned char>((uuid[6] & 0x0f) | 0x40); // RFC 4122, version 4
    uuid[8] = static_cast<unsigned char>((uuid[8] & 0x3f) | 0x80);
}

// The extent in blocks that -d asks for, 0 for the default.
std::uint32_t extent_blocks(const CreateOptions &options, std::uint32_t block_sectors) {
    const std::uint32_t sectors = options.disk_associativity_sectors;
    const std::uint32_t ways =
        options.associativity != 0 ? options.associativity : kDefaultAssociativity;
    if (sectors != 0 && sectors < block_sectors)
        refuse_usage("-d must not be smaller than the block size ({} sectors)", block_sectors);
    if (sectors / block_sectors > ways)
        refuse_usage("-d asks for {} blocks, more than the {} of a set; use a larger -a",
                     sectors / block_sectors, ways);
    return sectors / block_sectors;
}

void check_for_cache(const DeviceFile &ssd) {
    const std::string &path = ssd.path();
    fc_config found = {};
    const int status = probe_cache(ssd, found);
    if (status == FC_OK || (status == FC_E_NO_SUPERBLOCK && find_legacy_cache(ssd)))
        refuse("Valid Flashcache already exists on {}. Use flashcache_destroy first and then "
               "create again {}",
               path, path);
    if (status != FC_E_NO_SUPERBLOCK)
        refuse("a Flashcache exists on {}, but {}. Use flashcache_destroy -f first and then create "
               "again {}",
               path, fc_status_text(status), path);
}

} // namespace

void check_pair(const BlockDevice &ssd, const BlockDevice &disk) {
    if (ssd.number == disk.number)
        refuse("{} and {} are the same device; the cache needs a device of its own", ssd.path,
               disk.path);
    if (overlap(ssd, disk))
        refuse("{} and {} share the disk {}; the cache needs a device of its own", ssd.path,
               disk.path, ssd.disk_name);
    check_one(ssd);
    check_one(disk);
    if (const std::string identity = origin_identity(disk);
        !identity.empty() && identity == origin_identity(ssd))
        refuse("{} and {} are the same device ({}); the cache needs a device of its own", ssd.path,
               disk.path, printable(identity));
    if (disk.sectors % (ssd.logical_block_bytes / kSectorBytes) != 0)
        refuse("the size of {}, {} sectors, is no multiple of the logical block of {}, {} bytes",
               disk.path, disk.sectors, ssd.path, ssd.logical_block_bytes);
}

void check_ssd_contents(const DeviceFile &ssd, bool force) {
    check_for_cache(ssd);
    if (force)
        return;
    if (const auto signatures = find_signatures(ssd.descriptor(), ssd.path()); !signatures.empty())
        refuse("{} holds: {}; -f (force) overwrites it, and what it holds is lost", ssd.path(),
               fmt::join(signatures, ", "));
}

void check_partitions(const BlockDevice &ssd) {
    for (const std::string &name : all_kernel_names())
        if (const BlockDevice part = inspect_by_kernel_name(name);
            part.is_partition() && part.disk_name == ssd.kernel_name)
            check_for_cache(DeviceFile::open(part.path, Access::kRead, false));
}

fc_config plan_cache(const CreateOptions &options, const BlockDevice &ssd,
                     const BlockDevice &disk) {
    fc_config config = {};
    config.origin_sectors = disk.sectors;
    config.cache_device_sectors = ssd.sectors;
    config.unit_bytes = ssd.logical_block_bytes;
    config.block_sectors =
        options.block_sectors != 0 ? options.block_sectors : kDefaultBlockSectors;
    config.ways_per_set = options.associativity;
    config.extent_blocks = extent_blocks(options, config.block_sectors);
    config.mode = options.mode;
    config.cache_sectors_wanted = options.cache_sectors;
    if (options.cache_sectors > ssd.sectors)
        refuse("-s asks for {} sectors, but {} has only {}", options.cache_sectors, ssd.path,
               ssd.sectors);
    const std::uint64_t block_bytes = config.block_sectors * kSectorBytes;
    for (const BlockDevice *device : {&ssd, &disk})
        if (block_bytes < device->logical_block_bytes)
            refuse(
                "the block size, {} bytes, is below the logical block of {}, {} bytes; use -b {}k",
                block_bytes, device->path, device->logical_block_bytes,
                device->logical_block_bytes / 1024);
    if (const int status = fc_core_plan(&config); status != FC_OK)
        refuse("{}: {}", ssd.path, fc_status_text(status));
    return config;
}

void add_identity(fc_config &config, const CreateOptions &options, const BlockDevice &disk) {
    make_uuid(config.cache_uuid);
    config.created_s = static_cast<fc_u64>(std::time(nullptr));
    const bool fits =
        to_field(options.cache_name, config.cache_name, sizeof(config.cache_name)) &&
        to_field(path_to_record(disk), config.origin_path, sizeof(config.origin_path)) &&
        to_field(origin_identity(disk), config.origin_id, sizeof(config.origin_id));
    if (!fits)
        refuse("the name of the cache or the identity of {} does not fit the superblock",
               disk.path);
}

std::uint64_t metadata_bytes(const fc_config &config) {
    return config.data_offset_sectors * kSectorBytes;
}

} // namespace tools
