// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/sys/dev/flashcache/<ssd>+<disk>/: a file for each number of settings.c, and those below,
 * of which some do something when they are written.  A value out of range is EINVAL, and the old
 * one stays.
 *
 * All modes have all files: a mode may change while the cache lives, and what is dirty outlives
 * the change.  They are made at the first resume, and not again when a table is reloaded, for
 * taking them away would wait for a writer, who may wait for memory while I/O is suspended.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "compat.h"
#include "glue.h"

/* Read or write @value as text; 1 if a new value came, 0 if not. */
static int transfer(fc_ctl_table *table, unsigned int *value, int write, void *buffer,
		    size_t *length, loff_t *position)
{
	struct ctl_table number = {
		.procname = table->procname,
		.data = value,
		.maxlen = sizeof(*value),
		.mode = table->mode,
	};
	bool any = *length && (!write || !*position);
	int r = proc_douintvec(&number, write, buffer, length, position);

	if (r)
		return r;
	return write && any;
}

static int tunable_handler(fc_ctl_table *table, int write, void *buffer, size_t *length,
			   loff_t *position)
{
	struct fc_cache *cache = table->data;
	const struct fc_tunable_name *name = table->extra1;
	unsigned int value = fc_setting_get(cache->core, name->tunable);
	int r = transfer(table, &value, write, buffer, length, position);

	if (r <= 0)
		return r;
	return fc_setting_set(cache, cache->core, name->tunable, value);
}

/* ---- those that are no tunables of the core -------------------------------------------------- */

/* Reads as 1 while a sync runs. */
static unsigned int get_do_sync(struct fc_cache *cache)
{
	return fc_core_gauge(cache->core, FC_GAUGE_SYNCING) ? 1 : 0;
}

static int set_do_sync(struct fc_cache *cache, unsigned int value)
{
	if (!value)
		return 0;
	fc_core_start_sync(cache->core);
	return 0;
}

static unsigned int get_zero_stats(struct fc_cache *cache)
{
	return 0;
}

static int set_zero_stats(struct fc_cache *cache, unsigned int value)
{
	if (value)
		fc_stats_zero(cache);
	return 0;
}

static unsigned int get_io_latency_hist(struct fc_cache *cache)
{
	return READ_ONCE(cache->times_io);
}

static int set_io_latency_hist(struct fc_cache *cache, unsigned int value)
{
	fc_latency_record(cache, value);
	return 0;
}

static unsigned int get_do_pid_expiry(struct fc_cache *cache)
{
	return fc_list_get_limit(cache, FC_LIST_DO_EXPIRY);
}

static int set_do_pid_expiry(struct fc_cache *cache, unsigned int value)
{
	return fc_list_set_limit(cache, FC_LIST_DO_EXPIRY, value);
}

static unsigned int get_pid_expiry_secs(struct fc_cache *cache)
{
	return fc_list_get_limit(cache, FC_LIST_EXPIRY_SECS);
}

static int set_pid_expiry_secs(struct fc_cache *cache, unsigned int value)
{
	return fc_list_set_limit(cache, FC_LIST_EXPIRY_SECS, value);
}

static unsigned int get_max_pids(struct fc_cache *cache)
{
	return fc_list_get_limit(cache, FC_LIST_MAX_PIDS);
}

static int set_max_pids(struct fc_cache *cache, unsigned int value)
{
	return fc_list_set_limit(cache, FC_LIST_MAX_PIDS, value);
}

struct control {
	const char *name;
	unsigned int (*get)(struct fc_cache *cache);
	int (*set)(struct fc_cache *cache, unsigned int value);
};

static const struct control controls[] = {
	{ "do_sync", get_do_sync, set_do_sync },
	{ "zero_stats", get_zero_stats, set_zero_stats },
	{ "io_latency_hist", get_io_latency_hist, set_io_latency_hist },
	{ "do_pid_expiry", get_do_pid_expiry, set_do_pid_expiry },
	{ "pid_expiry_secs", get_pid_expiry_secs, set_pid_expiry_secs },
	{ "max_pids", get_max_pids, set_max_pids },
#ifdef FLASHCACHE_DEBUG
	{ "error_inject", fc_injected, fc_inject_set },
#endif
};

static int control_handler(fc_ctl_table *table, int write, void *buffer, size_t *length,
			   loff_t *position)
{
	struct fc_cache *cache = table->data;
	const struct control *control = table->extra1;
	unsigned int value = control->get(cache);
	int r = transfer(table, &value, write, buffer, length, position);

	if (r <= 0)
		return r;
	return control->set(cache, value);
}

/* ---- the directory --------------------------------------------------------------------------- */

static void fill_table(struct fc_cache *cache, struct ctl_table *entry)
{
	unsigned int i;

	for (i = 0; i < fc_nr_tunable_names; i++, entry++) {
		entry->procname = fc_tunable_names[i].name;
		entry->data = cache;
		entry->extra1 = (void *)&fc_tunable_names[i];
		entry->mode = 0644;
		entry->proc_handler = tunable_handler;
	}
	for (i = 0; i < ARRAY_SIZE(controls); i++, entry++) {
		entry->procname = controls[i].name;
		entry->data = cache;
		entry->extra1 = (void *)&controls[i];
		entry->mode = 0644;
		entry->proc_handler = control_handler;
	}
}

/* Context: task.  Without its files a cache works as well. */
void fc_sysctl_add(struct fc_cache *cache)
{
	size_t nr = fc_nr_tunable_names + ARRAY_SIZE(controls);
	char *path = kasprintf(GFP_KERNEL, "dev/flashcache/%s", cache->label);

	/* One more, empty: older kernels look for it. */
	cache->sysctl_table = kcalloc(nr + 1, sizeof(*cache->sysctl_table), GFP_KERNEL);
	if (path && cache->sysctl_table) {
		fill_table(cache, cache->sysctl_table);
		cache->sysctl_header = fc_register_sysctl(path, cache->sysctl_table, nr);
	}
	if (!cache->sysctl_header)
		fc_warn(cache, "cannot make /proc/sys/dev/flashcache/%s", cache->label);
	kfree(path);
}

/* Waits for readers and writers.  Context: task. */
void fc_sysctl_remove(struct fc_cache *cache)
{
	if (cache->sysctl_header)
		unregister_sysctl_table(cache->sysctl_header);
	kfree(cache->sysctl_table);
	cache->sysctl_header = NULL;
	cache->sysctl_table = NULL;
}
