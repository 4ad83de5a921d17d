// SPDX-License-Identifier: GPL-2.0-only
/*
 * The replacement policy of a cache, and the memory that it needs beside the cache's own.
 *
 * The memory is the cache's size times a few bytes, so it is there only while a policy uses it.
 * A change may come from a sysctl at any time, also while the device is suspended: then reclaim
 * could wait for our own requests, and the resume for the mutex.  So nothing here starts I/O to
 * get memory.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/vmalloc.h>

#include "glue.h"

/* Of the memory that is available, a policy may take one part in this many. */
#define AVAILABLE_SHARE 2

/* Null without an error if the policy needs none. */
static int alloc_memory(struct fc_cache *cache, const struct fc_core *core, int policy,
			void **memory)
{
	u64 bytes = fc_core_policy_bytes(core, policy);
	u64 available = (u64)max(si_mem_available(), 0L) << PAGE_SHIFT;

	*memory = NULL;
	if (!bytes)
		return 0;
	if (bytes <= div_u64(available, AVAILABLE_SHARE))
		*memory = __vmalloc(bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (*memory)
		return 0;
	fc_warn(cache, "no memory for reclaim_policy %d: it needs %lluKB, %lluKB are available",
		policy, bytes >> 10, available >> 10);
	return -ENOMEM;
}

/* *@unused: what is to be freed when the mutex is not held any more. */
static int adopt_locked(struct fc_cache *cache, struct fc_core *core, int policy, void **unused)
{
	void *memory;
	int r;

	if (cache->policy_fixed)
		return -EBUSY;
	if (fc_core_gauge(core, FC_GAUGE_POLICY) == policy)
		return 0;
	r = alloc_memory(cache, core, policy, &memory);
	if (r)
		return r;
	*unused = fc_core_set_policy(core, policy, memory);
	if (*unused != memory)
		cache->policy_memory = memory;
	return 0;
}

/*
 * Replace blocks by @policy (enum fc_policy) from now on.  @core is the core of @cache, which
 * need not be open yet.  0; -ENOMEM; -EBUSY if the cache is being stopped.  After an error the
 * policy is the one that it was.  Context: task; sleeps.
 */
int fc_policy_adopt(struct fc_cache *cache, struct fc_core *core, int policy)
{
	unsigned int noio = memalloc_noio_save();
	void *unused = NULL;
	int r;

	mutex_lock(&cache->policy_mutex);
	r = adopt_locked(cache, core, policy, &unused);
	mutex_unlock(&cache->policy_mutex);
	memalloc_noio_restore(noio);
	vfree(unused);
	return r;
}

/* No change is under way after this, or comes any more.  Context: task; sleeps. */
void fc_policy_fix(struct fc_cache *cache)
{
	mutex_lock(&cache->policy_mutex);
	cache->policy_fixed = true;
	mutex_unlock(&cache->policy_mutex);
}

/* The core is not used any more, or not yet.  Context: task. */
void fc_policy_free(struct fc_cache *cache)
{
	vfree(cache->policy_memory);
	cache->policy_memory = NULL;
}
