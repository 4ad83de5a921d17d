// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/flashcache: the version, and for each cache its counters.
 *
 * Keys and their order are those of flashcache 3, which collectors parse; what is new comes
 * after them.  A key whose feature does not exist (yet) is 0.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "glue.h"

static struct proc_dir_entry *root;

/* Which modes show a key: bits 1 << enum fc_mode. */
#define BACK (BIT(FC_MODE_WRITE_BACK) | BIT(FC_MODE_WRITE_ONLY))
#define THRU BIT(FC_MODE_WRITE_THROUGH)
#define AROUND BIT(FC_MODE_WRITE_AROUND)
#define ALL (BACK | THRU | AROUND)

#define NO_STAT -1

/* A key of the second line: a counter, or its percentage of another. */
struct stats_key {
	const char *name;
	int stat;			/* enum fc_stat or NO_STAT */
	int percent_of;			/* enum fc_stat or NO_STAT */
	unsigned int modes;
};

#define COUNT(stat, modes) { #stat, FC_STAT_##stat, NO_STAT, modes }
#define PERCENT(name, stat, whole, modes) { name, FC_STAT_##stat, FC_STAT_##whole, modes }
#define ABSENT(name, modes) { name, NO_STAT, NO_STAT, modes }

static const struct stats_key keys[] = {
	COUNT(read_hits, ALL),
	PERCENT("read_hit_percent", read_hits, reads, ALL),
	COUNT(write_hits, BACK | THRU),
	PERCENT("write_hit_percent", write_hits, writes, BACK | THRU),
	COUNT(dirty_write_hits, BACK),
	PERCENT("dirty_write_hit_percent", dirty_write_hits, writes, BACK),
	COUNT(replacement, ALL),
	COUNT(write_replacement, BACK | THRU),
	COUNT(write_invalidates, BACK | THRU),
	COUNT(read_invalidates, ALL),
	COUNT(pending_enqueues, ALL),
	COUNT(pending_inval, ALL),
	COUNT(metadata_dirties, BACK),
	COUNT(metadata_cleans, BACK),
	COUNT(metadata_batch, BACK),
	COUNT(metadata_ssd_writes, BACK),
	COUNT(cleanings, BACK),
	COUNT(fallow_cleanings, BACK),
	COUNT(no_room, ALL),
	COUNT(front_merge, BACK),
	COUNT(back_merge, BACK),
	COUNT(disk_reads, ALL),
	COUNT(disk_writes, ALL),
	COUNT(ssd_reads, ALL),
	COUNT(ssd_writes, ALL),
	COUNT(uncached_reads, ALL),
	COUNT(uncached_writes, ALL),
	{ "uncached_IO_requeue", FC_STAT_uncached_io_requeue, NO_STAT, ALL },
	ABSENT("uncached_sequential_reads", ALL),
	ABSENT("uncached_sequential_writes", ALL),
	ABSENT("pid_adds", ALL),
	ABSENT("pid_dels", ALL),
	ABSENT("pid_drops", ALL),
	ABSENT("pid_expiry", ALL),
	/* new */
	COUNT(fills, ALL),
	COUNT(fill_drops, ALL),
	COUNT(flushes, ALL),
	COUNT(flush_ssd, ALL),
	COUNT(flush_disk, ALL),
	COUNT(discards, ALL),
	COUNT(confirm_waits, ALL),
	COUNT(checkpoints, ALL),
	COUNT(log_waits, ALL),
};

static u64 value_of(struct fc_cache *cache, const struct stats_key *key)
{
	u64 count;
	u64 whole;

	if (key->stat == NO_STAT)
		return 0;
	count = fc_stat(cache, key->stat);
	if (key->percent_of == NO_STAT)
		return count;
	whole = fc_stat(cache, key->percent_of);
	return whole ? div64_u64(count * 100, whole) : 0;
}

static int stats_show(struct seq_file *seq, void *v)
{
	struct fc_cache *cache = seq->private;
	const char *space = "";
	size_t i;

	seq_printf(seq, "reads=%llu writes=%llu \n", fc_stat(cache, FC_STAT_reads),
		   fc_stat(cache, FC_STAT_writes));
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!(keys[i].modes & BIT(cache->mode)))
			continue;
		seq_printf(seq, "%s%s=%llu", space, keys[i].name, value_of(cache, &keys[i]));
		space = " ";
	}
	seq_putc(seq, '\n');
	return 0;
}

static int errors_show(struct seq_file *seq, void *v)
{
	struct fc_cache *cache = seq->private;

	seq_printf(seq, "disk_read_errors=%llu disk_write_errors=%llu ssd_read_errors=%llu ssd_write_errors=%llu memory_alloc_errors=%llu\n",
		   fc_stat(cache, FC_STAT_disk_read_errors),
		   fc_stat(cache, FC_STAT_disk_write_errors),
		   fc_stat(cache, FC_STAT_ssd_read_errors),
		   fc_stat(cache, FC_STAT_ssd_write_errors),
		   fc_stat(cache, FC_STAT_memory_alloc_errors));
	return 0;
}

static int version_show(struct seq_file *seq, void *v)
{
	seq_printf(seq, "Flashcache Version : %s\n", FC_VERSION);
	return 0;
}

/* Context: task.  Without its files a cache works as well. */
void fc_procfs_add(struct fc_cache *cache)
{
	cache->proc_dir = proc_mkdir(cache->label, root);
	if (!cache->proc_dir ||
	    !proc_create_single_data("flashcache_stats", 0444, cache->proc_dir, stats_show,
				     cache) ||
	    !proc_create_single_data("flashcache_errors", 0444, cache->proc_dir, errors_show,
				     cache))
		fc_warn(cache, "cannot make all files of /proc/flashcache/%s", cache->label);
}

/* Waits for readers.  Context: task. */
void fc_procfs_remove(struct fc_cache *cache)
{
	proc_remove(cache->proc_dir);
	cache->proc_dir = NULL;
}

int fc_procfs_init_module(void)
{
	root = proc_mkdir("flashcache", NULL);
	if (!root)
		return -ENOMEM;
	if (!proc_create_single("flashcache_version", 0444, root, version_show)) {
		proc_remove(root);
		return -ENOMEM;
	}
	return 0;
}

void fc_procfs_exit_module(void)
{
	proc_remove(root);
}
