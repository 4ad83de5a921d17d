/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histograms, per cache and CPU: the sizes of requests, how long they take, and how many blocks
 * each copy of the cleaner has.  To count is one addition to memory of this CPU; sums are exact,
 * for whoever reads them adds up all CPUs.
 */
#ifndef FLASHCACHE_HISTOGRAM_H
#define FLASHCACHE_HISTOGRAM_H

#include <linux/ktime.h>
#include <linux/percpu.h>

#include "glue.h"

#define FC_SIZE_BUCKETS 33		/* 512, 1024, ... 16384 bytes, and what is larger */
#define FC_LATENCY_BUCKET_US 250
#define FC_LATENCY_BUCKETS 41		/* < 250, < 500, ... < 10000 us, and what takes longer */
#define FC_COPY_BUCKETS 64		/* blocks, from 1 */

struct fc_histograms {
	u64 size[FC_SIZE_BUCKETS];
	u64 latency[FC_LATENCY_BUCKETS];
	u64 copy[FC_COPY_BUCKETS];
};

static inline unsigned int fc_size_bucket(unsigned int nr_sectors)
{
	return min_t(unsigned int, nr_sectors, FC_SIZE_BUCKETS) - 1;
}

/* A request of @nr_sectors, at least 1.  Context: any. */
static inline void fc_count_size(struct fc_cache *cache, unsigned int nr_sectors)
{
	this_cpu_inc(cache->histograms->size[fc_size_bucket(nr_sectors)]);
}

/* It has become shorter; the rest of it comes as another request.  Context: any. */
static inline void fc_recount_size(struct fc_cache *cache, unsigned int before, unsigned int now)
{
	this_cpu_dec(cache->histograms->size[fc_size_bucket(before)]);
	fc_count_size(cache, now);
}

/* A copy of @nr_blocks, from 1 to 64.  Context: any. */
static inline void fc_count_copy(struct fc_cache *cache, unsigned int nr_blocks)
{
	this_cpu_inc(cache->histograms->copy[clamp_t(unsigned int, nr_blocks, 1,
						     FC_COPY_BUCKETS) - 1]);
}

/* A request ends that came at @start_ns.  Context: any. */
static inline void fc_count_latency(struct fc_cache *cache, u64 start_ns)
{
	u64 bucket = div_u64(ktime_get_ns() - start_ns, FC_LATENCY_BUCKET_US * NSEC_PER_USEC);

	this_cpu_inc(cache->histograms->latency[min_t(u64, bucket, FC_LATENCY_BUCKETS - 1)]);
}

#endif
