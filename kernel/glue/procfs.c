// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/flashcache: the version, and for each cache its counters.
 *
 * Keys and their order are those of flashcache 3, which collectors parse; what is new comes
 * after them.  To read a file costs the same whatever the size of the cache, and takes no lock
 * that a request needs.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "histogram.h"

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
	int stat;			/* enum fc_stat */
	int percent_of;			/* enum fc_stat or NO_STAT */
	unsigned int modes;
};

#define COUNT(stat, modes) { #stat, FC_STAT_##stat, NO_STAT, modes }
#define PERCENT(name, stat, whole, modes) { name, FC_STAT_##stat, FC_STAT_##whole, modes }

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
	COUNT(uncached_sequential_reads, ALL),
	COUNT(uncached_sequential_writes, ALL),
	COUNT(pid_adds, ALL),
	COUNT(pid_dels, ALL),
	COUNT(pid_drops, ALL),
	COUNT(pid_expiry, ALL),
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
	COUNT(read_misses, ALL),
	COUNT(write_misses, ALL),
	COUNT(admission_refusals, ALL),
};

static u64 value_of(struct fc_cache *cache, const struct stats_key *key)
{
	u64 count = fc_stat(cache, key->stat);
	u64 whole;

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

/*
 * The sizes of requests as they are accepted: none crosses a chunk, or has more than one kind of
 * service.  The first line is flashcache 3's, which had no larger ones.
 */
static int iosize_hist_show(struct seq_file *seq, void *v)
{
	struct fc_cache *cache = seq->private;
	unsigned int i;

	for (i = 0; i < FC_SIZE_BUCKETS - 1; i++)
		seq_printf(seq, "%u:%llu ", (i + 1) << SECTOR_SHIFT,
			   fc_histogram_count(cache, FC_HISTOGRAM_SIZE, i));
	seq_printf(seq, "\n>%u:%llu \n", i << SECTOR_SHIFT,
		   fc_histogram_count(cache, FC_HISTOGRAM_SIZE, i));
	return 0;
}

/* As flashcache 3 had it at the end of "dmsetup status". */
static int io_latency_hist_show(struct seq_file *seq, void *v)
{
	struct fc_cache *cache = seq->private;
	unsigned int i;

	seq_puts(seq, "IO Latency Histogram: \n");
	for (i = 0; i < FC_LATENCY_BUCKETS - 1; i++)
		seq_printf(seq, "< %u\tusecs : %llu\n", (i + 1) * FC_LATENCY_BUCKET_US,
			   fc_histogram_count(cache, FC_HISTOGRAM_LATENCY, i));
	seq_printf(seq, "> %u\tmsecs : %llu\n", i * FC_LATENCY_BUCKET_US / 1000,
		   fc_histogram_count(cache, FC_HISTOGRAM_LATENCY, i));
	return 0;
}

/* How many blocks the copies to the origin had. */
static int write_clustering_show(struct seq_file *seq, void *v)
{
	struct fc_cache *cache = seq->private;
	unsigned int i;

	for (i = 0; i < FC_COPY_BUCKETS; i++)
		seq_printf(seq, "%u:%llu ", i + 1,
			   fc_histogram_count(cache, FC_HISTOGRAM_COPY, i));
	seq_putc(seq, '\n');
	return 0;
}

static int pidlists_show(struct seq_file *seq, void *v)
{
	fc_lists_show(seq->private, seq);
	return 0;
}

static const struct {
	const char *name;
	int (*show)(struct seq_file *seq, void *v);
} files[] = {
	{ "flashcache_stats", stats_show },
	{ "flashcache_errors", errors_show },
	{ "flashcache_iosize_hist", iosize_hist_show },
	{ "flashcache_pidlists", pidlists_show },
	{ "flashcache_io_latency_hist", io_latency_hist_show },
	{ "flashcache_write_clustering", write_clustering_show },
};

static int version_show(struct seq_file *seq, void *v)
{
	seq_printf(seq, "Flashcache Version : %s\n", FC_VERSION);
	return 0;
}

/* Context: task.  Without its files a cache works as well. */
void fc_procfs_add(struct fc_cache *cache)
{
	size_t i = 0;

	cache->proc_dir = proc_mkdir(cache->label, root);
	while (cache->proc_dir && i < ARRAY_SIZE(files) &&
	       proc_create_single_data(files[i].name, 0444, cache->proc_dir, files[i].show, cache))
		i++;
	if (i < ARRAY_SIZE(files))
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
