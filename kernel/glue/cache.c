// SPDX-License-Identifier: GPL-2.0-only
/*
 * The caches there are, and their lifetime.
 *
 * A cache is made when a table line is loaded, and nothing is written then.  It goes live when
 * the table is resumed.  A table that is loaded for a live cache shares it; it must belong to the
 * same mapped device and name the same two devices.  The last table to go stops the cache.
 *
 * A table that was loaded and not resumed owns its cache alone.  Loading another for the same
 * mapped device makes another, for device-mapper then drops the first.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "glue.h"

/* Guards the list, and of each cache in it: refs and state.  Never held during I/O of a cache. */
static DEFINE_MUTEX(registry_mutex);
static LIST_HEAD(registry);

static bool uses(const struct fc_cache *cache, const struct block_device *bdev)
{
	return cache->bdev[FC_DEV_CACHE]->bd_dev == bdev->bd_dev ||
	       cache->bdev[FC_DEV_ORIGIN]->bd_dev == bdev->bd_dev;
}

static bool same_devices(const struct fc_cache *cache, const struct fc_target *target)
{
	return cache->bdev[FC_DEV_CACHE]->bd_dev == target->dev[FC_DEV_CACHE]->bdev->bd_dev &&
	       cache->bdev[FC_DEV_ORIGIN]->bd_dev == target->dev[FC_DEV_ORIGIN]->bdev->bd_dev;
}

/*
 * A live cache for @target to share, null if there is none, or an error: one of the devices is in
 * another cache.
 */
static struct fc_cache *find_locked(const struct fc_target *target, char **error)
{
	struct mapped_device *md = dm_table_get_md(target->ti->table);
	struct fc_cache *cache;

	list_for_each_entry(cache, &registry, list) {
		bool uses_ssd = uses(cache, target->dev[FC_DEV_CACHE]->bdev);

		if (!uses_ssd && !uses(cache, target->dev[FC_DEV_ORIGIN]->bdev))
			continue;
		if (cache->md == md && cache->state == FC_CACHE_LOADED)
			continue;
		if (cache->md == md && cache->state == FC_CACHE_LIVE) {
			if (same_devices(cache, target))
				return cache;
			*error = "The live cache of this device has other devices";
			return ERR_PTR(-EINVAL);
		}
		*error = uses_ssd ? "Cache device is busy, it belongs to another cache" :
				    "Disk device is busy, it belongs to another cache";
		return ERR_PTR(-EBUSY);
	}
	return NULL;
}

/* A live cache keeps its geometry; a line that asks to make it anew is a mistake. */
static int check_share(const struct fc_table *table, char **error)
{
	if (table->persistence == FC_PERSIST_CREATE || table->persistence == FC_PERSIST_FORCE) {
		*error = "The cache is live: reload it with persistence 1";
		return -EBUSY;
	}
	return 0;
}

/* The last part of a path; for "major:minor" the device's own name. */
static void set_device_name(struct fc_cache *cache, int dev, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = cache->dev_name[dev];

	if (slash && slash[1])
		strscpy(name, slash + 1, FC_DEV_NAME_BYTES);
	else
		snprintf(name, FC_DEV_NAME_BYTES, "%pg", cache->bdev[dev]);
}

static struct fc_cache *alloc_cache(const struct fc_target *target)
{
	struct fc_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (!cache)
		return NULL;
	cache->refs = 1;
	cache->state = FC_CACHE_LOADED;
	cache->md = dm_table_get_md(target->ti->table);
	cache->bdev[FC_DEV_CACHE] = target->dev[FC_DEV_CACHE]->bdev;
	cache->bdev[FC_DEV_ORIGIN] = target->dev[FC_DEV_ORIGIN]->bdev;
	strscpy(cache->name, target->table.name, sizeof(cache->name));
	set_device_name(cache, FC_DEV_CACHE, target->table.ssd_path);
	set_device_name(cache, FC_DEV_ORIGIN, target->table.disk_path);
	fc_flush_init(cache);
	ratelimit_state_init(&cache->log_limit, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	mutex_init(&cache->policy_mutex);
	INIT_LIST_HEAD(&cache->list);
	return cache;
}

/* Everything but what depends on the geometry. */
static int construct(struct fc_cache *cache)
{
	int r;

	cache->stats = alloc_percpu(struct fc_stats);
	if (!cache->stats)
		return -ENOMEM;
	r = fc_histograms_init(cache);
	if (!r)
		r = fc_lists_init(cache);
	if (!r)
		r = fc_work_init(cache);
	if (!r)
		r = fc_jobs_init(cache);
	if (!r)
		r = fc_io_init(cache);
	if (!r)
		r = fc_part_bios_init(cache);
	return r;
}

/* Each part may be missing.  The copy client waits for its copies: before what they use. */
static void destruct(struct fc_cache *cache)
{
	fc_io_exit(cache);
	fc_work_exit(cache);
	bioset_exit(&cache->part_bios);
	fc_jobs_exit(cache);
	fc_locks_exit(cache);
	fc_lists_exit(cache);
	fc_histograms_exit(cache);
	free_percpu(cache->stats);
	fc_policy_free(cache);
	vfree(cache->memory);
	kfree(cache);
}

/* Find the cache to share, or register a new one.  *@made says which. */
static int get_or_register(struct fc_target *target, bool *made, char **error)
{
	struct fc_cache *cache;
	unsigned int noio;
	int r = 0;

	mutex_lock(&registry_mutex);
	/* The first resume of a device in use takes the mutex: reclaim might wait for that one. */
	noio = memalloc_noio_save();
	cache = find_locked(target, error);
	if (IS_ERR(cache)) {
		r = PTR_ERR(cache);
	} else if (cache) {
		r = check_share(&target->table, error);
		if (!r)
			cache->refs++;
	} else {
		*made = true;
		cache = alloc_cache(target);
		if (cache)
			list_add_tail(&cache->list, &registry);
		else
			r = -ENOMEM;
	}
	memalloc_noio_restore(noio);
	mutex_unlock(&registry_mutex);

	if (!r)
		target->cache = cache;
	return r;
}

/*
 * Give @target, whose devices are open, its cache.  0, or an error with a sentence in @error.
 * Context: task; sleeps; reads the cache device.
 */
int fc_cache_get(struct fc_target *target, char **error)
{
	bool made = false;
	int r;

	r = get_or_register(target, &made, error);
	if (r || !made)
		return r;

	r = construct(target->cache);
	if (!r)
		r = fc_cache_probe(target->cache, &target->table, error);
	if (r) {
		fc_cache_put(target->cache);
		target->cache = NULL;
	}
	return r;
}

/*
 * Drop a target's reference; the last one stops the cache, in good order if it is live.
 * Context: task; sleeps, long if there is much to write back.
 */
void fc_cache_put(struct fc_cache *cache)
{
	bool live;

	mutex_lock(&registry_mutex);
	if (--cache->refs) {
		mutex_unlock(&registry_mutex);
		return;
	}
	live = cache->state == FC_CACHE_LIVE;
	cache->state = FC_CACHE_CLOSING;
	mutex_unlock(&registry_mutex);

	fc_flush_wait(cache);
	if (live)
		fc_cache_close(cache);

	mutex_lock(&registry_mutex);
	list_del(&cache->list);
	mutex_unlock(&registry_mutex);
	destruct(cache);
}

/*
 * The first resume of @cache begins.  -EBUSY if another cache has gone live with one of its
 * devices since its table was loaded.  Context: task.
 */
int fc_cache_claim_opening(struct fc_cache *cache)
{
	struct fc_cache *other;
	int r = 0;

	mutex_lock(&registry_mutex);
	list_for_each_entry(other, &registry, list) {
		if (other != cache && other->state != FC_CACHE_LOADED &&
		    (uses(other, cache->bdev[FC_DEV_CACHE]) ||
		     uses(other, cache->bdev[FC_DEV_ORIGIN])))
			r = -EBUSY;
	}
	if (!r)
		cache->state = FC_CACHE_OPENING;
	mutex_unlock(&registry_mutex);
	return r;
}

/* Context: task. */
void fc_cache_set_state(struct fc_cache *cache, enum fc_cache_state state)
{
	mutex_lock(&registry_mutex);
	cache->state = state;
	mutex_unlock(&registry_mutex);
}

/* Start a flush of the devices of each live cache; none goes away meanwhile.  Context: task. */
void fc_cache_flush_all(void)
{
	struct fc_cache *cache;

	mutex_lock(&registry_mutex);
	list_for_each_entry(cache, &registry, list)
		if (cache->state == FC_CACHE_LIVE)
			fc_flush_start(cache);
	mutex_unlock(&registry_mutex);
}

/* ---- the label of procfs and sysctl ---------------------------------------------------------- */

static bool label_taken_locked(const struct fc_cache *cache)
{
	const struct fc_cache *other;

	list_for_each_entry(other, &registry, list)
		if (other != cache && !strcmp(other->label, cache->label))
			return true;
	return false;
}

/*
 * Label @cache, which goes live, <ssd>+<disk>; a second pair with these names gets "#2" behind,
 * and so on.  Context: task.
 */
void fc_cache_set_label(struct fc_cache *cache)
{
	const char *ssd = cache->dev_name[FC_DEV_CACHE];
	const char *disk = cache->dev_name[FC_DEV_ORIGIN];
	unsigned int n;

	mutex_lock(&registry_mutex);
	snprintf(cache->label, sizeof(cache->label), "%s+%s", ssd, disk);
	for (n = 2; label_taken_locked(cache); n++)
		snprintf(cache->label, sizeof(cache->label), "%s+%s#%u", ssd, disk, n);
	mutex_unlock(&registry_mutex);
}
