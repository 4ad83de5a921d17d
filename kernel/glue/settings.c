// SPDX-License-Identifier: GPL-2.0-only
/*
 * The numbers that users set, by options of the table line and by sysctls: what they are called,
 * what they may be, and what they change.  Most are tunables of the core.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "glue.h"

/*
 * In the order in which the options of a table line are applied and printed: what sets two
 * numbers stands before what sets one of them.
 */
const struct fc_tunable_name fc_tunable_names[] = {
	{ "dirty_thresh_pct", FC_TUNE_DIRTY_THRESH_PCT, true },
	{ "cache_dirty_thresh_pct", FC_TUNE_CACHE_DIRTY_THRESH_PCT, true },
	{ "max_clean_ios_total", FC_TUNE_MAX_CLEAN_IOS_TOTAL, true },
	{ "max_clean_ios_set", FC_TUNE_MAX_CLEAN_IOS_SET, true },
	{ "max_clean_ios_busy", FC_TUNE_MAX_CLEAN_IOS_BUSY, true },
	{ "fallow_delay", FC_TUNE_FALLOW_DELAY_S, true },
	{ "fallow_clean_speed", FC_TUNE_FALLOW_CLEAN_SPEED, true },
	{ "idle_delay_ms", FC_TUNE_IDLE_DELAY_MS, true },
	{ "writeback_centisecs", FC_TUNE_WRITEBACK_CENTISECS, true },
	{ "new_style_write_merge", FC_TUNE_WRITE_MERGE, true },
	{ "clean_on_read_miss", FC_TUNE_CLEAN_ON_READ_MISS, true },
	{ "clean_on_write_miss", FC_TUNE_CLEAN_ON_WRITE_MISS, true },
	{ "fast_remove", FC_TUNE_FAST_REMOVE, true },
	{ "stop_sync", FC_TUNE_STOP_SYNC, false },
	{ "cache_all", FC_TUNE_CACHE_ALL, true },
	{ "admission", FC_TUNE_ADMISSION, true },
	{ "skip_seq_thresh_kb", FC_SETTING_SKIP_SEQ_KB, true },
	{ "skip_seq_read_thresh_kb", FC_TUNE_SKIP_SEQ_READ_KB, true },
	{ "skip_seq_write_thresh_kb", FC_TUNE_SKIP_SEQ_WRITE_KB, true },
	{ "reclaim_policy", FC_SETTING_POLICY, true },
	{ "lru_hot_pct", FC_TUNE_LRU_HOT_PCT, true },
	{ "lru_promote_thresh", FC_TUNE_LRU_PROMOTE_THRESH, true },
};
const unsigned int fc_nr_tunable_names = ARRAY_SIZE(fc_tunable_names);
static_assert(ARRAY_SIZE(fc_tunable_names) <= FC_MAX_OPTIONS);
static_assert(FC_MAX_OPTIONS <= 64);	/* bits of fc_table.options_given */
/* Each tunable has its name above, and so have the two that are none. */
static_assert(ARRAY_SIZE(fc_tunable_names) == FC_NR_TUNABLES + 2);

/* The smallest and the largest value.  0, or -EINVAL if there is no such number.  Context: any. */
int fc_setting_range(int setting, unsigned int *low, unsigned int *high)
{
	switch (setting) {
	case FC_SETTING_SKIP_SEQ_KB:
		setting = FC_TUNE_SKIP_SEQ_READ_KB;
		break;
	case FC_SETTING_POLICY:
		*low = 0;
		*high = FC_NR_POLICIES - 1;
		return 0;
	}
	return fc_core_tune_range(setting, low, high) ? -EINVAL : 0;
}

/* Of both sequential thresholds, the one for reads.  Context: any. */
unsigned int fc_setting_get(struct fc_core *core, int setting)
{
	switch (setting) {
	case FC_SETTING_SKIP_SEQ_KB:
		return fc_core_tuned(core, FC_TUNE_SKIP_SEQ_READ_KB);
	case FC_SETTING_POLICY:
		return fc_core_gauge(core, FC_GAUGE_POLICY);
	default:
		return fc_core_tuned(core, setting);
	}
}

/*
 * @core is the core of @cache, which need not be open yet.  0; -EINVAL if @value is out of range;
 * or another error, if there is no memory for a policy.  Nothing changes then.  Context: task;
 * sleeps.
 */
int fc_setting_set(struct fc_cache *cache, struct fc_core *core, int setting, unsigned int value)
{
	switch (setting) {
	case FC_SETTING_SKIP_SEQ_KB:
		if (fc_core_tune(core, FC_TUNE_SKIP_SEQ_READ_KB, value) ||
		    fc_core_tune(core, FC_TUNE_SKIP_SEQ_WRITE_KB, value))
			return -EINVAL;
		return 0;
	case FC_SETTING_POLICY:
		if (value >= FC_NR_POLICIES)
			return -EINVAL;
		return fc_policy_adopt(cache, core, value);
	default:
		return fc_core_tune(core, setting, value) ? -EINVAL : 0;
	}
}
