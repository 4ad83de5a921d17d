// SPDX-License-Identifier: GPL-2.0-only
#include "cache_devices.h"

#include "core_host.h"
#include "error.h"
#include "legacy_cache.h"
#include "origin_identity.h"
#include "text.h"

namespace tools {

fc_config require_loadable(const DeviceFile &ssd) {
    fc_config config = {};
    const int status = probe_cache(ssd, config);
    if (status == FC_OK)
        return config;
    if (status != FC_E_NO_SUPERBLOCK)
        refuse("{}: {}", ssd.path(), fc_status_text(status));
    if (const auto legacy = find_legacy_cache(ssd))
        refuse("{} holds a cache of an older flashcache (format {}), which this one cannot load; "
               "write it back with flashcache_writeback, then flashcache_destroy it",
               ssd.path(), legacy->version);
    refuse("No valid Flashcache found on {}; make one with flashcache_create", ssd.path());
}

BlockDevice disk_of_cache(const fc_config &config, const std::string &disk_path) {
    const RecordedOrigin recorded = {
        from_field(config.origin_id, sizeof(config.origin_id)),
        from_field(config.origin_path, sizeof(config.origin_path)),
        config.origin_sectors,
    };
    if (disk_path.empty())
        return find_origin(recorded);
    BlockDevice disk = inspect_block_device(disk_path);
    if (const std::string differs = difference(recorded, disk); !differs.empty())
        refuse("{} {}; attach the disk of this cache", disk.path, differs);
    return disk;
}

void require_pair(const BlockDevice &ssd, const BlockDevice &disk) {
    if (overlap(ssd, disk))
        refuse("{} and {} share the disk {}; name the right disk with --disk", ssd.path, disk.path,
               ssd.disk_name);
    require_writable(disk);
}

} // namespace tools
