// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table line.  After the target's name:
 *
 *	<disk> <ssd> <name> <mode> [<persistence> [<block size> [<cache size> [<assoc>
 *	[<disk assoc> [<write only> [<metadata block size>]]]]]]]
 *
 * and then, only if all eleven are there, "<count> [<key> <value>]...", where count is the number
 * of words that follow it.  So a number in the twelfth place is always that count.
 *
 * Sizes are in sectors, "assoc" in blocks; 0 asks for the default.  When a cache is loaded, mode,
 * write only and the options hold; the other places were decided when it was created and are
 * only looked at for being numbers.  "metadata block size" is checked and otherwise without
 * effect: metadata is written in logical blocks of the cache device.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "glue.h"

#define NR_REQUIRED 4
#define NR_POSITIONS 11

/* ---- parsing --------------------------------------------------------------------------------- */

/* A number of the line: where it goes, what it may be, what to say if it is not. */
struct number {
	unsigned int *value;
	unsigned int min, max;
	bool power_of_two;		/* or 0 */
	char *error;
};

static int parse_number(const struct number *number, const char *word, char **error)
{
	unsigned int value;

	if (kstrtouint(word, 10, &value) || value < number->min || value > number->max ||
	    (number->power_of_two && value && !is_power_of_2(value))) {
		DMERR("%s: \"%s\" is not a number from %u to %u%s", number->error, word,
		      number->min, number->max,
		      number->power_of_two ? " that is a power of two" : "");
		*error = number->error;
		return -EINVAL;
	}
	*number->value = value;
	return 0;
}

/* Control characters: the superblock takes none. */
bool fc_has_control(const char *word)
{
	while (*word && !iscntrl(*word))
		word++;
	return *word;
}

static int parse_name(struct fc_table *table, const char *word, char **error)
{
	size_t length = strlen(word);

	if (!length || length >= sizeof(table->name)) {
		*error = "Virtual device name must have 1 to 63 characters";
		return -EINVAL;
	}
	if (strchr(word, '/') || fc_has_control(word)) {
		*error = "Virtual device name must not have slashes or control characters";
		return -EINVAL;
	}
	memcpy(table->name, word, length + 1);
	return 0;
}

/* The places from the mode on; each has one line in the table below. */
static int parse_numbers(struct fc_table *t, unsigned int argc, char **argv, char **error)
{
	const struct number numbers[] = {
		{ &t->line_mode, 1, 3, false, "Invalid cache mode" },
		{ &t->persistence, 0, 3, false, "Invalid cache persistence" },
		{ &t->block_size, 0, 128, true, "Invalid block size" },
		{ NULL, 0, 0, false, NULL },	/* cache size: 64 bits */
		{ &t->assoc, 0, 8192, true, "Invalid cache associativity" },
		{ &t->disk_assoc, 0, 1 << 20, true, "Invalid disk associativity" },
		{ &t->write_only, 0, 1, false, "Invalid Write Cache Setting" },
		{ &t->md_block_size, 0, 128, true, "Invalid metadata block size" },
	};
	unsigned int i;
	int r;

	for (i = 0; i < ARRAY_SIZE(numbers) && i < argc; i++) {
		if (numbers[i].value) {
			r = parse_number(&numbers[i], argv[i], error);
			if (r)
				return r;
		} else if (kstrtou64(argv[i], 10, &t->cache_size)) {
			DMERR("Invalid cache size: \"%s\" is not a number", argv[i]);
			*error = "Invalid cache size";
			return -EINVAL;
		}
	}
	if (t->write_only && t->line_mode != FC_MODE_WRITE_BACK) {
		*error = "Write-only caching needs cache mode 1 (write-back)";
		return -EINVAL;
	}
	return 0;
}

static int parse_option(struct fc_table *table, const char *key, const char *value, char **error)
{
	unsigned int i;

	if (!strcmp(key, "origin_id")) {
		if (fc_has_control(value))
			*error = "Option origin_id must not have control characters";
		else if (strscpy(table->origin_id, value, sizeof(table->origin_id)) < 0)
			*error = "Option origin_id is too long";
		else
			return 0;
		return -EINVAL;
	}

	for (i = 0; i < fc_nr_tunable_names; i++) {
		const struct fc_tunable_name *name = &fc_tunable_names[i];
		struct number number = { &table->option[i], 0, 0, false, "Invalid option value" };

		if (!name->option || strcmp(key, name->name))
			continue;
		if (table->options_given & BIT_ULL(i)) {
			*error = "An option is given twice";
			return -EINVAL;
		}
		table->options_given |= BIT_ULL(i);
		fc_setting_range(name->tunable, &number.min, &number.max);
		if (!parse_number(&number, value, error))
			return 0;
		DMERR("%s must be a number from %u to %u", name->name, number.min, number.max);
		return -EINVAL;
	}
	DMERR("Unknown option: \"%s\"", key);
	*error = "Unknown option";
	return -EINVAL;
}

static int parse_options(struct fc_table *table, unsigned int argc, char **argv, char **error)
{
	unsigned int count;
	unsigned int i;
	int r;

	if (kstrtouint(argv[0], 10, &count) || count != argc - 1 || count % 2) {
		DMERR("The option count \"%s\" is wrong: %u words follow", argv[0], argc - 1);
		*error = "The 12th argument must be the number of option words, two for each option";
		return -EINVAL;
	}
	for (i = 1; i < argc; i += 2) {
		r = parse_option(table, argv[i], argv[i + 1], error);
		if (r)
			return r;
	}
	return 0;
}

/*
 * Parse a line into @table, which is zeroed.  0, or -EINVAL with a sentence in @error.
 * Context: task.
 */
int fc_table_parse(struct fc_table *table, unsigned int argc, char **argv, char **error)
{
	int r;

	if (argc < NR_REQUIRED) {
		*error = "Need at least 4 arguments: <disk> <ssd> <name> <mode>";
		return -EINVAL;
	}
	table->disk_path = argv[0];
	table->ssd_path = argv[1];
	r = parse_name(table, argv[2], error);
	if (!r)
		r = parse_numbers(table, argc - 3, argv + 3, error);
	if (!r && argc > NR_POSITIONS)
		r = parse_options(table, argc - NR_POSITIONS, argv + NR_POSITIONS, error);
	return r;
}

/* The mode that the line asks for: enum fc_mode. */
int fc_table_mode(const struct fc_table *table)
{
	return table->write_only ? FC_MODE_WRITE_ONLY : table->line_mode;
}

/* ---- printing -------------------------------------------------------------------------------- */

/* Device-mapper splits lines at white space that no backslash precedes. */
static unsigned int print_word(const char *word, char *result, unsigned int maxlen)
{
	unsigned int sz = 0;

	for (; *word; word++) {
		if (isspace(*word) || *word == '\\')
			DMEMIT("\\");
		DMEMIT("%c", *word);
	}
	return sz;
}

static unsigned int count_options(const struct fc_table *table)
{
	return hweight64(table->options_given) + (table->origin_id[0] ? 1 : 0);
}

/*
 * Print the line that loads this cache again, as it is: the sizes are those of the cache.
 * Returns the bytes printed.  Context: task.
 */
unsigned int fc_table_print(const struct fc_target *target, char *result, unsigned int maxlen)
{
	const struct fc_table *table = &target->table;
	const struct fc_config *config = &target->cache->config;
	unsigned int sz = 0;
	unsigned int i;

	DMEMIT("%s %s ", target->dev[FC_DEV_ORIGIN]->name, target->dev[FC_DEV_CACHE]->name);
	sz += print_word(table->name, result + sz, maxlen - sz);
	DMEMIT(" %u %u %u %llu %u %u %u %u", table->line_mode, FC_PERSIST_LOAD,
	       config->block_sectors, config->nr_blocks * config->block_sectors,
	       config->ways_per_set, config->extent_blocks * config->block_sectors,
	       table->write_only, config->unit_bytes >> SECTOR_SHIFT);

	DMEMIT(" %u", 2 * count_options(table));
	for (i = 0; i < fc_nr_tunable_names; i++)
		if (table->options_given & BIT_ULL(i))
			DMEMIT(" %s %u", fc_tunable_names[i].name, table->option[i]);
	if (table->origin_id[0]) {
		DMEMIT(" origin_id ");
		sz += print_word(table->origin_id, result + sz, maxlen - sz);
	}
	return sz;
}
