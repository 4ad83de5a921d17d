// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms: what is summed when they are read, and cleared.  Clearing keeps the counters and
 * notes where they stood, so that no count is lost between CPUs.  The sizes of requests are never
 * cleared.
 */
#include <linux/percpu.h>
#include <linux/slab.h>

#include "histogram.h"

static u64 *bucket_of(struct fc_histograms *histograms, enum fc_histogram which,
		      unsigned int bucket)
{
	switch (which) {
	case FC_HISTOGRAM_SIZE:
		return &histograms->size[bucket];
	case FC_HISTOGRAM_LATENCY:
		return &histograms->latency[bucket];
	default:
		return &histograms->copy[bucket];
	}
}

static u64 sum_of(struct fc_cache *cache, enum fc_histogram which, unsigned int bucket)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*bucket_of(per_cpu_ptr(cache->histograms, cpu), which, bucket));
	return sum;
}

/* What @bucket of a histogram has counted since it was cleared.  Context: any. */
u64 fc_histogram_count(struct fc_cache *cache, enum fc_histogram which, unsigned int bucket)
{
	/* First: it is never the larger one. */
	u64 base = READ_ONCE(*bucket_of(cache->histograms_base, which, bucket));

	return sum_of(cache, which, bucket) - base;
}

static void clear(struct fc_cache *cache, enum fc_histogram which, unsigned int nr_buckets)
{
	unsigned int i;

	for (i = 0; i < nr_buckets; i++)
		WRITE_ONCE(*bucket_of(cache->histograms_base, which, i), sum_of(cache, which, i));
}

/* zero_stats.  Context: task. */
void fc_histograms_zero(struct fc_cache *cache)
{
	clear(cache, FC_HISTOGRAM_LATENCY, FC_LATENCY_BUCKETS);
	clear(cache, FC_HISTOGRAM_COPY, FC_COPY_BUCKETS);
}

/* io_latency_hist: take the time of the requests that come from now on, or not.  Context: task. */
void fc_latency_record(struct fc_cache *cache, bool on)
{
	if (on)
		clear(cache, FC_HISTOGRAM_LATENCY, FC_LATENCY_BUCKETS);
	WRITE_ONCE(cache->times_io, on);
}

/* Context: task. */
int fc_histograms_init(struct fc_cache *cache)
{
	cache->histograms = alloc_percpu(struct fc_histograms);
	cache->histograms_base = kzalloc(sizeof(*cache->histograms_base), GFP_KERNEL);
	return cache->histograms && cache->histograms_base ? 0 : -ENOMEM;
}

/* Also after a failed or missing fc_histograms_init().  Context: task. */
void fc_histograms_exit(struct fc_cache *cache)
{
	kfree(cache->histograms_base);
	free_percpu(cache->histograms);
}
