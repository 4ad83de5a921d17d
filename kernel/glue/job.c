// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for state changes: jobs with their buffers, and entries for requests that wait.
 *
 * The core asks in any context, so nothing here sleeps.  Jobs and entries come from slabs of the
 * module, and when those have nothing now, from the cache's own mempools.  What cannot be had
 * is remembered, and the core is run again as soon as something is given back: the mempools
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
/* Two of the largest buffers: one can be written while the next is filled. */
#define PAGES_RESERVED (2 * FC_JOB_MAX_PAGES)

/* Not from the last pages either, which are for those who free some: we have our own. */
#define FC_GFP (GFP_NOWAIT | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC)

static struct kmem_cache *job_slab;
static struct kmem_cache *pending_slab;
static struct kmem_cache *page_slab;

/*
 * Pages of buffers.  A slab that has a constructor is what the kernel does not clear at each allocation
 * (CONFIG_INIT_ON_ALLOC_DEFAULT_ON), which would cost as much as the copy that overwrites it; and it is
 * quicker than the page allocator.
 */
static void construct_page(void *page)
{
	clear_page(page);
}

static struct page *page_get(gfp_t gfp)
{
	void *memory = kmem_cache_alloc(page_slab, gfp);

	return memory ? virt_to_page(memory) : NULL;
}

static void page_give(struct page *page)
{
	kmem_cache_free(page_slab, page_address(page));
}

int fc_jobs_init_module(void)
{
	job_slab = fc_slab_create("kcached-jobs", sizeof(struct fc_glue_job),
				  __alignof__(struct fc_glue_job));
	if (!job_slab)
		return -ENOMEM;

	pending_slab = fc_slab_create("pending-jobs", sizeof(struct fc_pending),
				      __alignof__(struct fc_pending));
	if (!pending_slab)
		goto no_pendings;

	page_slab = kmem_cache_create("flashcache-pages", PAGE_SIZE, PAGE_SIZE, 0, construct_page);
	if (!page_slab)
		goto no_pages;
	return 0;

no_pages:
	kmem_cache_destroy(pending_slab);
no_pendings:
	kmem_cache_destroy(job_slab);
	return -ENOMEM;
}

void fc_jobs_exit_module(void)
{
	kmem_cache_destroy(page_slab);
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

/* ---- the reserve of pages -------------------------------------------------------------------- */

static void reserve_push_locked(struct fc_page_reserve *reserve, struct page *page)
{
	*(struct page **)page_address(page) = reserve->first;
	reserve->first = page;
	reserve->nr++;
}

static struct page *reserve_pop_locked(struct fc_page_reserve *reserve)
{
	struct page *page = reserve->first;

	reserve->first = *(struct page **)page_address(page);
	reserve->nr--;
	return page;
}

/* Take @nr pages, all or none: two takers can never each hold half of what both need. */
static bool reserve_take(struct fc_page_reserve *reserve, struct page **page, unsigned int nr)
{
	unsigned long flags;
	bool enough;

	spin_lock_irqsave(&reserve->lock, flags);
	enough = reserve->nr >= nr;
	while (enough && nr)
		page[--nr] = reserve_pop_locked(reserve);
	spin_unlock_irqrestore(&reserve->lock, flags);
	return enough;
}

static void reserve_give(struct fc_page_reserve *reserve, struct page **page, unsigned int nr)
{
	unsigned long flags;

	spin_lock_irqsave(&reserve->lock, flags);
	while (nr && reserve->nr < PAGES_RESERVED)
		reserve_push_locked(reserve, page[--nr]);
	spin_unlock_irqrestore(&reserve->lock, flags);

	while (nr)
		page_give(page[--nr]);
}

static void reserve_exit(struct fc_page_reserve *reserve)
{
	while (reserve->first)
		page_give(reserve_pop_locked(reserve));
}

static int reserve_init(struct fc_page_reserve *reserve)
{
	struct page *page;

	spin_lock_init(&reserve->lock);
	while (reserve->nr < PAGES_RESERVED) {
		page = page_get(GFP_KERNEL);
		if (!page) {
			reserve_exit(reserve);
			return -ENOMEM;
		}
		reserve_push_locked(reserve, page);
	}
	return 0;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

/* Context: task. */
int fc_jobs_init(struct fc_cache *cache)
{
	int r;

	r = reserve_init(&cache->pages);
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
	reserve_exit(&cache->pages);
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
		reserve_give(&cache->pages, job->page, job->nr_pages);
	mempool_free(job, &cache->jobs);
	memory_given_back(cache);
}

/* Fill the pages from @from on with what the allocator has now; returns where it stopped. */
static unsigned int alloc_pages_now(struct fc_glue_job *job, unsigned int from, unsigned int nr)
{
	for (; from < nr; from++) {
		job->page[from] = page_get(FC_GFP);
		if (unlikely(!job->page[from]))
			break;
	}
	return from;
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

	got = alloc_pages_now(job, 0, nr);
	if (unlikely(got < nr && reserve)) {
		want_memory(cache);
		if (reserve_take(&cache->pages, job->page + got, nr - got))
			got = nr;
	}
	if (unlikely(got < nr)) {
		reserve_give(&cache->pages, job->page, got);
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
