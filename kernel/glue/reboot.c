// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reboot and power off with live caches.
 *
 * A cache that is live says so on its cache device, and stays usable to the end: nothing may be
 * marked clean here.  Both devices are flushed, so that what was acknowledged survives even where
 * the block drivers do not flush when they stop.  Workers do it, for a device that does not
 * answer may even keep who submits to it: it is not waited for longer than the limit.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/blkdev.h>
#include <linux/reboot.h>

#include "glue.h"

#define FLUSH_LIMIT_MS 10000

static atomic_t nr_flushes = ATOMIC_INIT(0);	/* not ended yet */
static DECLARE_WAIT_QUEUE_HEAD(flush_wait);

static void do_flush(struct work_struct *work)
{
	struct fc_flush *flush = container_of(work, struct fc_flush, work);
	struct block_device *bdev = flush->cache->bdev[flush->dev];

	if (fc_os_sync_io(flush->cache, flush->dev, FC_IO_FLUSH, 0, NULL, 0, 0))
		fc_warn(flush->cache, "flush of %pg for reboot failed", bdev);
	if (atomic_dec_and_test(&nr_flushes))
		wake_up_all(&flush_wait);
}

/* The caches' part: what the workers need.  Context: task. */
void fc_flush_init(struct fc_cache *cache)
{
	int dev;

	for (dev = 0; dev < FC_NR_DEVS; dev++) {
		cache->flush[dev].cache = cache;
		cache->flush[dev].dev = dev;
		INIT_WORK(&cache->flush[dev].work, do_flush);
	}
}

/* No worker uses the cache's devices after this.  Context: task; sleeps. */
void fc_flush_wait(struct fc_cache *cache)
{
	int dev;

	for (dev = 0; dev < FC_NR_DEVS; dev++)
		flush_work(&cache->flush[dev].work);
}

/* Context: any; the cache does not go away meanwhile. */
void fc_flush_start(struct fc_cache *cache)
{
	int dev;

	fc_info(cache, "flushing for reboot; the cache stays marked as in use");
	for (dev = 0; dev < FC_NR_DEVS; dev++) {
		atomic_inc(&nr_flushes);
		if (!queue_work(system_unbound_wq, &cache->flush[dev].work))
			atomic_dec(&nr_flushes);
	}
}

static int on_reboot(struct notifier_block *block, unsigned long event, void *unused)
{
	fc_cache_flush_all();
	if (!wait_event_timeout(flush_wait, !atomic_read(&nr_flushes),
				msecs_to_jiffies(FLUSH_LIMIT_MS)))
		DMWARN("%d flushes for reboot did not end in time", atomic_read(&nr_flushes));
	return NOTIFY_DONE;
}

/* Early: before md, which makes its arrays read-only, and before the drivers stop. */
static struct notifier_block reboot_notifier = {
	.notifier_call = on_reboot,
	.priority = INT_MAX,
};

int fc_reboot_init_module(void)
{
	return register_reboot_notifier(&reboot_notifier);
}

void fc_reboot_exit_module(void)
{
	unregister_reboot_notifier(&reboot_notifier);
}
