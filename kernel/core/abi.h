/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam: everything that passes between the core (C++, decides) and its surroundings (the C
 * glue of the kernel module; the worlds of the unit tests and the simulator).  The core calls
 * fc_os_*(), its surroundings call fc_core_*().  Builtin types only: the same layout, and the
 * same control-flow-integrity hashes, in both languages.
 *
 * Contexts.  "any": also interrupts, with interrupts off; never sleeps.  "task": a process or a
 * worker, may sleep.  A set lock or another of the core's locks is held only where said.
 * The core never holds a lock while it submits I/O or completes a request.
 */
#ifndef FLASHCACHE_CORE_ABI_H
#define FLASHCACHE_CORE_ABI_H

#include "../uapi/format.h"
#include "../uapi/stats.h"

#ifdef __cplusplus
#ifdef __clang__
#define FC_ENTRY extern "C" __attribute__((visibility("default")))
#else
#define FC_ENTRY extern "C" __attribute__((externally_visible))
#endif
#define FC_OS extern "C"
#else
#define FC_ENTRY extern
#define FC_OS extern
#endif

typedef unsigned long long fc_u64;

struct fc_core;				/* the cache; opaque outside of the core */

enum fc_dev { FC_DEV_CACHE = 0, FC_DEV_ORIGIN = 1 };

enum fc_op { FC_OP_READ = 0, FC_OP_WRITE = 1, FC_OP_DISCARD = 2, FC_OP_WRITE_ZEROES = 3, FC_OP_FLUSH = 4 };

enum fc_mode { FC_MODE_WRITE_BACK = 1, FC_MODE_WRITE_THROUGH = 2, FC_MODE_WRITE_AROUND = 3, FC_MODE_WRITE_ONLY = 4 };

/*
 * Results.  0 is success.  The first group is also what requests end with; the others say why a
 * cache cannot be created or loaded.  fc_status_text() has a sentence for each.
 */
enum fc_status {
	FC_OK = 0,
	FC_EIO,				/* a device failed */
	FC_ENOMEM,
	FC_EINTR,			/* stopped by a signal or by stop_sync */
	FC_ENOTSUPP,			/* the device does not know this operation */

	FC_E_NO_SUPERBLOCK,		/* neither superblock carries our magic */
	FC_E_SUPERBLOCK_DAMAGED,	/* magic found, but no superblock with a right checksum */
	FC_E_VERSION,
	FC_E_GEOMETRY,			/* a field of the superblock contradicts another or the device */
	FC_E_CACHE_DEVICE_SIZE,		/* the cache device is smaller than the superblock says */
	FC_E_ORIGIN_SIZE,		/* the origin's size is not the recorded one */
	FC_E_ORIGIN_CHANGED,		/* the origin was written to while detached */
	FC_E_HOME_DAMAGED,		/* a unit of the home table has a wrong checksum */
	FC_E_HOME_CONTRADICTION,	/* two slots claim one block, or a block outside of its set */
	FC_E_LOG_DAMAGED,		/* log units that were durable are missing, damaged, or newer than the superblock */
	FC_E_BLOCK_SIZE,
	FC_E_WAYS,
	FC_E_EXTENT,
	FC_E_MODE,
	FC_E_UNIT,
	FC_E_TOO_SMALL,			/* the cache device has no room for metadata and one set */
	FC_E_BELOW_ONE_SET,		/* the size asked for does not hold one set of blocks */
	FC_E_TOO_LARGE,			/* more blocks than the format can number */
	FC_E_SUPERBLOCK_CHANGED,	/* changed between table load and resume */
};

/* What fc_core_map() wants done with a request. */
enum fc_action {
	FC_ACT_REMAP_CACHE,		/* send to the cache device at req->target_sector */
	FC_ACT_REMAP_ORIGIN,		/* send to the origin at req->target_sector */
	FC_ACT_TAKEN,			/* the core has it and will call fc_os_complete() */
	FC_ACT_COMPLETE,		/* end it now with req->status */
};

/* fc_request.flags */
#define FC_REQ_FUA 1u			/* the write reaches stable storage before completion */
#define FC_REQ_AVOID 2u			/* whoever sends it shall not bring new blocks into the cache */
#define FC_REQ_WANT 4u			/* it may, also without cache_all, and however long it goes on */

/*
 * One request of a user, at most one chunk long (see fc_config.chunk_sectors) if it reads or
 * writes data; discards and write-zeroes may be as long as the device.  Lives in the memory that
 * device-mapper reserves beside each bio.  The surroundings fill in the first group before
 * fc_core_map() and leave the rest alone (no need to zero it).
 */
struct fc_request {
	fc_u64 sector;			/* on the origin, 512-byte sectors */
	unsigned int nr_sectors;
	unsigned char op;		/* enum fc_op */
	unsigned char flags;		/* FC_REQ_* */
	union {
		unsigned char flush_dev;	/* FC_OP_FLUSH: enum fc_dev that this duplicate is for */
		unsigned char again;		/* reads: blocks of failed hits to be read once more; core's */
	};
	unsigned char status;		/* enum fc_status, set by the core */

	fc_u64 target_sector;		/* out: for FC_ACT_REMAP_* */
	/* the core's own */
	unsigned int done_sectors;
	unsigned int part_sectors;
	unsigned int set;
	unsigned short way;
	unsigned char nr_blocks;
	unsigned char kind;
	fc_u64 sequence;
	struct fc_job *job;
	struct fc_request *next;
};

#define FC_JOB_MAX_BLOCKS 64u
#define FC_JOB_MAX_SECTORS 512u		/* the largest chunk, 256 KiB */

/*
 * A state change in progress on blocks of one chunk: a fill, a first-dirty write, a
 * writeback, ...  From the slab "kcached-jobs" and its mempool.  The surroundings embed it and
 * keep its buffer pages beside it; all fields are the core's.
 */
struct fc_job {
	struct fc_job *next;		/* in the list of the set */
	struct fc_job *queue_next;	/* in one of the work lists */
	struct fc_job *log_next;	/* in the list of a log batch */
	struct fc_request *req;
	struct fc_pending *waiters;	/* requests that wait for this job, in arrival order */
	struct fc_pending *waiters_tail;
	fc_u64 first_block;		/* origin block of bit 0 of the masks */
	fc_u64 mask;			/* blocks that the job owns */
	fc_u64 stale;			/* blocks overtaken by a write */
	fc_u64 due;			/* writeback: blocks that were due before their copy began */
	fc_u64 log_sequence;
	unsigned int set;
	unsigned int in_flight;		/* I/Os and records not completed yet */
	unsigned int req_offset;	/* sectors: where the job's part starts in its request */
	unsigned int nr_sectors;
	union {
		unsigned int batch;		/* of the log, whose DIRTY records are the job's */
		unsigned int flush_errors;	/* of the origin, when its copy to the origin began */
	};
	unsigned char kind;
	unsigned char stage;
	unsigned char status;
	unsigned char flags;
	/* Anything, when the job is new; from here on. */
	unsigned short way[FC_JOB_MAX_BLOCKS];
	unsigned int crc[FC_JOB_MAX_BLOCKS];
};

/* A request that waits.  From the slab "pending-jobs" and its mempool. */
struct fc_pending {
	struct fc_pending *next;
	struct fc_request *req;
};

/* Everything that defines a cache.  Filled by fc_core_plan() or fc_core_probe(). */
struct fc_config {
	fc_u64 origin_sectors;
	fc_u64 cache_device_sectors;	/* in */
	fc_u64 created_sectors;		/* out: what cache_device_sectors was at creation */
	unsigned int unit_bytes;	/* in: logical block size of the cache device, 512 or 4096 */
	unsigned int block_sectors;	/* in: 0 = default 8 */
	unsigned int ways_per_set;	/* in: 0 = default 512 */
	unsigned int extent_blocks;	/* in: 0 = default 256 KiB */
	unsigned int mode;		/* enum fc_mode */
	unsigned int chunk_blocks;	/* out: requests must not cross multiples of this, 1..64 */
	unsigned int chunk_sectors;	/* out: the same in sectors, at most 512 */
	unsigned int cache_volatile;	/* in: 1 if the cache device has a volatile write cache */
	unsigned int origin_volatile;	/* in: 1 if the origin has one */
	unsigned int flags;		/* out of probe: FC_DISK_FLAG_* of the superblock */
	fc_u64 cache_sectors_wanted;	/* in: size of the cache for plan; 0 = the whole device */
	fc_u64 nr_sets;			/* out */
	fc_u64 nr_blocks;		/* out: nr_sets * ways_per_set, below 2^32 */
	fc_u64 home_offset_sectors, home_units;	/* out */
	fc_u64 log_offset_sectors, log_units;	/* out */
	fc_u64 data_offset_sectors;		/* out */
	fc_u64 created_s;
	fc_u64 superblock_sequence;	/* out of probe */
	fc_u64 epoch;			/* out of probe */
	fc_u64 log_tail;		/* out of probe */
	unsigned int origin_fingerprint;	/* out of probe */
	unsigned char cache_uuid[FC_DISK_UUID_BYTES];	/* in for format: random */
	char cache_name[FC_DISK_NAME_BYTES];
	char origin_path[FC_DISK_PATH_BYTES];
	char origin_id[FC_DISK_ID_BYTES];
};

/*
 * Numbers that change while the cache lives: fc_core_tune() sets them, fc_core_tune_range() tells what
 * they may be.  A unit is in the name; PCT are per cent.
 */
enum fc_tunable {
	FC_TUNE_DIRTY_THRESH_PCT,	/* dirty share of a set above which it is cleaned */
	FC_TUNE_CACHE_DIRTY_THRESH_PCT,	/* dirty share of the cache above which all of its sets are */
	FC_TUNE_MAX_CLEAN_IOS_TOTAL,	/* copies in flight */
	FC_TUNE_MAX_CLEAN_IOS_SET,	/* copies started in one set at a time */
	FC_TUNE_MAX_CLEAN_IOS_BUSY,	/* copies in flight while users read the origin */
	FC_TUNE_FALLOW_DELAY_S,		/* 0 = never; dirty blocks not written for so long are cleaned */
	FC_TUNE_FALLOW_CLEAN_SPEED,	/* copies of fallow blocks started per set and second */
	FC_TUNE_IDLE_DELAY_MS,		/* 0 = never; clean when no request came for this long */
	FC_TUNE_WRITEBACK_CENTISECS,	/* how often the cleaner looks by itself */
	FC_TUNE_WRITE_MERGE,		/* 1: neighbours are copied together */
	FC_TUNE_CLEAN_ON_READ_MISS,	/* dirty blocks to clean near the next victim */
	FC_TUNE_CLEAN_ON_WRITE_MISS,
	FC_TUNE_FAST_REMOVE,		/* 1: removal keeps dirty blocks on the cache device */
	FC_TUNE_STOP_SYNC,		/* 1: ends a running sync */
	FC_TUNE_CACHE_ALL,		/* 0: new blocks are cached for FC_REQ_WANT only */
	FC_TUNE_ADMISSION,		/* new blocks: 0 at once; on second sight 1 reads, 2 writes, too */
	FC_TUNE_SKIP_SEQ_READ_KB,	/* 0 = never; reads that went on for longer are not cached */
	FC_TUNE_SKIP_SEQ_WRITE_KB,
	FC_TUNE_LRU_HOT_PCT,		/* reclaim policy lru: share of the hot list */
	FC_TUNE_LRU_PROMOTE_THRESH,	/* and uses before a block gets there */
	FC_NR_TUNABLES
};

/* Which block has to go.  See replacement.h in the core. */
enum fc_policy {
	FC_POLICY_FIFO = 0,
	FC_POLICY_LRU = 1,
	FC_POLICY_CLOCK2Q = 2,
	FC_NR_POLICIES
};

/* Gauges, for status and procfs. */
enum fc_gauge {
	FC_GAUGE_BLOCKS,		/* capacity, blocks */
	FC_GAUGE_CACHED,		/* valid blocks, clean and dirty */
	FC_GAUGE_DIRTY,
	FC_GAUGE_WAITING,		/* requests that wait */
	FC_GAUGE_LOG_USED,		/* log units in use */
	FC_GAUGE_LOG_UNITS,
	FC_GAUGE_DEGRADED,		/* 1: nothing new is cached because the cache device failed */
	FC_GAUGE_RECOVERED_DIRTY,	/* dirty blocks found at load */
	FC_GAUGE_RECOVERED_CLEAN,
	FC_GAUGE_RECOVERED_VOID,	/* log records voided at load: data never arrived */
	FC_GAUGE_UNCLEAN_LOAD,		/* 1: the last load was a recovery */
	FC_GAUGE_SYNCING,
	FC_GAUGE_POLICY,		/* enum fc_policy */
	FC_GAUGE_LRU_HOT,		/* blocks in the hot lists; 0 under other policies */
	FC_GAUGE_LRU_PROMOTIONS,	/* into them, and out of them, ever */
	FC_GAUGE_LRU_DEMOTIONS,
	FC_NR_GAUGES
};

/* Background work that the core asks for with fc_os_kick(). */
enum fc_work {
	FC_WORK_RUN,			/* call fc_core_run() soon */
	FC_WORK_WRITEBACK,		/* call fc_core_writeback() */
	FC_WORK_CHECKPOINT,		/* call fc_core_checkpoint() */
	FC_NR_WORKS
};

/* Locks: 0..FC_LOCK_SETS-1 guard sets (set number modulo), the others by name. */
#define FC_LOCK_SETS 1024u
enum fc_lock { FC_LOCK_LOG = FC_LOCK_SETS, FC_LOCK_QUEUE, FC_LOCK_WRITEBACK, FC_NR_LOCKS };

#define FC_IO_FUA 1u			/* flags of fc_os_*_io */

enum fc_io_op { FC_IO_READ = 0, FC_IO_WRITE = 1, FC_IO_FLUSH = 2 };

enum fc_log_level { FC_LOG_INFO, FC_LOG_WARNING, FC_LOG_ERROR };

/* ---- the core, called by its surroundings ---------------------------------------------------- */

/* A sentence that says what is wrong and what to do, for messages.  Any context. */
FC_ENTRY const char *fc_status_text(int status);

/* Complete @config (the fields marked "in" are set): geometry.  FC_OK or FC_E_*.  Any context. */
FC_ENTRY int fc_core_plan(struct fc_config *config);

/* Read both superblocks, check them against the devices' sizes in @config, fill @config.  Task.
 * @scratch: 4096 bytes, aligned for I/O.  FC_OK, FC_EIO or FC_E_*. */
FC_ENTRY int fc_core_probe(void *os, struct fc_config *config, void *scratch);

/* Write empty metadata and a clean superblock for @config (from fc_core_plan).  Task.
 * @scratch: FC_SCRATCH_BYTES, aligned for I/O. */
#define FC_SCRATCH_BYTES (64u * 1024u)
FC_ENTRY int fc_core_format(void *os, const struct fc_config *config, void *scratch);

/* Write superblocks that no longer carry the magic.  Task.  @scratch: 4096 bytes. */
FC_ENTRY int fc_core_wipe(void *os, const struct fc_config *config, void *scratch);

/* Bytes of memory that a cache of this configuration needs, all told.  Any context. */
FC_ENTRY fc_u64 fc_core_bytes(const struct fc_config *config);

/* Build a cache in @memory (fc_core_bytes(), zeroed, 4096-aligned).  No I/O.  Task. */
FC_ENTRY struct fc_core *fc_core_init(void *memory, void *os, const struct fc_config *config);

/* Read the metadata, recover if the last stop was not orderly, write a superblock that says
 * "in use".  After FC_OK requests may come.  Task; sleeps; reads all metadata. */
FC_ENTRY int fc_core_open(struct fc_core *core);

/* Orderly stop: no request may be in flight or come afterwards.  Unless @keep_dirty is 1, writes
 * back all dirty blocks first; ends early with FC_EINTR (dirty blocks stay, safely) when
 * fc_os_interrupted() says so.  Then writes all metadata and a clean superblock.  Task; sleeps. */
FC_ENTRY int fc_core_close(struct fc_core *core, int keep_dirty);

/* Stop background work and make everything durable, e.g. for suspend; undone by fc_core_resume().
 * Requests are not in flight.  Task; sleeps. */
FC_ENTRY int fc_core_suspend(struct fc_core *core);
FC_ENTRY void fc_core_resume(struct fc_core *core);

/* Change the mode.  Only between fc_core_suspend() and fc_core_resume(), or before open.  Task;
 * sleeps.  FC_EIO: changed, but not recorded: the next load would be in the old mode. */
FC_ENTRY int fc_core_set_mode(struct fc_core *core, int mode);

/* @dev (enum fc_dev) has a volatile write cache from now on: so can a device be changed that another
 * driver makes of others.  There is no way back.  Any time between open and close; any context. */
FC_ENTRY void fc_core_set_volatile(struct fc_core *core, int dev);

/* A request arrives.  Task, may be inside another submission: never sleeps, never waits.
 * Calls fc_os_accept() at most once, before anybody else can see the request. */
FC_ENTRY int fc_core_map(struct fc_core *core, struct fc_request *req);

/* A request sent off by FC_ACT_REMAP_* ended.  Returns 1 if the core keeps it (it will call
 * fc_os_complete() later; the surroundings must leave the bio alone), 0 if it ends now with
 * req->status.  Any context. */
FC_ENTRY int fc_core_end_io(struct fc_core *core, struct fc_request *req, int status);

/* A part sent off by fc_os_submit_part() ended.  Any context. */
FC_ENTRY void fc_core_part_done(struct fc_core *core, struct fc_request *req, int status);

/* An I/O of fc_os_job_io() or fc_os_copy() ended.  @dev: the device that failed, if any.  Any. */
FC_ENTRY void fc_core_job_io_done(struct fc_core *core, struct fc_job *job, int dev, int status);

/* An I/O of fc_os_async_io() ended.  Any context. */
FC_ENTRY void fc_core_async_done(struct fc_core *core, unsigned int token, int status);

/* Background work.  Task; each is never entered twice at the same time for one cache. */
FC_ENTRY void fc_core_run(struct fc_core *core);
/* Returns the milliseconds after which it wants to be called again, 0: not until kicked. */
FC_ENTRY unsigned int fc_core_writeback(struct fc_core *core);
FC_ENTRY void fc_core_checkpoint(struct fc_core *core);

/* Write back everything that is dirty now, in the background (do_sync); what is written later does not
 * prolong it.  FC_GAUGE_SYNCING is 1 meanwhile.  Any context. */
FC_ENTRY void fc_core_start_sync(struct fc_core *core);

/* Change a tunable; 0, or -1 if @value is out of range (nothing changes).  Any context. */
FC_ENTRY int fc_core_tune(struct fc_core *core, int tunable, unsigned int value);
FC_ENTRY unsigned int fc_core_tuned(const struct fc_core *core, int tunable);
/* The smallest and the largest value of a tunable.  0, or -1 if there is none of this number.  Any context. */
FC_ENTRY int fc_core_tune_range(int tunable, unsigned int *low, unsigned int *high);

/* Bytes of memory that @policy (enum fc_policy) needs beside the cache's own; may be 0.  Any context. */
FC_ENTRY fc_u64 fc_core_policy_bytes(const struct fc_core *core, int policy);
/*
 * Replace blocks by @policy from now on; @memory: fc_core_policy_bytes(), zeroed, or null if that is 0.
 * Set by set, contents stay; takes O(blocks).  Returns memory of an earlier call that is not in use any more, or
 * null.  For the policy in force nothing changes, and @memory comes back.  Task; one at a time; not
 * while the cache is opened or closed.
 */
FC_ENTRY void *fc_core_set_policy(struct fc_core *core, int policy, void *memory);

FC_ENTRY fc_u64 fc_core_gauge(struct fc_core *core, int gauge);

/* Leave the degraded state after the cache device was mended: forgets all clean blocks.  -1 if
 * the log has failed (reload the cache instead).  Task. */
FC_ENTRY int fc_core_clear_errors(struct fc_core *core);

/* A flush of @dev (enum fc_dev) for which somebody sleeps has failed, or (not @flush) a FUA write.  Before
 * the sleeper wakes: nobody may believe another flush meanwhile.  Any context. */
FC_ENTRY void fc_core_sync_failed(struct fc_core *core, int dev, int flush);

/* ---- the surroundings, called by the core --------------------------------------------------- */

/* The request ends after its first @nr_sectors; the rest comes back as another.  In map. */
FC_OS void fc_os_accept(void *os, struct fc_request *req, unsigned int nr_sectors);

/* End a request that the core has taken.  Any context, no lock held. */
FC_OS void fc_os_complete(void *os, struct fc_request *req, int status);

/* Send @count sectors of the request's data, from sector @offset of it, to @dev.  For discards
 * and write-zeroes: the operation itself.  Keeps FUA of the request.  Ends in
 * fc_core_part_done().  Task, never waits for memory that only the core can free. */
FC_OS void fc_os_submit_part(void *os, struct fc_request *req, int dev, fc_u64 dev_sector,
			     unsigned int offset, unsigned int count);

/* A job, zeroed up to its ways, or null if there is none now (the caller queues; fc_core_run() is called again
 * after the next fc_os_job_free()).  Any context. */
FC_OS struct fc_job *fc_os_job_alloc(void *os);
/* Also gives the buffer back.  Any context. */
FC_OS void fc_os_job_free(void *os, struct fc_job *job);
/* Give the job a buffer of @nr_sectors.  0, or -1 if there is no memory now.  @reserve 1: may use
 * the reserve that guarantees progress; 0: optional work.  Any context. */
FC_OS int fc_os_job_buffer(void *os, struct fc_job *job, unsigned int nr_sectors, int reserve);

FC_OS struct fc_pending *fc_os_pending_alloc(void *os);	/* or null; any context */
FC_OS void fc_os_pending_free(void *os, struct fc_pending *pending);

/* Copy between a request's data and a job's buffer; offsets and count in sectors.  The data of a
 * write-zeroes request is zeros.  Any. */
FC_OS void fc_os_copy_in(void *os, struct fc_job *job, unsigned int buffer_offset,
			 struct fc_request *req, unsigned int req_offset, unsigned int count);
FC_OS void fc_os_copy_out(void *os, struct fc_job *job, unsigned int buffer_offset,
			  struct fc_request *req, unsigned int req_offset, unsigned int count);
/* CRC-32C (seed 0, as fc_os_crc32c) of part of a job's buffer.  Any. */
FC_OS unsigned int fc_os_buffer_crc(void *os, struct fc_job *job, unsigned int offset, unsigned int count);

/* I/O between a job's buffer and a device.  Ends in fc_core_job_io_done().  Task. */
FC_OS void fc_os_job_io(void *os, struct fc_job *job, int dev, int io_op, fc_u64 dev_sector,
			unsigned int buffer_offset, unsigned int count, unsigned int flags);

/* Copy @count sectors from the cache device to the origin.  Ends in fc_core_job_io_done().  Task. */
FC_OS void fc_os_copy(void *os, struct fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector,
		      unsigned int count);

/* I/O of the core's own memory (@buffer: inside the memory of fc_core_init, or null for a
 * flush); ends in fc_core_async_done() with @token.  Task. */
FC_OS void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer,
			  unsigned int count, unsigned int flags, unsigned int token);

/* The same, waiting for the end.  FC_OK or FC_EIO.  Task; sleeps.  If a flush or a FUA write fails, and
 * there is a core, fc_core_sync_failed() is called first, in the completion. */
FC_OS int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer,
			unsigned int count, unsigned int flags);

FC_OS unsigned long fc_os_lock(void *os, unsigned int lock);	/* returns what unlock wants */
FC_OS void fc_os_unlock(void *os, unsigned int lock, unsigned long flags);

/* Ask for background work in @delay_ms (0: now; an earlier date wins).  Any context. */
FC_OS void fc_os_kick(void *os, int work, unsigned int delay_ms);

/* Wait until fc_os_wake(), a signal, or @timeout_ms (at most that).  Task; sleeps. */
FC_OS void fc_os_wait(void *os, unsigned int timeout_ms);
FC_OS void fc_os_wake(void *os);		/* any context */
FC_OS int fc_os_interrupted(void *os);		/* 1: the waiting process has a fatal signal, or stop_sync */

FC_OS void fc_os_resched(void *os);		/* others may run, in a long walk.  Task, no lock held. */
FC_OS fc_u64 fc_os_now_ms(void *os);		/* monotonic */
FC_OS unsigned int fc_os_crc32c(unsigned int seed, const void *data, unsigned long bytes);
FC_OS void fc_os_stat(void *os, int stat, unsigned int n);	/* per CPU, any context */
FC_OS fc_u64 fc_os_stat_sum(void *os, int stat);
FC_OS void fc_os_warn(void *os, const char *what);	/* a contradiction inside the core: WARN once */
FC_OS void fc_os_log(void *os, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
