// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with a bug of each kind that a checked kernel is to find.  Writing the name of
 * one to /sys/module/flashcache_bugs/parameters/bug runs it.  For test machines only.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "bugs.h"

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);

static void use_after_free(void)
{
	unsigned char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	bugs_write(p, 8);
}

static void out_of_bounds(void)
{
	unsigned char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	bugs_write(p, 64);
	kfree(p);
}

static void undefined_shift(void)
{
	pr_info("%u\n", bugs_shift(1, 32 + (jiffies & 1)));
}

static void lock_inversion(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);

	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

static void sleep_in_atomic(void)
{
	spin_lock(&lock_a);
	msleep(1);
	spin_unlock(&lock_a);
}

static void nothing(struct timer_list *timer)
{
}

static void free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer); /* debug objects stop the timer */
}

/* Several: a pointer to one of them may be left on a stack. */
static void leak(void)
{
	int i;

	for (i = 0; i < 10; i++)
		if (!kmalloc(1000, GFP_KERNEL))
			break;
}

static int count_unlocked(void *counter)
{
	unsigned long end = jiffies + 5 * HZ;

	while (time_before(jiffies, end) && !kthread_should_stop()) {
		bugs_count(counter);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void race(void)
{
	static unsigned int counter;
	struct task_struct *a = kthread_run(count_unlocked, &counter, "bugs_a");
	struct task_struct *b = kthread_run(count_unlocked, &counter, "bugs_b");

	msleep(5500);
	if (!IS_ERR(a))
		kthread_stop(a);
	if (!IS_ERR(b))
		kthread_stop(b);
}

static const struct {
	const char *name;
	void (*run)(void);
} bugs[] = {
	{ "use_after_free", use_after_free },
	{ "out_of_bounds", out_of_bounds },
	{ "undefined_shift", undefined_shift },
	{ "lock_inversion", lock_inversion },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "free_active_timer", free_active_timer },
	{ "leak", leak },
	{ "data_race", race },
};

static int run_bug(const char *name, const struct kernel_param *param)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (sysfs_streq(name, bugs[i].name)) {
			bugs[i].run();
			return 0;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops bug_ops = { .set = run_bug };
module_param_cb(bug, &bug_ops, NULL, 0200);

static int __init bugs_init(void)
{
	return 0;
}

static void __exit bugs_exit(void)
{
}

module_init(bugs_init);
module_exit(bugs_exit);
MODULE_DESCRIPTION("bugs on purpose, for tests of checked kernels");
MODULE_LICENSE("GPL");
