// SPDX-License-Identifier: GPL-2.0-only
/* Counters, per CPU, and the line of "dmsetup status". */
#define DM_MSG_PREFIX "flashcache"

#include <linux/percpu.h>

#include "glue.h"

/* Context: any. */
void fc_os_stat(void *os, int stat, unsigned int n)
{
	struct fc_cache *cache = os;

	this_cpu_add(cache->stats->n[stat], n);
}

/* The total since the cache was made; zero_stats does not change it.  Context: any. */
fc_u64 fc_os_stat_sum(void *os, int stat)
{
	struct fc_cache *cache = os;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(cache->stats, cpu)->n[stat];
	return sum;
}

/* What users see: the total since zero_stats.  Context: any. */
u64 fc_stat(struct fc_cache *cache, int stat)
{
	u64 base = READ_ONCE(cache->stats_base[stat]);	/* first: it is never the larger one */

	return fc_os_stat_sum(cache, stat) - base;
}

/*
 * Counters and histograms start again.  Errors are kept: they say what has become of the devices.
 * Context: task.
 */
void fc_stats_zero(struct fc_cache *cache)
{
	int i;

	for (i = 0; i < FC_STAT_disk_read_errors; i++)
		WRITE_ONCE(cache->stats_base[i], fc_os_stat_sum(cache, i));
	fc_histograms_zero(cache);
}

const char *fc_mode_name(int mode)
{
	switch (mode) {
	case FC_MODE_WRITE_BACK:
		return "write_back";
	case FC_MODE_WRITE_THROUGH:
		return "write_through";
	case FC_MODE_WRITE_AROUND:
		return "write_around";
	case FC_MODE_WRITE_ONLY:
		return "write_only";
	default:
		return "unknown";
	}
}

static const char *state_name(struct fc_core *core)
{
	if (!core)
		return "inactive";
	if (fc_core_gauge(core, FC_GAUGE_DEGRADED))
		return "degraded";
	return "ok";
}

/*
 * One line of key=value words: mode, state, gauges, counters.  Before the first resume there are
 * only the first two.  Returns the bytes printed.  Context: task.
 */
unsigned int fc_status_print(struct fc_cache *cache, char *result, unsigned int maxlen)
{
	static const char * const gauge_names[FC_NR_GAUGES] = {
		[FC_GAUGE_BLOCKS] = "blocks",
		[FC_GAUGE_CACHED] = "cached",
		[FC_GAUGE_DIRTY] = "dirty",
		[FC_GAUGE_WAITING] = "waiting",
		[FC_GAUGE_LOG_USED] = "log_used",
		[FC_GAUGE_LOG_UNITS] = "log_units",
		[FC_GAUGE_DEGRADED] = "degraded",
		[FC_GAUGE_RECOVERED_DIRTY] = "recovered_dirty",
		[FC_GAUGE_RECOVERED_CLEAN] = "recovered_clean",
		[FC_GAUGE_RECOVERED_VOID] = "recovered_void",
		[FC_GAUGE_UNCLEAN_LOAD] = "unclean_load",
		[FC_GAUGE_SYNCING] = "syncing",
		[FC_GAUGE_POLICY] = "reclaim_policy",
		[FC_GAUGE_LRU_HOT] = "lru_hot_blocks",
		[FC_GAUGE_LRU_PROMOTIONS] = "lru_promotions",
		[FC_GAUGE_LRU_DEMOTIONS] = "lru_demotions",
	};
	static const char * const stat_names[FC_NR_STATS] = {
#define STAT_NAME(name, meaning) #name,
		FC_STATS(STAT_NAME)
#undef STAT_NAME
	};
	struct fc_core *core = smp_load_acquire(&cache->core);	/* open: see open_core() */
	unsigned int sz = 0;
	int i;

	static_assert(FC_GAUGE_LRU_DEMOTIONS == FC_NR_GAUGES - 1);	/* each has its name above */
	DMEMIT("mode=%s state=%s", fc_mode_name(core ? cache->mode : cache->config.mode),
	       state_name(core));
	if (!core)
		return sz;
	for (i = 0; i < FC_NR_GAUGES; i++)
		DMEMIT(" %s=%llu", gauge_names[i], fc_core_gauge(core, i));
	for (i = 0; i < FC_NR_STATS; i++)
		DMEMIT(" %s=%llu", stat_names[i], fc_stat(cache, i));
	DMEMIT(" proc=%s", cache->label);
	return sz;
}
