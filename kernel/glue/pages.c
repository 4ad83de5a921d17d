// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages for the buffers of jobs.
 *
 * A page comes from the stock of the processor; when that is empty, from the page allocator; and when
 * that has none now, from the reserve of the cache.
 *
 * The stock is there because the page allocator clears each page that it gives
 * (CONFIG_INIT_ON_ALLOC_DEFAULT_ON), which costs as much as the copy that then overwrites it.  (A slab
 * with a constructor is not cleared either, but keeps a pointer behind each object: a page took two.)
 * Nothing reads what a page held before: I/O goes only to what was written since.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "glue.h"

/* Two of the largest buffers: one can be written while the next is filled. */
#define PAGES_RESERVED (2 * FC_JOB_MAX_PAGES)

/* 256 KiB for each processor that has written, until the module goes. */
#define PAGES_STOCKED 64

struct page_stock {
	unsigned int nr;
	struct page *page[PAGES_STOCKED];
};

static DEFINE_PER_CPU(struct page_stock, page_stock);	/* by its processor, interrupts off */

/* KASAN sees who uses a page too late only if the page is given back. */
static const unsigned int stock_limit = IS_ENABLED(CONFIG_KASAN) ? 0 : PAGES_STOCKED;

static unsigned int stock_take(struct page **page, unsigned int nr)
{
	struct page_stock *stock;
	unsigned int got = 0;
	unsigned long flags;

	local_irq_save(flags);
	stock = this_cpu_ptr(&page_stock);
	while (got < nr && stock->nr)
		page[got++] = stock->page[--stock->nr];
	local_irq_restore(flags);
	return got;
}

static void page_give(struct page *page)
{
	struct page_stock *stock;
	unsigned long flags;
	bool stocked = false;

	/* A network device may hold what it has sent a little longer. */
	if (likely(page_count(page) == 1)) {
		local_irq_save(flags);
		stock = this_cpu_ptr(&page_stock);
		stocked = stock->nr < stock_limit;
		if (stocked)
			stock->page[stock->nr++] = page;
		local_irq_restore(flags);
	}
	if (!stocked)
		__free_page(page);
}

/* Context: task; no cache is left. */
void fc_pages_exit_module(void)
{
	struct page_stock *stock;
	int cpu;

	for_each_possible_cpu(cpu) {
		stock = per_cpu_ptr(&page_stock, cpu);
		while (stock->nr)
			__free_page(stock->page[--stock->nr]);
	}
}

/* ---- the reserve ----------------------------------------------------------------------------- */

static void reserve_push_locked(struct fc_page_reserve *reserve, struct page *page)
{
	*(struct page **)page_address(page) = reserve->first;
	reserve->first = page;
	WRITE_ONCE(reserve->nr, reserve->nr + 1);
}

static struct page *reserve_pop_locked(struct fc_page_reserve *reserve)
{
	struct page *page = reserve->first;

	reserve->first = *(struct page **)page_address(page);
	WRITE_ONCE(reserve->nr, reserve->nr - 1);
	return page;
}

/* Context: task. */
void fc_pages_exit(struct fc_page_reserve *reserve)
{
	while (reserve->first)
		__free_page(reserve_pop_locked(reserve));
}

/* Context: task; may sleep.  0 or -ENOMEM. */
int fc_pages_init(struct fc_page_reserve *reserve)
{
	struct page *page;

	spin_lock_init(&reserve->lock);
	while (reserve->nr < PAGES_RESERVED) {
		page = alloc_page(GFP_KERNEL);
		if (!page) {
			fc_pages_exit(reserve);
			return -ENOMEM;
		}
		reserve_push_locked(reserve, page);
	}
	return 0;
}

/* ---- for jobs -------------------------------------------------------------------------------- */

/* Up to @nr pages, from what there is now without the reserve.  Returns how many.  Context: any. */
unsigned int fc_pages_get(struct page **page, unsigned int nr)
{
	unsigned int got = stock_take(page, nr);

	for (; got < nr; got++) {
		page[got] = alloc_page(FC_GFP);
		if (unlikely(!page[got]))
			break;
	}
	return got;
}

/*
 * Take @nr pages, all or none: two takers can never each hold half of what both need.
 * Context: any.
 */
bool fc_pages_get_reserved(struct fc_page_reserve *reserve, struct page **page, unsigned int nr)
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

/*
 * Give @nr pages back; the reserve is filled first.  Who has taken pages from the reserve sees here that
 * it is short, so what was taken comes back, if others give theirs elsewhere in the same moment or not.
 * Context: any.
 */
void fc_pages_give(struct fc_page_reserve *reserve, struct page **page, unsigned int nr)
{
	unsigned long flags;

	if (unlikely(READ_ONCE(reserve->nr) < PAGES_RESERVED)) {
		spin_lock_irqsave(&reserve->lock, flags);
		while (nr && reserve->nr < PAGES_RESERVED)
			reserve_push_locked(reserve, page[--nr]);
		spin_unlock_irqrestore(&reserve->lock, flags);
	}
	while (nr)
		page_give(page[--nr]);
}
