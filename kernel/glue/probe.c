// SPDX-License-Identifier: GPL-2.0-only
/*
 * What .ctr finds out about a cache that is not live: whether there is one on the cache device,
 * and whether it, or the one that is to be made, fits the two devices.  Reads, never writes.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/blkdev.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uuid.h>
#include <linux/vmalloc.h>

#include "glue.h"

#define SCRATCH_BYTES 4096u
/* The core's memory may be one part in this many of the machine's. */
#define RAM_SHARE 2

/* Superblocks of flashcache 1 to 3 have no magic; these fields together make one. */
#define OLD_ASSOC_OFFSET 12
#define OLD_STATE_OFFSET 16
#define OLD_VERSION_OFFSET 296
#define OLD_VERSION_MAX 4
#define OLD_STATE_DIRTY 0xdeadbeef
#define OLD_STATE_CLEAN 0xfacecafe
#define OLD_STATE_FASTCLEAN 0xcafefeed
#define OLD_STATE_UNSTABLE 0xc8249756

static u32 field(const void *block, unsigned int offset)
{
	return le32_to_cpup((const __le32 *)(block + offset));
}

static bool is_old_superblock(const void *block)
{
	u32 version = field(block, OLD_VERSION_OFFSET);

	if (!is_power_of_2(field(block, OLD_ASSOC_OFFSET)) || !version || version > OLD_VERSION_MAX)
		return false;
	switch (field(block, OLD_STATE_OFFSET)) {
	case OLD_STATE_DIRTY:
	case OLD_STATE_CLEAN:
	case OLD_STATE_FASTCLEAN:
	case OLD_STATE_UNSTABLE:
		return true;
	default:
		return false;
	}
}

/* What the devices are now.  Before probe or plan, and again after: they fill the rest. */
static void set_devices(struct fc_cache *cache)
{
	struct fc_config *config = &cache->config;

	config->origin_sectors = bdev_nr_sectors(cache->bdev[FC_DEV_ORIGIN]);
	config->cache_device_sectors = bdev_nr_sectors(cache->bdev[FC_DEV_CACHE]);
	config->cache_volatile = bdev_write_cache(cache->bdev[FC_DEV_CACHE]);
	config->origin_volatile = bdev_write_cache(cache->bdev[FC_DEV_ORIGIN]);
}

/* ---- load ------------------------------------------------------------------------------------ */

static int plan_load(struct fc_cache *cache, const struct fc_table *table, void *scratch,
		     char **error)
{
	struct fc_config *config = &cache->config;
	int status;

	config->unit_bytes = bdev_logical_block_size(cache->bdev[FC_DEV_CACHE]);
	set_devices(cache);
	status = fc_core_probe(cache, config, scratch);
	if (!status) {
		config->cache_volatile = bdev_write_cache(cache->bdev[FC_DEV_CACHE]);
		config->origin_volatile = bdev_write_cache(cache->bdev[FC_DEV_ORIGIN]);
		return 0;
	}

	DMERR("%s: cannot load from %pg (%llu sectors) for %pg (%llu sectors): %s", cache->name,
	      cache->bdev[FC_DEV_CACHE], config->cache_device_sectors,
	      cache->bdev[FC_DEV_ORIGIN], config->origin_sectors, fc_status_text(status));
	if (status == FC_E_NO_SUPERBLOCK)
		*error = table->persistence == FC_PERSIST_LOAD ?
			"No flashcache on the cache device" :
			"No flashcache on the cache device; to create one give persistence 2";
	else
		*error = (char *)fc_status_text(status);
	return status == FC_EIO ? -EIO : -EINVAL;
}

/* ---- create ---------------------------------------------------------------------------------- */

/* Persistence 2 refuses to overwrite a cache, in whatever state. */
static int check_no_cache(struct fc_cache *cache, void *scratch, char **error)
{
	struct fc_config found = cache->config;
	int status = fc_core_probe(cache, &found, scratch);

	if (status == FC_EIO) {
		*error = "Cannot read the cache device";
		return -EIO;
	}
	if (status != FC_E_NO_SUPERBLOCK) {
		DMERR("%s: Existing Cache Detected on %pg, use force to re-create%s%s",
		      cache->name, cache->bdev[FC_DEV_CACHE], status ? ": " : "",
		      status ? fc_status_text(status) : "");
		*error = "Existing Cache Detected, use force to re-create";
		return -EEXIST;
	}
	if (fc_os_sync_io(cache, FC_DEV_CACHE, FC_IO_READ, 0, scratch,
			  SCRATCH_BYTES >> SECTOR_SHIFT, 0)) {
		*error = "Cannot read the cache device";
		return -EIO;
	}
	if (is_old_superblock(scratch)) {
		*error = "A flashcache 1 to 3 is on the cache device, use force to re-create";
		return -EEXIST;
	}
	return 0;
}

static void set_wishes(struct fc_cache *cache, const struct fc_table *table)
{
	struct fc_config *config = &cache->config;
	unsigned int block_sectors = table->block_size ? table->block_size : 8;

	set_devices(cache);
	config->unit_bytes = bdev_logical_block_size(cache->bdev[FC_DEV_CACHE]);
	config->block_sectors = table->block_size;
	config->ways_per_set = table->assoc;
	config->extent_blocks = table->disk_assoc / block_sectors;
	config->cache_sectors_wanted = table->cache_size;
	config->mode = fc_table_mode(table);
	config->created_s = ktime_get_real_seconds();
	generate_random_uuid(config->cache_uuid);
	strscpy(config->cache_name, table->name, sizeof(config->cache_name));
	/* Rather none than a wrong one; flashcache_load then wants to be told the disk. */
	if (fc_has_control(table->disk_path) ||
	    strscpy(config->origin_path, table->disk_path, sizeof(config->origin_path)) < 0)
		config->origin_path[0] = '\0';
	strscpy(config->origin_id, table->origin_id, sizeof(config->origin_id));
}

static int plan_create(struct fc_cache *cache, const struct fc_table *table, void *scratch,
		       char **error)
{
	struct fc_config *config = &cache->config;
	int status;
	int r;

	set_wishes(cache, table);
	if (table->cache_size > config->cache_device_sectors) {
		DMERR("%s: Requested cache size exceeds the cache device's capacity(%llu>%llu)",
		      cache->name, table->cache_size, config->cache_device_sectors);
		*error = "Requested cache size exceeds the cache device's capacity";
		return -EINVAL;
	}
	if (table->disk_assoc && !config->extent_blocks) {
		*error = "Disk associativity is smaller than the block size";
		return -EINVAL;
	}
	if (table->persistence == FC_PERSIST_CREATE) {
		r = check_no_cache(cache, scratch, error);
		if (r)
			return r;
	}

	status = fc_core_plan(config);
	if (status) {
		DMERR("%s: cannot create on %pg (%llu sectors): %s", cache->name,
		      cache->bdev[FC_DEV_CACHE], config->cache_device_sectors,
		      fc_status_text(status));
		*error = (char *)fc_status_text(status);
		return -EINVAL;
	}
	return 0;
}

/* ---- both ------------------------------------------------------------------------------------ */

/* All our I/O must be in logical blocks of both devices. */
static int check_blocks(const struct fc_cache *cache, const struct fc_table *table, char **error)
{
	unsigned int ssd = bdev_logical_block_size(cache->bdev[FC_DEV_CACHE]);
	unsigned int disk = bdev_logical_block_size(cache->bdev[FC_DEV_ORIGIN]);
	unsigned int block = cache->config.block_sectors << SECTOR_SHIFT;
	unsigned int md_block = table->md_block_size << SECTOR_SHIFT;

	if (block < max(ssd, disk)) {
		DMERR("%s: blocks of %u bytes; logical blocks of %pg have %u, of %pg %u bytes",
		      cache->name, block, cache->bdev[FC_DEV_CACHE], ssd,
		      cache->bdev[FC_DEV_ORIGIN], disk);
		*error = "Block size is smaller than a logical block of a device";
		return -EINVAL;
	}
	if (cache->config.unit_bytes % ssd) {
		*error = "Logical blocks of the cache device have grown since it was created";
		return -EINVAL;
	}
	if (md_block && md_block < ssd) {
		*error = "Metadata block size must be >= cache device sector size";
		return -EINVAL;
	}
	return 0;
}

static int get_memory(struct fc_cache *cache, char **error)
{
	const struct fc_config *config = &cache->config;
	u64 bytes = fc_core_bytes(config);
	u64 ram = (u64)totalram_pages() << PAGE_SHIFT;

	DMINFO("%s: Allocate %lluKB (%lluB per) mem for %llu-entry cache(capacity:%lluMB, associativity:%u, block size:%u sectors(%uKB))",
	       cache->name, bytes >> 10, div64_u64(bytes, config->nr_blocks), config->nr_blocks,
	       (config->nr_blocks * config->block_sectors) >> 11, config->ways_per_set,
	       config->block_sectors, config->block_sectors >> 1);

	if (bytes > div_u64(ram, RAM_SHARE)) {
		DMERR("%s: more than half of the %lluMB main memory", cache->name, ram >> 20);
		*error = "The cache needs more than half of the main memory; use larger blocks";
		return -ENOMEM;
	}
	/* Rather fail than make the kernel kill processes for it. */
	cache->memory = __vmalloc(bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY);
	if (!cache->memory || fc_locks_init(cache)) {
		*error = "Unable to allocate memory";
		return -ENOMEM;
	}
	return 0;
}

/*
 * Fill the configuration of @cache as @table asks, and get the memory that it needs.  0, or an
 * error with a sentence in @error.  Context: task; sleeps.
 */
int fc_cache_probe(struct fc_cache *cache, const struct fc_table *table, char **error)
{
	void *scratch;
	int r;

	scratch = (void *)get_zeroed_page(GFP_KERNEL);
	if (!scratch)
		return -ENOMEM;

	if (table->persistence == FC_PERSIST_CREATE || table->persistence == FC_PERSIST_FORCE)
		r = plan_create(cache, table, scratch, error);
	else
		r = plan_load(cache, table, scratch, error);
	if (!r)
		r = check_blocks(cache, table, error);
	if (!r)
		r = get_memory(cache, error);

	free_page((unsigned long)scratch);
	return r;
}
