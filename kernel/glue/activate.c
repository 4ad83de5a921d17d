// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a cache after its table was loaded: the first resume creates or loads it, later
 * ones apply what a reloaded table asks for, suspend makes everything durable, and the end is an
 * orderly stop.
 *
 * Device-mapper's order, which this relies on, is: .ctr of a new table; .postsuspend of the old;
 * .preresume and .resume of the new; .dtr of the old.  The device's suspend lock excludes these
 * from each other but for .ctr and .dtr.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/vmalloc.h>

#include "glue.h"

/* The one place where the core's results become the kernel's. */
static int errno_of(int status)
{
	switch (status) {
	case FC_OK:
		return 0;
	case FC_EIO:
		return -EIO;
	case FC_ENOMEM:
		return -ENOMEM;
	case FC_EINTR:
		return -EINTR;
	default:
		return -EINVAL;
	}
}

/* ---- the first resume ------------------------------------------------------------------------ */

/* Somebody else may have made a cache there since the table was loaded. */
static int check_still_free(struct fc_cache *cache, const struct fc_table *table, void *scratch)
{
	struct fc_config found = cache->config;
	int status;

	if (table->persistence != FC_PERSIST_CREATE)
		return FC_OK;
	status = fc_core_probe(cache, &found, scratch);
	if (status == FC_E_NO_SUPERBLOCK)
		return FC_OK;
	return status == FC_EIO ? FC_EIO : FC_E_SUPERBLOCK_CHANGED;
}

static int format(struct fc_cache *cache, const struct fc_table *table)
{
	void *scratch;
	int status;

	if (table->persistence != FC_PERSIST_CREATE && table->persistence != FC_PERSIST_FORCE)
		return FC_OK;
	if (cache->formatted)	/* by a resume that failed later */
		return FC_OK;
	scratch = vzalloc(FC_SCRATCH_BYTES);
	if (!scratch)
		return FC_ENOMEM;
	status = check_still_free(cache, table, scratch);
	if (!status)
		status = fc_core_format(cache, &cache->config, scratch);
	cache->formatted = !status;
	vfree(scratch);
	return status;
}

/* A cache in use is worth more than one option: what cannot be had now is only warned of. */
static void apply_options(struct fc_cache *cache, struct fc_core *core,
			  const struct fc_table *table)
{
	unsigned int i;

	for (i = 0; i < fc_nr_tunable_names; i++) {
		const struct fc_tunable_name *name = &fc_tunable_names[i];

		if (!(table->options_given & BIT_ULL(i)))
			continue;
		if (fc_setting_set(cache, core, name->tunable, table->option[i]))
			fc_warn(cache, "option %s %u cannot be applied, it stays %u", name->name,
				table->option[i], fc_setting_get(core, name->tunable));
	}
}

/* Gigabytes, if the cache is large. */
static void clear_memory(void *memory, u64 bytes)
{
	u64 at, n;

	for (at = 0; at < bytes; at += n) {
		n = min_t(u64, bytes - at, SZ_16M);
		memset(memory + at, 0, n);
		cond_resched();
	}
}

/*
 * Messages and status may come before this ends, the new table is in place already: they, and the
 * workers, get to see the core only when it is open.
 */
static int open_core(struct fc_cache *cache, const struct fc_table *table)
{
	struct fc_core *core;
	int status;

	/* From an earlier attempt that failed. */
	fc_policy_free(cache);
	clear_memory(cache->memory, fc_core_bytes(&cache->config));

	core = fc_core_init(cache->memory, cache, &cache->config);
	cache->mode = fc_table_mode(table);
	fc_core_set_mode(core, cache->mode);
	apply_options(cache, core, table);
	status = fc_core_open(core);
	if (status)
		return status;
	smp_store_release(&cache->core, core);
	fc_cache_look_at_devices(cache);
	fc_work_start(cache);
	/* What the core has asked for while it opened. */
	fc_os_kick(cache, FC_WORK_RUN, 0);
	fc_os_kick(cache, FC_WORK_WRITEBACK, 500);
	return 0;
}

static int first_resume(struct fc_target *target)
{
	struct fc_cache *cache = target->cache;
	int status;
	int r;

	r = fc_cache_claim_opening(cache);
	if (r) {
		fc_err(cache, "another cache has taken one of the devices: load the table again");
		return r;
	}

	status = format(cache, &target->table);
	if (!status)
		status = open_core(cache, &target->table);
	if (status) {
		fc_err(cache, "cannot be activated: %s", fc_status_text(status));
		fc_cache_set_state(cache, FC_CACHE_LOADED);
		return errno_of(status);
	}

	target->applied = true;
	fc_cache_set_state(cache, FC_CACHE_LIVE);
	fc_cache_set_label(cache);
	fc_procfs_add(cache);
	fc_sysctl_add(cache);
	return 0;
}

/* ---- later ----------------------------------------------------------------------------------- */

/* Nothing is in flight: the time to apply what a reloaded table changes. */
static int resume_again(struct fc_target *target)
{
	struct fc_cache *cache = target->cache;
	int mode = fc_table_mode(&target->table);

	if (!cache->suspended) {
		fc_cache_suspend(cache);
		if (!cache->suspended)
			return -EIO;
	}
	if (mode != cache->mode) {
		fc_info(cache, "mode changes from %s to %s", fc_mode_name(cache->mode),
			fc_mode_name(mode));
		if (fc_core_set_mode(cache->core, mode))
			fc_warn(cache, "the mode could not be recorded; a load after a crash is in the old one");
		cache->mode = mode;
	}
	/* Not again after a mere suspend: it would undo what sysctls have set since. */
	if (!target->applied)
		apply_options(cache, cache->core, &target->table);
	target->applied = true;
	return 0;
}

/*
 * Before @target's table goes live.  All I/O of the device waits, perhaps also what the kernel
 * must write to get memory: allocations from here on start no I/O.  Context: task; sleeps.
 */
int fc_cache_preresume(struct fc_target *target)
{
	unsigned int noio = memalloc_noio_save();
	int r;

	if (target->cache->state == FC_CACHE_LIVE)
		r = resume_again(target);
	else
		r = first_resume(target);
	memalloc_noio_restore(noio);
	return r;
}

/*
 * A device below, if it is one of device-mapper's or md's, may have got a volatile write cache since
 * the table was loaded.  Cheap; called before what depends on it.  Context: any.
 */
void fc_cache_look_at_devices(struct fc_cache *cache)
{
	int dev;

	for (dev = 0; dev < FC_NR_DEVS; dev++)
		if (bdev_write_cache(cache->bdev[dev]))
			fc_core_set_volatile(cache->core, dev);
}

/* Context: task. */
void fc_cache_resume(struct fc_cache *cache)
{
	if (cache->suspended) {
		cache->suspended = false;
		fc_core_resume(cache->core);
	}
}

/* No request is in flight or will come.  Context: task; sleeps. */
void fc_cache_suspend(struct fc_cache *cache)
{
	int status;

	if (cache->state != FC_CACHE_LIVE || cache->suspended)
		return;
	status = fc_core_suspend(cache->core);
	if (status)
		fc_warn(cache, "suspended, but not everything is durable: %s",
			fc_status_text(status));
	cache->suspended = true;
}

/*
 * The orderly stop of a live cache.  Writes back what is dirty unless fast_remove says not to; a
 * signal to the process that removes the device, or stop_sync set from now on, ends that early,
 * and the dirty blocks stay on the cache device.  Context: task; sleeps.
 */
void fc_cache_close(struct fc_cache *cache)
{
	int fast = fc_core_tuned(cache->core, FC_TUNE_FAST_REMOVE);
	int status;

	fc_policy_fix(cache);
	fc_core_tune(cache->core, FC_TUNE_STOP_SYNC, 0);
	WRITE_ONCE(cache->closer, current);
	status = fc_core_close(cache->core, fast);
	WRITE_ONCE(cache->closer, NULL);
	if (status)
		fc_warn(cache, "stopped, %llu dirty blocks stay on the cache device: %s",
			fc_core_gauge(cache->core, FC_GAUGE_DIRTY), fc_status_text(status));

	fc_sysctl_remove(cache);
	fc_procfs_remove(cache);
	fc_work_stop(cache);
	/*
	 * The completion that brought the cache to rest may not have left it yet: each calls the
	 * core inside of rcu_read_lock().
	 */
	synchronize_rcu();
	cache->core = NULL;
}
