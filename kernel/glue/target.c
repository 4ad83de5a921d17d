// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device-mapper target.
 *
 * IMMUTABLE: another kind of table cannot take the place of ours while the device lives, for the
 * disk would be used without its dirty blocks.  (The error target can: "dmsetup remove --force".)
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "glue.h"

/* ---- construction ---------------------------------------------------------------------------- */

static int open_device(struct fc_target *target, int dev, const char *path, char *busy,
		       char *missing)
{
	struct dm_target *ti = target->ti;
	int r = dm_get_device(ti, path, dm_table_get_mode(ti->table), &target->dev[dev]);

	if (r) {
		target->dev[dev] = NULL;
		ti->error = r == -EBUSY ? busy : missing;
		DMERR("%s: %s: error %d", ti->error, path, r);
	}
	return r;
}

static int open_devices(struct fc_target *target)
{
	int r;

	r = open_device(target, FC_DEV_ORIGIN, target->table.disk_path,
			"Disk device is busy, cannot create cache", "Disk device lookup failed");
	if (r)
		return r;
	return open_device(target, FC_DEV_CACHE, target->table.ssd_path,
			   "Cache device is busy, cannot create cache",
			   "Cache device lookup failed");
}

static void close_devices(struct fc_target *target)
{
	int i;

	for (i = 0; i < FC_NR_DEVS; i++)
		if (target->dev[i])
			dm_put_device(target->ti, target->dev[i]);
}

static int check_devices(struct fc_target *target)
{
	struct dm_target *ti = target->ti;
	struct block_device *disk = target->dev[FC_DEV_ORIGIN]->bdev;
	struct block_device *ssd = target->dev[FC_DEV_CACHE]->bdev;

	if (disk->bd_dev == ssd->bd_dev) {
		ti->error = "Disk and cache device are the same device";
	} else if (ti->begin) {
		DMERR("The table begins at sector %llu", (u64)ti->begin);
		ti->error = "The table must begin at sector 0";
	} else if (ti->len > bdev_nr_sectors(disk)) {
		DMERR("The table has %llu sectors, %pg has %llu", (u64)ti->len, disk,
		      (u64)bdev_nr_sectors(disk));
		ti->error = "The table is longer than the disk device";
	} else if (bdev_is_zoned(disk) || bdev_is_zoned(ssd)) {
		ti->error = "Zoned devices are not supported";
	} else if (bdev_logical_block_size(ssd) > 4096 || bdev_logical_block_size(disk) > 4096) {
		ti->error = "Logical blocks larger than 4096 bytes are not supported";
	} else {
		return 0;
	}
	return -EINVAL;
}

/* The disk may have grown since the cache was made; the cache cannot. */
static int check_length(struct fc_target *target)
{
	struct dm_target *ti = target->ti;

	if (ti->len <= target->cache->config.origin_sectors)
		return 0;
	DMERR("The table has %llu sectors, the disk had %llu when the cache was created",
	      (u64)ti->len, target->cache->config.origin_sectors);
	ti->error = "The table is longer than the disk was when the cache was created";
	return -EINVAL;
}

/* What device-mapper must know of us. */
static int set_target(struct fc_target *target)
{
	struct dm_target *ti = target->ti;

	ti->per_io_data_size = sizeof(struct fc_io);
	ti->num_flush_bios = FC_NR_DEVS;	/* one duplicate for each device */
	ti->num_discard_bios = 1;
	ti->num_write_zeroes_bios = 1;
	ti->flush_supported = true;
	ti->discards_supported = bdev_max_discard_sectors(target->dev[FC_DEV_ORIGIN]->bdev) != 0;
	/*
	 * We send what we kept with dm_submit_bio_remap(), which accounts it; what ends without
	 * is accounted when it ends.
	 */
	ti->accounts_remapped_io = true;
	ti->limit_swap_bios = true;		/* requests may take memory */
	return dm_set_target_max_io_len(ti, target->cache->config.chunk_sectors);
}

static void destroy_target(struct fc_target *target)
{
	if (target->cache)
		fc_cache_put(target->cache);
	close_devices(target);
	kfree(target);
}

/* Context: task; sleeps.  Reads the cache device, writes nothing. */
static int flashcache_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct fc_target *target;
	int r;

	target = kzalloc(sizeof(*target), GFP_KERNEL);
	if (!target) {
		ti->error = "Unable to allocate memory";
		return -ENOMEM;
	}
	target->ti = ti;
	ti->error = "Unable to allocate memory";	/* what has no sentence of its own */

	r = fc_table_parse(&target->table, argc, argv, &ti->error);
	if (!r)
		r = open_devices(target);
	if (!r)
		r = check_devices(target);
	if (!r)
		r = fc_cache_get(target, &ti->error);
	if (!r)
		r = check_length(target);
	if (!r)
		r = set_target(target);
	if (r) {
		destroy_target(target);
		return r;
	}
	target->table.disk_path = NULL;
	target->table.ssd_path = NULL;
	ti->error = NULL;
	ti->private = target;
	return 0;
}

/* Context: task; sleeps, long if this ends the cache and there is much to write back. */
static void flashcache_dtr(struct dm_target *ti)
{
	destroy_target(ti->private);
}

/* ---- suspend and resume ---------------------------------------------------------------------- */

static void flashcache_postsuspend(struct dm_target *ti)
{
	struct fc_target *target = ti->private;

	fc_cache_suspend(target->cache);
}

static int flashcache_preresume(struct dm_target *ti)
{
	return fc_cache_preresume(ti->private);
}

static void flashcache_resume(struct dm_target *ti)
{
	struct fc_target *target = ti->private;

	fc_cache_resume(target->cache);
}

/* ---- what we are ----------------------------------------------------------------------------- */

static void flashcache_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
			      char *result, unsigned int maxlen)
{
	struct fc_target *target = ti->private;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		fc_status_print(target->cache, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		fc_table_print(target, result, maxlen);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",disk=%s,ssd=%s,mode=%s;", target->dev[FC_DEV_ORIGIN]->name,
		       target->dev[FC_DEV_CACHE]->name, fc_mode_name(fc_table_mode(&target->table)));
		break;
	}
}

/* Requests go to both devices as they are, so both devices' limits hold. */
static int flashcache_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn,
				      void *data)
{
	struct fc_target *target = ti->private;
	sector_t ssd_len = round_down(bdev_nr_sectors(target->dev[FC_DEV_CACHE]->bdev), 8);
	int r;

	r = fn(ti, target->dev[FC_DEV_CACHE], 0, ssd_len, data);
	if (!r)
		r = fn(ti, target->dev[FC_DEV_ORIGIN], 0, ti->len, data);
	return r;
}

static void flashcache_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct fc_target *target = ti->private;
	struct queue_limits *origin = &bdev_get_queue(target->dev[FC_DEV_ORIGIN]->bdev)->limits;
	unsigned int block = target->cache->config.block_sectors << SECTOR_SHIFT;
	unsigned int chunk = target->cache->config.chunk_sectors << SECTOR_SHIFT;

	/* Whole blocks are what is cached; more than a chunk at a time brings nothing. */
	limits->io_min = max(limits->physical_block_size, block);
	limits->io_opt = max(limits->io_min, chunk);

	/* Discards go to the origin only. */
	limits->max_hw_discard_sectors = origin->max_hw_discard_sectors;
	limits->max_discard_sectors = origin->max_discard_sectors;
	limits->discard_granularity = origin->discard_granularity;
	limits->discard_alignment = origin->discard_alignment;
}

/*
 * No .prepare_ioctl: an ioctl passed on to the disk could change or read it behind the cache.
 */
struct target_type fc_target_type = {
	.name = "flashcache",
	.version = FC_TARGET_VERSION,
	.features = DM_TARGET_SINGLETON | DM_TARGET_ALWAYS_WRITEABLE | DM_TARGET_IMMUTABLE,
	.module = THIS_MODULE,
	.ctr = flashcache_ctr,
	.dtr = flashcache_dtr,
	.map = fc_map,
	.end_io = fc_end_io,
	.postsuspend = flashcache_postsuspend,
	.preresume = flashcache_preresume,
	.resume = flashcache_resume,
	.status = flashcache_status,
	.message = fc_message,
	.iterate_devices = flashcache_iterate_devices,
	.io_hints = flashcache_io_hints,
};
