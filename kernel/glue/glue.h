/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The glue: everything of the module that knows the kernel.  It carries out what the core
 * (../core/abi.h) decides.
 *
 *	main.c		module init and exit
 *	target.c	the device-mapper target: construct, suspend, resume, status
 *	table.c		the table line: parse and print
 *	cache.c		struct fc_cache: registry, construction, references
 *	probe.c		what .ctr finds out: is there a cache, does it fit
 *	activate.c	first resume, suspend, reload, the orderly stop
 *	request.c	users' requests: map, end_io, parts, completion
 *	job.c		memory for jobs, their buffers, and for requests that wait
 *	io.c		I/O of the core's own: jobs, copies, metadata
 *	work.c		background work, waiting, locks, time
 *	stats.c histogram.c	counters; how long, how large, how many at once
 *	settings.c	the numbers that users set: names, ranges, what they change
 *	policy.c	the replacement policy and its memory
 *	lists.c		whose requests are cached: processes, control groups
 *	log.c		the kernel's log
 *	procfs.c sysctl.c message.c reboot.c	what users and the system see
 *	inject.c	errors on demand, in debug builds
 *
 * A *cache* is one origin behind one cache device.  A *target* is one loaded table line; several
 * targets of one mapped device share a cache while a table is reloaded.
 */
#ifndef FLASHCACHE_GLUE_H
#define FLASHCACHE_GLUE_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../core/abi.h"

#define FC_VERSION "flashcache-4.0.0"
#define FC_TARGET_VERSION { 4, 0, 0 }

#define FC_NR_DEVS 2
#define FC_DEV_NAME_BYTES 128
#define FC_MAX_OPTIONS 24
#define FC_ORIGIN_ID_BYTES FC_DISK_ID_BYTES

struct fc_cache;
struct fc_histograms;
struct fc_lists;
struct seq_file;

/* ---- the table line (table.c) ---------------------------------------------------------------- */

/* Position 4. */
enum fc_persistence {
	FC_PERSIST_DEFAULT = 0,		/* load if there is a cache, else refuse */
	FC_PERSIST_LOAD,
	FC_PERSIST_CREATE,		/* refuse if there is a cache */
	FC_PERSIST_FORCE,		/* overwrite whatever is there */
};

/* A parsed table line.  Sizes in sectors where not said otherwise; 0: not given. */
struct fc_table {
	char *disk_path;		/* points into the arguments: valid during .ctr only */
	char *ssd_path;
	char name[FC_DISK_NAME_BYTES];
	unsigned int line_mode;		/* position 3: 1, 2, 3 */
	unsigned int persistence;	/* enum fc_persistence */
	unsigned int block_size;
	u64 cache_size;
	unsigned int assoc;		/* blocks */
	unsigned int disk_assoc;
	unsigned int write_only;
	unsigned int md_block_size;
	u64 options_given;		/* bit: index into fc_tunable_names */
	unsigned int option[FC_MAX_OPTIONS];
	char origin_id[FC_ORIGIN_ID_BYTES];
};

int fc_table_parse(struct fc_table *table, unsigned int argc, char **argv, char **error);
int fc_table_mode(const struct fc_table *table);
struct fc_target;
bool fc_has_control(const char *word);
unsigned int fc_table_print(const struct fc_target *target, char *result, unsigned int maxlen);

/* ---- numbers that users set (settings.c, policy.c) ------------------------------------------- */

/* What a name stands for: an enum fc_tunable, or one of these. */
enum fc_setting {
	FC_SETTING_SKIP_SEQ_KB = FC_NR_TUNABLES,	/* both sequential thresholds */
	FC_SETTING_POLICY,				/* enum fc_policy */
};

struct fc_tunable_name {
	const char *name;
	int tunable;			/* enum fc_tunable or enum fc_setting */
	bool option;			/* may be in the table line */
};

extern const struct fc_tunable_name fc_tunable_names[];
extern const unsigned int fc_nr_tunable_names;

int fc_setting_range(int setting, unsigned int *low, unsigned int *high);
unsigned int fc_setting_get(struct fc_core *core, int setting);
int fc_setting_set(struct fc_cache *cache, struct fc_core *core, int setting, unsigned int value);

int fc_policy_adopt(struct fc_cache *cache, struct fc_core *core, int policy);
void fc_policy_fix(struct fc_cache *cache);
void fc_policy_free(struct fc_cache *cache);

/* ---- the cache (cache.c, activate.c) --------------------------------------------------------- */

/* In this order; back from FC_CACHE_OPENING to FC_CACHE_LOADED if opening fails. */
enum fc_cache_state {
	FC_CACHE_LOADED,		/* nothing written yet; belongs to one target */
	FC_CACHE_OPENING,
	FC_CACHE_LIVE,
	FC_CACHE_CLOSING,
};

struct fc_set_lock {
	spinlock_t lock;		/* guards the sets whose number, masked, is its index */
} ____cacheline_aligned_in_smp;

struct fc_stats {
	u64 n[FC_NR_STATS];
};

/* Pages set aside for buffers that must be had; taken all or none. */
struct fc_page_reserve {
	spinlock_t lock;		/* guards the rest */
	struct page *first;		/* linked by their first words */
	unsigned int nr;		/* read without the lock, too */
};

struct fc_work_item {
	struct fc_cache *cache;
	struct workqueue_struct *queue;
	struct delayed_work work;
	unsigned long due;		/* jiffies */
	bool armed;
};

/* The flush of a device at reboot. */
struct fc_flush {
	struct fc_cache *cache;
	int dev;
	struct work_struct work;
};

struct fc_cache {
	/* What each request looks at. */
	struct fc_core *core;		/* null until open: smp_load_acquire() where that may be */
	struct block_device *bdev[FC_NR_DEVS];
	struct fc_stats __percpu *stats;
	struct fc_set_lock *set_locks;
	unsigned int set_lock_mask;
	unsigned long flags;		/* FC_CACHE_WANTS_MEMORY */
	bool has_lists;			/* somebody is in one of the lists */
	bool times_io;			/* io_latency_hist */
	struct fc_histograms __percpu *histograms;
	struct fc_lists *lists;

	spinlock_t log_lock ____cacheline_aligned_in_smp;	/* FC_LOCK_LOG */
	spinlock_t queue_lock ____cacheline_aligned_in_smp;	/* FC_LOCK_QUEUE */
	spinlock_t writeback_lock ____cacheline_aligned_in_smp;	/* FC_LOCK_WRITEBACK */

	/* memory and clients: of this cache alone, so that a slow device delays no other cache */
	mempool_t jobs;
	mempool_t pendings;
	mempool_t async_ios;
	struct fc_page_reserve pages;
	struct bio_set part_bios;
	struct bio_set job_bios;
	struct dm_io_client *io_client;
	struct dm_kcopyd_client *copy_client;

	spinlock_t kick_lock;		/* guards due and armed of work[], and stopped */
	bool stopped;			/* no work is started any more */
	struct fc_work_item work[FC_NR_WORKS];

	bool formatted;			/* the cache device, since the table was loaded */

	wait_queue_head_t wait;
	atomic_t wakes;
	int wakes_seen;

	struct fc_flush flush[FC_NR_DEVS];

	struct ratelimit_state log_limit;
	bool warned;
	u64 stats_base[FC_NR_STATS];	/* what the counters were at zero_stats */
	struct fc_histograms *histograms_base;	/* the same */

	struct mutex policy_mutex;	/* guards the rest of the paragraph; changes of the policy */
	bool policy_fixed;		/* no change any more */
	void *policy_memory;		/* of the core */
#ifdef FLASHCACHE_DEBUG
	unsigned long injected;		/* errors to come: FC_INJECT_* */
#endif

	/* guarded by the registry's mutex */
	struct list_head list;
	struct mapped_device *md;
	unsigned int refs;
	enum fc_cache_state state;

	/* changed only by the device-mapper's table operations, which exclude each other */
	bool suspended;
	int mode;			/* enum fc_mode */
	struct fc_config config;
	void *memory;			/* of the core */
	struct task_struct *closer;	/* runs the orderly stop; a signal ends its cleaning */

	char name[FC_DISK_NAME_BYTES];
	char dev_name[FC_NR_DEVS][FC_DEV_NAME_BYTES];	/* last part of the paths given */
	char label[2 * FC_DEV_NAME_BYTES + 16];	/* <ssd>+<disk>; "" until live */
	struct proc_dir_entry *proc_dir;
	struct ctl_table_header *sysctl_header;
	struct ctl_table *sysctl_table;
};

/* Bits of fc_cache.flags. */
#define FC_CACHE_WANTS_MEMORY 0		/* run the core when memory is given back */

struct fc_target {
	struct fc_cache *cache;
	struct dm_target *ti;
	struct dm_dev *dev[FC_NR_DEVS];
	struct fc_table table;
	bool applied;			/* the table's options, to the cache */
};

int fc_cache_get(struct fc_target *target, char **error);
void fc_cache_put(struct fc_cache *cache);
int fc_cache_claim_opening(struct fc_cache *cache);
void fc_cache_set_state(struct fc_cache *cache, enum fc_cache_state state);
void fc_cache_set_label(struct fc_cache *cache);
void fc_cache_flush_all(void);

int fc_cache_probe(struct fc_cache *cache, const struct fc_table *table, char **error);

int fc_cache_preresume(struct fc_target *target);
void fc_cache_resume(struct fc_cache *cache);
void fc_cache_look_at_devices(struct fc_cache *cache);
void fc_cache_suspend(struct fc_cache *cache);
void fc_cache_close(struct fc_cache *cache);

/* ---- requests (request.c) -------------------------------------------------------------------- */

/* Where a completion of the clone that device-mapper gave us goes. */
enum fc_route {
	FC_ROUTE_NONE,			/* not in flight; the core has the request */
	FC_ROUTE_REMAPPED,		/* fc_core_end_io() */
	FC_ROUTE_PART,			/* fc_core_part_done() */
	FC_ROUTE_DONE,			/* the user */
};

/* Lives beside each bio, in device-mapper's per-bio data; not zeroed. */
struct fc_io {
	struct fc_request req;		/* what the core sees */
	struct bvec_iter iter;		/* of the clone, before anybody used it up */
	blk_opf_t opf;			/* lower layers drop flags that they do not need */
	unsigned short bio_flags;
	u8 route;			/* enum fc_route */
	blk_status_t error;		/* the last one seen */
#ifdef FLASHCACHE_DEBUG
	u8 dev;				/* enum fc_dev: where the clone was sent last */
#endif
	u64 start_ns;			/* 0: its time is not taken */
};

int fc_map(struct dm_target *ti, struct bio *bio);
int fc_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error);
int fc_part_bios_init(struct fc_cache *cache);

static inline int fc_status_of(blk_status_t error)
{
	switch (error) {
	case BLK_STS_OK:
		return FC_OK;
	case BLK_STS_NOTSUPP:
		return FC_ENOTSUPP;
	case BLK_STS_RESOURCE:
		return FC_ENOMEM;
	default:
		return FC_EIO;
	}
}

/* ---- jobs (job.c), their buffers (pages.c) and their I/O (io.c) ------------------------------ */

#define FC_JOB_MAX_PAGES DIV_ROUND_UP(FC_JOB_MAX_SECTORS << SECTOR_SHIFT, PAGE_SIZE)

struct fc_glue_job {
	struct fc_job core;
	struct fc_cache *cache;
#ifdef FLASHCACHE_DEBUG
	bool fills;			/* it has read the origin */
#endif
	unsigned int nr_pages;
	struct page *page[FC_JOB_MAX_PAGES];
};

static inline struct fc_glue_job *to_glue_job(struct fc_job *job)
{
	return container_of(job, struct fc_glue_job, core);
}

/* Without sleeping; not from the last pages either, which are for those who free some: we have our own. */
#define FC_GFP (GFP_NOWAIT | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC)

int fc_jobs_init_module(void);
void fc_jobs_exit_module(void);
int fc_jobs_init(struct fc_cache *cache);
void fc_jobs_exit(struct fc_cache *cache);

void fc_pages_exit_module(void);
int fc_pages_init(struct fc_page_reserve *reserve);
void fc_pages_exit(struct fc_page_reserve *reserve);
unsigned int fc_pages_get(struct page **page, unsigned int nr);
bool fc_pages_get_reserved(struct fc_page_reserve *reserve, struct page **page, unsigned int nr);
void fc_pages_give(struct fc_page_reserve *reserve, struct page **page, unsigned int nr);

int fc_io_init(struct fc_cache *cache);
void fc_io_exit(struct fc_cache *cache);

/* ---- background work (work.c) ---------------------------------------------------------------- */

int fc_work_init(struct fc_cache *cache);
void fc_work_exit(struct fc_cache *cache);
void fc_work_start(struct fc_cache *cache);
void fc_work_stop(struct fc_cache *cache);
int fc_locks_init(struct fc_cache *cache);
void fc_locks_exit(struct fc_cache *cache);

/* ---- what users see -------------------------------------------------------------------------- */

u64 fc_stat(struct fc_cache *cache, int stat);
void fc_stats_zero(struct fc_cache *cache);
const char *fc_mode_name(int mode);
unsigned int fc_status_print(struct fc_cache *cache, char *result, unsigned int maxlen);

int fc_procfs_init_module(void);
void fc_procfs_exit_module(void);
void fc_procfs_add(struct fc_cache *cache);
void fc_procfs_remove(struct fc_cache *cache);

void fc_sysctl_add(struct fc_cache *cache);
void fc_sysctl_remove(struct fc_cache *cache);

/* Histograms (histogram.c, histogram.h). */
enum fc_histogram { FC_HISTOGRAM_SIZE, FC_HISTOGRAM_LATENCY, FC_HISTOGRAM_COPY };
u64 fc_histogram_count(struct fc_cache *cache, enum fc_histogram which, unsigned int bucket);
void fc_histograms_zero(struct fc_cache *cache);
void fc_latency_record(struct fc_cache *cache, bool on);
int fc_histograms_init(struct fc_cache *cache);
void fc_histograms_exit(struct fc_cache *cache);

/* The lists (lists.c). */
enum fc_list { FC_LIST_BLACK, FC_LIST_WHITE, FC_NR_LISTS };
enum fc_member { FC_MEMBER_PID, FC_MEMBER_GROUP, FC_MEMBER_IDLE, FC_NR_MEMBERS };
enum fc_list_limit { FC_LIST_DO_EXPIRY, FC_LIST_EXPIRY_SECS, FC_LIST_MAX_PIDS, FC_NR_LIST_LIMITS };

#define FC_LIST_MAX_PID (4u << 20)	/* the largest number that the kernel gives a process */

unsigned int fc_lists_flags(struct fc_cache *cache, const struct bio *bio);
int fc_list_add(struct fc_cache *cache, enum fc_list list, enum fc_member member, u64 id);
int fc_list_del(struct fc_cache *cache, enum fc_list list, enum fc_member member, u64 id);
void fc_list_del_all(struct fc_cache *cache, enum fc_list list);
unsigned int fc_list_print(struct fc_cache *cache, enum fc_list list, char *result,
			   unsigned int maxlen);
void fc_lists_show(struct fc_cache *cache, struct seq_file *seq);
unsigned int fc_list_get_limit(const struct fc_cache *cache, enum fc_list_limit which);
int fc_list_set_limit(struct fc_cache *cache, enum fc_list_limit which, unsigned int value);
int fc_lists_init(struct fc_cache *cache);
void fc_lists_exit(struct fc_cache *cache);

#ifdef FLASHCACHE_DEBUG
unsigned int fc_injected(struct fc_cache *cache);
int fc_inject_set(struct fc_cache *cache, unsigned int value);
#endif

int fc_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
	       unsigned int maxlen);

void fc_flush_init(struct fc_cache *cache);
void fc_flush_start(struct fc_cache *cache);
void fc_flush_wait(struct fc_cache *cache);
int fc_reboot_init_module(void);
void fc_reboot_exit_module(void);

extern struct target_type fc_target_type;

/* ---- the log (log.c) ------------------------------------------------------------------------- */

#define fc_info(cache, format, ...) fc_os_log(cache, FC_LOG_INFO, format, ##__VA_ARGS__)
#define fc_warn(cache, format, ...) fc_os_log(cache, FC_LOG_WARNING, format, ##__VA_ARGS__)
#define fc_err(cache, format, ...) fc_os_log(cache, FC_LOG_ERROR, format, ##__VA_ARGS__)

#endif
