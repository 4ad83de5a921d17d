// SPDX-License-Identifier: GPL-2.0-only
/* Errors on demand: see inject.h.  Without FLASHCACHE_DEBUG this file is empty. */
#ifdef FLASHCACHE_DEBUG

#include <linux/bitops.h>
#include <linux/workqueue.h>

#include "inject.h"

/* Is one of @bits set?  It is cleared.  Context: any. */
bool fc_inject(struct fc_cache *cache, unsigned long bits)
{
	unsigned long found = READ_ONCE(cache->injected) & bits;

	if (likely(!found))
		return false;
	if (!test_and_clear_bit(__ffs(found), &cache->injected))
		return false;
	fc_info(cache, "error_inject: 0x%lx", found & -found);
	return true;
}

/*
 * The same for memory.  Whoever goes without waits until some is given back, which nobody may do
 * now: the core is run once more.  Context: any.
 */
bool fc_inject_alloc(struct fc_cache *cache, unsigned long bits)
{
	if (!fc_inject(cache, bits))
		return false;
	fc_os_kick(cache, FC_WORK_RUN, 1);
	return true;
}

/* Which bits are for a job that is asked for now.  Context: any. */
unsigned long fc_inject_job_bits(struct fc_cache *cache)
{
	if (in_task() && current_work() == &cache->work[FC_WORK_WRITEBACK].work.work)
		return FC_INJECT_CLEAN_JOB;
	return FC_INJECT_MISS_JOB;
}

/* A job's read or write of @dev has ended: shall it fail?  Context: any. */
bool fc_inject_job(struct fc_cache *cache, struct fc_glue_job *job, int dev, bool read)
{
	if (read && dev == FC_DEV_ORIGIN) {
		job->fills = true;
		return fc_inject(cache, FC_INJECT_READDISK);
	}
	if (read)
		return fc_inject(cache, FC_INJECT_READCACHE);
	if (dev == FC_DEV_ORIGIN)
		return false;
	return fc_inject(cache, job->fills ? FC_INJECT_READFILL : FC_INJECT_WRITECACHE);
}

/* A request, or a part of it, has ended: shall it fail?  Context: any. */
void fc_inject_request(struct fc_cache *cache, const struct fc_io *io, blk_status_t *error)
{
	bool cached = io->dev == FC_DEV_CACHE;
	unsigned long bits = 0;

	if (io->req.op == FC_OP_READ)
		bits = cached ? FC_INJECT_READCACHE : FC_INJECT_READDISK;
	else if (io->req.op == FC_OP_WRITE && cached)
		bits = FC_INJECT_WRITECACHE;
	if (bits && fc_inject(cache, bits))
		*error = BLK_STS_IOERR;
}

/* The sysctl: what is still to come.  Context: any. */
unsigned int fc_injected(struct fc_cache *cache)
{
	return READ_ONCE(cache->injected);
}

/* 0, or -EINVAL if there is a bit that means nothing here.  Context: any. */
int fc_inject_set(struct fc_cache *cache, unsigned int value)
{
	if (value & ~FC_INJECT_ALL)
		return -EINVAL;
	WRITE_ONCE(cache->injected, value);
	return 0;
}

#endif
