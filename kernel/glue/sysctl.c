// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/sys/dev/flashcache/<ssd>+<disk>/: a file for each tunable of the core, and two that do
 * something.  A value out of range is EINVAL, and the old one stays.
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
	unsigned int value = fc_core_tuned(cache->core, name->tunable);
	int r = transfer(table, &value, write, buffer, length, position);

	if (r <= 0)
		return r;
	if (value < name->min || value > name->max ||
	    fc_core_tune(cache->core, name->tunable, value))
		return -EINVAL;
	return 0;
}

/* Reads as 1 while a sync runs. */
static int do_sync_handler(fc_ctl_table *table, int write, void *buffer, size_t *length,
			   loff_t *position)
{
	struct fc_cache *cache = table->data;
	unsigned int value = fc_core_gauge(cache->core, FC_GAUGE_SYNCING) ? 1 : 0;
	int r = transfer(table, &value, write, buffer, length, position);

	if (r <= 0 || !value)
		return r < 0 ? r : 0;
	fc_core_tune(cache->core, FC_TUNE_STOP_SYNC, 0);
	fc_core_start_sync(cache->core);
	return 0;
}

static int zero_stats_handler(fc_ctl_table *table, int write, void *buffer, size_t *length,
			      loff_t *position)
{
	unsigned int value = 0;
	int r = transfer(table, &value, write, buffer, length, position);

	if (r <= 0 || !value)
		return r < 0 ? r : 0;
	fc_stats_zero(table->data);
	return 0;
}

static const struct {
	const char *name;
	proc_handler *handler;
} actions[] = {
	{ "do_sync", do_sync_handler },
	{ "zero_stats", zero_stats_handler },
};

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
	for (i = 0; i < ARRAY_SIZE(actions); i++, entry++) {
		entry->procname = actions[i].name;
		entry->data = cache;
		entry->mode = 0644;
		entry->proc_handler = actions[i].handler;
	}
}

/* Context: task.  Without its files a cache works as well. */
void fc_sysctl_add(struct fc_cache *cache)
{
	size_t nr = fc_nr_tunable_names + ARRAY_SIZE(actions);
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
