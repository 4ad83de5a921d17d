// SPDX-License-Identifier: GPL-2.0-only
/*
 * Background work, waiting, locks and time.
 *
 * Each kind of work of each cache has a work queue of its own, with a rescuer: work of one kind
 * may sleep until another has run, and must not keep the only thread from it.
 */
#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "glue.h"

/* ---- work ------------------------------------------------------------------------------------ */

/* Work begins: what is asked for from now on is for the next time.  False: do nothing. */
static bool work_begin(struct fc_work_item *item)
{
	struct fc_cache *cache = item->cache;
	unsigned long flags;
	bool go;

	spin_lock_irqsave(&cache->kick_lock, flags);
	item->armed = false;
	go = !cache->stopped;
	spin_unlock_irqrestore(&cache->kick_lock, flags);
	return go;
}

static struct fc_work_item *item_of(struct work_struct *work)
{
	return container_of(to_delayed_work(work), struct fc_work_item, work);
}

static void do_run(struct work_struct *work)
{
	struct fc_work_item *item = item_of(work);
	struct blk_plug plug;

	if (!work_begin(item))
		return;
	blk_start_plug(&plug);
	fc_core_run(item->cache->core);
	blk_finish_plug(&plug);
}

static void do_writeback(struct work_struct *work)
{
	struct fc_work_item *item = item_of(work);
	unsigned int again_ms;

	if (!work_begin(item))
		return;
	fc_cache_look_at_devices(item->cache);
	again_ms = fc_core_writeback(item->cache->core);
	if (again_ms)
		fc_os_kick(item->cache, FC_WORK_WRITEBACK, again_ms);
}

static void do_checkpoint(struct work_struct *work)
{
	struct fc_work_item *item = item_of(work);

	if (work_begin(item))
		fc_core_checkpoint(item->cache->core);
}

/*
 * Ask for work; the earlier date wins.  Context: any, also under the core's locks.
 */
void fc_os_kick(void *os, int work, unsigned int delay_ms)
{
	struct fc_cache *cache = os;
	struct fc_work_item *item = &cache->work[work];
	unsigned long delay = msecs_to_jiffies(delay_ms);
	unsigned long due = jiffies + delay;
	unsigned long flags;

	spin_lock_irqsave(&cache->kick_lock, flags);
	if (!cache->stopped && (!item->armed || time_before(due, item->due))) {
		item->armed = true;
		item->due = due;
		mod_delayed_work(item->queue, &item->work, delay);
	}
	spin_unlock_irqrestore(&cache->kick_lock, flags);
}

/* Let work happen.  Context: task. */
void fc_work_start(struct fc_cache *cache)
{
	spin_lock_irq(&cache->kick_lock);
	cache->stopped = false;
	spin_unlock_irq(&cache->kick_lock);
}

/* No work runs after this, or starts until fc_work_start().  Context: task; sleeps. */
void fc_work_stop(struct fc_cache *cache)
{
	int i;

	spin_lock_irq(&cache->kick_lock);
	cache->stopped = true;
	spin_unlock_irq(&cache->kick_lock);

	for (i = 0; i < FC_NR_WORKS; i++) {
		cancel_delayed_work_sync(&cache->work[i].work);
		cache->work[i].armed = false;
	}
}

/* Context: task. */
int fc_work_init(struct fc_cache *cache)
{
	static const struct {
		const char *name;
		work_func_t fn;
		unsigned int flags;
	} kind[FC_NR_WORKS] = {
		/*
		 * What changes the devices without a request must not do so while a hibernation
		 * image is written: the kernel that wakes from it would not know.
		 */
		[FC_WORK_RUN] = { "fc_run", do_run, 0 },
		[FC_WORK_WRITEBACK] = { "fc_clean", do_writeback, WQ_FREEZABLE },
		[FC_WORK_CHECKPOINT] = { "fc_log", do_checkpoint, WQ_FREEZABLE },
	};
	int i;

	spin_lock_init(&cache->kick_lock);
	init_waitqueue_head(&cache->wait);
	cache->stopped = true;
	for (i = 0; i < FC_NR_WORKS; i++) {
		struct fc_work_item *item = &cache->work[i];

		item->cache = cache;
		INIT_DELAYED_WORK(&item->work, kind[i].fn);
		item->queue = alloc_workqueue("%s/%.10s", WQ_MEM_RECLAIM | kind[i].flags, 1,
					      kind[i].name, cache->name);
		if (!item->queue)
			return -ENOMEM;
	}
	return 0;
}

/* Also after a failed or missing fc_work_init().  Context: task; sleeps. */
void fc_work_exit(struct fc_cache *cache)
{
	int i;

	for (i = 0; i < FC_NR_WORKS; i++)
		if (cache->work[i].queue)
			destroy_workqueue(cache->work[i].queue);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/*
 * Wait for fc_os_wake(), at most @timeout_ms.  A wake since the last wait ends this one at once,
 * so none is lost between the caller's look at its condition and this.  A signal ends the wait
 * once: the caller that has seen it and waits on must not spin.  Context: task; sleeps.
 */
void fc_os_wait(void *os, unsigned int timeout_ms)
{
	struct fc_cache *cache = os;
	int seen = READ_ONCE(cache->wakes_seen);
	long timeout = msecs_to_jiffies(timeout_ms);

	if (fatal_signal_pending(current))
		wait_event_timeout(cache->wait, atomic_read(&cache->wakes) != seen, timeout);
	else
		wait_event_killable_timeout(cache->wait, atomic_read(&cache->wakes) != seen,
					    timeout);
	WRITE_ONCE(cache->wakes_seen, atomic_read(&cache->wakes));
}

/* Context: any. */
void fc_os_wake(void *os)
{
	struct fc_cache *cache = os;

	atomic_inc(&cache->wakes);
	wake_up_all(&cache->wait);
}

/* 1: the process that stops the cache is about to be killed (^C, too), or stop_sync was set.  Context: task. */
int fc_os_interrupted(void *os)
{
	struct fc_cache *cache = os;

	if (current == READ_ONCE(cache->closer) && fatal_signal_pending(current))
		return 1;
	return cache->core && fc_core_tuned(cache->core, FC_TUNE_STOP_SYNC);
}

/* Monotonic, as coarse as the tick.  Context: any. */
void fc_os_resched(void *os)
{
	cond_resched();
}

fc_u64 fc_os_now_ms(void *os)
{
	return ktime_to_ms(ktime_get_coarse());
}

/* ---- locks ----------------------------------------------------------------------------------- */

static spinlock_t *lock_of(struct fc_cache *cache, unsigned int lock)
{
	if (likely(lock < FC_LOCK_SETS))
		return &cache->set_locks[lock & cache->set_lock_mask].lock;

	switch (lock) {
	case FC_LOCK_LOG:
		return &cache->log_lock;
	case FC_LOCK_QUEUE:
		return &cache->queue_lock;
	default:
		return &cache->writeback_lock;
	}
}

/* Context: any.  Returns what fc_os_unlock() wants. */
unsigned long fc_os_lock(void *os, unsigned int lock)
	__acquires(lock)
{
	unsigned long flags;

	spin_lock_irqsave(lock_of(os, lock), flags);
	return flags;
}

/* Context: as fc_os_lock(). */
void fc_os_unlock(void *os, unsigned int lock, unsigned long flags)
	__releases(lock)
{
	spin_unlock_irqrestore(lock_of(os, lock), flags);
}

/*
 * The locks of the sets are one class to lockdep, so that holding two of them is reported.
 * Wants the number of sets in the cache's configuration.  Context: task.
 */
int fc_locks_init(struct fc_cache *cache)
{
	unsigned int nr = roundup_pow_of_two(min_t(u64, cache->config.nr_sets, FC_LOCK_SETS));
	unsigned int i;

	spin_lock_init(&cache->log_lock);
	spin_lock_init(&cache->queue_lock);
	spin_lock_init(&cache->writeback_lock);

	cache->set_locks = kvcalloc(nr, sizeof(*cache->set_locks), GFP_KERNEL);
	if (!cache->set_locks)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		spin_lock_init(&cache->set_locks[i].lock);
	cache->set_lock_mask = nr - 1;
	return 0;
}

void fc_locks_exit(struct fc_cache *cache)
{
	kvfree(cache->set_locks);
}
