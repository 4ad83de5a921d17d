// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log.  Each line begins as device-mapper's own lines of this target do, then names
 * the cache.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/device-mapper.h>
#include <linux/printk.h>

#include "glue.h"

/*
 * Warnings and errors can come with each I/O of a broken device: both are limited, per cache.
 * Context: any.
 */
void fc_os_log(void *os, int level, const char *format, ...)
{
	struct fc_cache *cache = os;
	struct va_format vaf;
	va_list args;

	if (level != FC_LOG_INFO && !__ratelimit(&cache->log_limit))
		return;

	va_start(args, format);
	vaf.fmt = format;
	vaf.va = &args;
	switch (level) {
	case FC_LOG_INFO:
		DMINFO("%s: %pV", cache->name, &vaf);
		break;
	case FC_LOG_WARNING:
		DMWARN("%s: %pV", cache->name, &vaf);
		break;
	default:
		DMERR("%s: %pV", cache->name, &vaf);
		break;
	}
	va_end(args);
}

/* A contradiction inside the core: once per cache with a stack trace.  Context: any. */
void fc_os_warn(void *os, const char *what)
{
	struct fc_cache *cache = os;

	if (!READ_ONCE(cache->warned)) {
		WRITE_ONCE(cache->warned, true);
		WARN(1, "flashcache: %s: %s\n", cache->name, what);
		return;
	}
	fc_os_log(os, FC_LOG_ERROR, "%s", what);
}
