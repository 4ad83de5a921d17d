// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for state changes: jobs with their buffers, and entries for requests that wait.
 *
 * The core asks in any context, so nothing here sleeps.  Jobs and entries come from slabs of the
 * module, and when those have nothing now, from the cache's own mempools (buffers: pages.c).  What cannot
 * be had is remembered, and the core is run again as soon as something is given back: the mempools
 * hold something only after everything else was refused, so something will be given back.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "glue.h"
#include "inject.h"

#define JOBS_RESERVED 64
#define PENDINGS_RESERVED 1024
static struct kmem_cache *job_slab;
static struct kmem_cache *pending_slab;

int fc_jobs_init_module(void)
{
	job_slab = fc_slab_create("kcached-jobs", sizeof(struct fc_glue_job),
				  __alignof__(struct fc_glue_job));
	if (!job_slab)
		return -ENOMEM;

	pending_slab = fc_slab_create("pending-jobs", sizeof(struct fc_pending),
				      __alignof__(struct fc_pending));
	if (!pending_slab) {
		kmem_cache_destroy(job_slab);
		return -ENOMEM;
	}
	return 0;
}

void fc_jobs_exit_module(void)
{
	fc_pages_exit_module();
	kmem_cache_destroy(pending_slab);
	kmem_cache_destroy(job_slab);
}

/* ---- waiting for memory ---------------------------------------------------------------------- */

/*
 * Note that somebody goes without.  To be followed by one more try: memory that was given back
 * before this is seen by that try, and memory given back later sees the note.
 */
static void want_memory(struct fc_cache *cache)
{
	set_bit(FC_CACHE_WANTS_MEMORY, &cache->flags);
	smp_mb__after_atomic();	/* pairs with memory_given_back() */
}

static void memory_given_back(struct fc_cache *cache)
{
	smp_mb();	/* pairs with want_memory() */
	if (unlikely(test_bit(FC_CACHE_WANTS_MEMORY, &cache->flags)) &&
	    test_and_clear_bit(FC_CACHE_WANTS_MEMORY, &cache->flags))
		fc_os_kick(cache, FC_WORK_RUN, 0);
}

static void *pool_alloc(struct fc_cache *cache, mempool_t *pool)
{
	void *object = mempool_alloc(pool, FC_GFP);

	if (unlikely(!object)) {
		want_memory(cache);
		object = mempool_alloc(pool, FC_GFP);
	}
	return object;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

/* Context: task. */
int fc_jobs_init(struct fc_cache *cache)
{
	int r;

	r = fc_pages_init(&cache->pages);
	if (!r)
		r = mempool_init_slab_pool(&cache->jobs, JOBS_RESERVED, job_slab);
	if (!r)
		r = mempool_init_slab_pool(&cache->pendings, PENDINGS_RESERVED, pending_slab);
	return r;
}

/* Also after a failed or missing fc_jobs_init().  Context: task. */
void fc_jobs_exit(struct fc_cache *cache)
{
	mempool_exit(&cache->pendings);
	mempool_exit(&cache->jobs);
	fc_pages_exit(&cache->pages);
}

/* Context: any.  Null if there is no memory now. */
struct fc_job *fc_os_job_alloc(void *os)
{
	struct fc_cache *cache = os;
	struct fc_glue_job *job;

	if (fc_inject_alloc(cache, fc_inject_job_bits(cache)))
		return NULL;
	job = pool_alloc(cache, &cache->jobs);
	if (unlikely(!job))
		return NULL;
	memset(&job->core, 0, offsetof(struct fc_job, way));
	job->cache = cache;
	fc_inject_init_job(job);
	job->nr_pages = 0;
	return &job->core;
}

/* Context: any. */
void fc_os_job_free(void *os, struct fc_job *core_job)
{
	struct fc_cache *cache = os;
	struct fc_glue_job *job = to_glue_job(core_job);

	if (job->nr_pages)
		fc_pages_give(&cache->pages, job->page, job->nr_pages);
	mempool_free(job, &cache->jobs);
	memory_given_back(cache);
}

/* Context: any.  0, or -1 if there is no memory now. */
int fc_os_job_buffer(void *os, struct fc_job *core_job, unsigned int nr_sectors, int reserve)
{
	struct fc_cache *cache = os;
	struct fc_glue_job *job = to_glue_job(core_job);
	unsigned int nr = DIV_ROUND_UP(nr_sectors << SECTOR_SHIFT, PAGE_SIZE);
	unsigned int got;

	if (WARN_ON_ONCE(job->nr_pages || nr > FC_JOB_MAX_PAGES))
		return -1;

	got = fc_pages_get(job->page, nr);
	if (unlikely(got < nr && reserve)) {
		want_memory(cache);
		if (fc_pages_get_reserved(&cache->pages, job->page + got, nr - got))
			got = nr;
	}
	if (unlikely(got < nr)) {
		fc_pages_give(&cache->pages, job->page, got);
		return -1;
	}
	job->nr_pages = nr;
	return 0;
}

/* Context: any.  Null if there is no memory now. */
struct fc_pending *fc_os_pending_alloc(void *os)
{
	struct fc_cache *cache = os;

	if (fc_inject_alloc(cache, FC_INJECT_PENDING))
		return NULL;
	return pool_alloc(cache, &cache->pendings);
}

/* Context: any. */
void fc_os_pending_free(void *os, struct fc_pending *pending)
{
	struct fc_cache *cache = os;

	mempool_free(pending, &cache->pendings);
	memory_given_back(cache);
}
