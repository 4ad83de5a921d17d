// SPDX-License-Identifier: GPL-2.0-only
/* "dmsetup message": a table of {name, arguments, function}. */
#define DM_MSG_PREFIX "flashcache"

#include <linux/string.h>

#include "glue.h"

/* Write back everything that is dirty now, in the background. */
static int do_sync(struct fc_cache *cache, char **argv)
{
	fc_core_tune(cache->core, FC_TUNE_STOP_SYNC, 0);
	fc_core_start_sync(cache->core);
	return 0;
}

static int do_stop_sync(struct fc_cache *cache, char **argv)
{
	return fc_core_tune(cache->core, FC_TUNE_STOP_SYNC, 1) ? -EINVAL : 0;
}

/* Cache again after the cache device was mended. */
static int do_clear_errors(struct fc_cache *cache, char **argv)
{
	if (fc_core_clear_errors(cache->core)) {
		fc_err(cache, "errors cannot be cleared: the log has failed; remove the device and load it again");
		return -EIO;
	}
	return 0;
}

static const struct {
	const char *name;
	unsigned int argc;		/* words after the name */
	int (*fn)(struct fc_cache *cache, char **argv);
} messages[] = {
	{ "sync", 0, do_sync },
	{ "stop_sync", 0, do_stop_sync },
	{ "clear_errors", 0, do_clear_errors },
};

/* The target's message function.  Context: task. */
int fc_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
	       unsigned int maxlen)
{
	struct fc_cache *cache = ((struct fc_target *)ti->private)->cache;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		if (strcasecmp(argv[0], messages[i].name))
			continue;
		if (argc - 1 != messages[i].argc) {
			DMERR("%s: message \"%s\" takes %u arguments, not %u", cache->name,
			      messages[i].name, messages[i].argc, argc - 1);
			return -EINVAL;
		}
		if (!smp_load_acquire(&cache->core)) {	/* open: see open_core() */
			DMERR("%s: message \"%s\": the cache is not active", cache->name,
			      messages[i].name);
			return -ENXIO;
		}
		return messages[i].fn(cache, argv + 1);
	}
	DMERR("%s: unknown message \"%s\"", cache->name, argv[0]);
	return -EINVAL;
}
