// SPDX-License-Identifier: GPL-2.0-only
/* "dmsetup message": a table of {name, arguments, function}. */
#define DM_MSG_PREFIX "flashcache"

#include <linux/kernel.h>
#include <linux/string.h>

#include "glue.h"

/* A message that has arrived; what it answers goes to @result. */
struct message {
	struct fc_cache *cache;
	unsigned int argc;		/* words after the name */
	char **argv;
	char *result;
	unsigned int maxlen;
};

/* Write back everything that is dirty now, in the background. */
static int do_sync(const struct message *message)
{
	fc_core_start_sync(message->cache->core);
	return 0;
}

static int do_stop_sync(const struct message *message)
{
	return fc_core_tune(message->cache->core, FC_TUNE_STOP_SYNC, 1) ? -EINVAL : 0;
}

/* Cache again after the cache device was mended. */
static int do_clear_errors(const struct message *message)
{
	if (fc_core_clear_errors(message->cache->core)) {
		fc_err(message->cache, "errors cannot be cleared: the log has failed; remove the device and load it again");
		return -EIO;
	}
	return 0;
}

/* ---- the lists ------------------------------------------------------------------------------- */

static const char * const list_names[FC_NR_LISTS] = {
	[FC_LIST_BLACK] = "blacklist",
	[FC_LIST_WHITE] = "whitelist",
};

/* "<pid>", "group <id>" or "idle".  False if it is none of these. */
static bool parse_member(unsigned int argc, char **argv, enum fc_member *member, u64 *id)
{
	*id = 0;
	if (argc == 1 && !strcasecmp(argv[0], "idle")) {
		*member = FC_MEMBER_IDLE;
		return true;
	}
	if (argc == 2 && !strcasecmp(argv[0], "group")) {
		*member = FC_MEMBER_GROUP;
		return !kstrtou64(argv[1], 10, id) && *id;
	}
	*member = FC_MEMBER_PID;
	return argc == 1 && !kstrtou64(argv[0], 10, id) && *id && *id <= FC_LIST_MAX_PID;
}

static int add_member(const struct message *message, enum fc_list list, enum fc_member member,
		      u64 id)
{
	struct fc_cache *cache = message->cache;
	int r;

	if (member == FC_MEMBER_IDLE && list != FC_LIST_BLACK) {
		DMERR("%s: only the blacklist takes \"idle\"", cache->name);
		return -EINVAL;
	}
	r = fc_list_add(cache, list, member, id);
	if (r == -ENOENT)
		DMERR("%s: there is no control group with the id %llu", cache->name, id);
	else if (r == -ENOSPC)
		DMERR("%s: the %s has too many control groups", cache->name, list_names[list]);
	else if (r)
		DMERR("%s: no memory for an entry of the %s", cache->name, list_names[list]);
	return r;
}

static int del_member(const struct message *message, enum fc_list list, enum fc_member member,
		      u64 id)
{
	int r = fc_list_del(message->cache, list, member, id);

	if (r)
		DMERR("%s: \"%s\" is not in the %s", message->cache->name,
		      message->argv[message->argc - 1], list_names[list]);
	return r;
}

static int do_list(const struct message *message, enum fc_list list)
{
	const char *verb = message->argv[0];
	enum fc_member member;
	u64 id;

	if (message->argc == 1 && !strcasecmp(verb, "show"))
		return fc_list_print(message->cache, list, message->result, message->maxlen) ? 1 : 0;
	if (message->argc == 1 && !strcasecmp(verb, "delall")) {
		fc_list_del_all(message->cache, list);
		return 0;
	}
	if (parse_member(message->argc - 1, message->argv + 1, &member, &id)) {
		if (!strcasecmp(verb, "add"))
			return add_member(message, list, member, id);
		if (!strcasecmp(verb, "del"))
			return del_member(message, list, member, id);
	}
	DMERR("%s: %s: not \"add|del <process or thread id>\", \"add|del group <control group id>\", \"add|del idle\", \"delall\" or \"show\"",
	      message->cache->name, list_names[list]);
	return -EINVAL;
}

static int do_blacklist(const struct message *message)
{
	return do_list(message, FC_LIST_BLACK);
}

static int do_whitelist(const struct message *message)
{
	return do_list(message, FC_LIST_WHITE);
}

/* ---------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned int min, max;		/* words after the name */
	int (*fn)(const struct message *message);
} messages[] = {
	{ "sync", 0, 0, do_sync },
	{ "stop_sync", 0, 0, do_stop_sync },
	{ "clear_errors", 0, 0, do_clear_errors },
	{ "blacklist", 1, 3, do_blacklist },
	{ "whitelist", 1, 3, do_whitelist },
};

/*
 * The target's message function.  1 if there is an answer in @result, else 0 or an error: so
 * device-mapper knows whether to hand it to the user.  Context: task.
 */
int fc_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
	       unsigned int maxlen)
{
	struct fc_cache *cache = ((struct fc_target *)ti->private)->cache;
	const struct message message = { cache, argc - 1, argv + 1, result, maxlen };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		if (strcasecmp(argv[0], messages[i].name))
			continue;
		if (message.argc < messages[i].min || message.argc > messages[i].max) {
			DMERR("%s: message \"%s\" takes %u to %u arguments, not %u", cache->name,
			      messages[i].name, messages[i].min, messages[i].max, message.argc);
			return -EINVAL;
		}
		if (!smp_load_acquire(&cache->core)) {	/* open: see open_core() */
			DMERR("%s: message \"%s\": the cache is not active", cache->name,
			      messages[i].name);
			return -ENXIO;
		}
		return messages[i].fn(&message);
	}
	DMERR("%s: unknown message \"%s\"", cache->name, argv[0]);
	return -EINVAL;
}
