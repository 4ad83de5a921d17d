// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module init and exit.
 *
 * What the whole module has: two slabs, the directory in /proc, the target type, the reboot
 * notifier.  Mempools, I/O and copy clients and work queues belong to each cache: a reserve that
 * caches shared could be held by requests of a dead disk, and then the others would wait for it.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/module.h>

#include "glue.h"

/* Done in order at load, undone in reverse order at unload or when a later step fails. */
static const struct {
	const char *what;
	int (*init)(void);
	void (*exit)(void);
} steps[] = {
	{ "slabs", fc_jobs_init_module, fc_jobs_exit_module },
	{ "/proc/flashcache", fc_procfs_init_module, fc_procfs_exit_module },
	{ "reboot notifier", fc_reboot_init_module, fc_reboot_exit_module },
};

static void undo(size_t nr)
{
	while (nr--)
		steps[nr].exit();
}

static int __init flashcache_init(void)
{
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		r = steps[i].init();
		if (r) {
			DMERR("cannot set up %s: error %d", steps[i].what, r);
			undo(i);
			return r;
		}
	}

	/* Last: from here on caches can be made. */
	r = dm_register_target(&fc_target_type);
	if (r) {
		undo(ARRAY_SIZE(steps));
		return r;
	}

	pr_info("flashcache: %s initialized\n", FC_VERSION);
	return 0;
}

/* Device-mapper holds the module while a table with our target exists: no cache lives here. */
static void __exit flashcache_exit(void)
{
	dm_unregister_target(&fc_target_type);
	undo(ARRAY_SIZE(steps));
}

module_init(flashcache_init);
module_exit(flashcache_exit);

MODULE_DESCRIPTION("Device-mapper block cache: an SSD before a slow disk");
MODULE_AUTHOR("The flashcache maintainers");
MODULE_VERSION("4.0.0");
MODULE_LICENSE("GPL v2");
