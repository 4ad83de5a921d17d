/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors on demand, for tests, in modules built with "make module DEBUG=1": the sysctl
 * error_inject takes bits, with the values that flashcache 3 gave them, and each makes one thing
 * fail, once.  What flashcache 3 had and this cache has no path for is refused.  In other builds
 * nothing of this is left.
 */
#ifndef FLASHCACHE_INJECT_H
#define FLASHCACHE_INJECT_H

#include "glue.h"

#define FC_INJECT_READDISK 0x1		/* a read of the origin */
#define FC_INJECT_READCACHE 0x2		/* a read of the cache device */
#define FC_INJECT_READFILL 0x4		/* the write of a fill to the cache device */
#define FC_INJECT_WRITECACHE 0x8	/* a write of users' data to the cache device */
#define FC_INJECT_LOG 0x10		/* WRITECACHE_MD: a write of the log */
#define FC_INJECT_METADATA 0x20		/* WRITEDISK_MD: of the home table or a superblock */
#define FC_INJECT_COPY 0x40		/* KCOPYD_CALLBACK: a copy to the origin */
#define FC_INJECT_CLEAN_JOB 0x80	/* DIRTY_WRITEBACK_JOB_ALLOC: memory for a copy's job */
#define FC_INJECT_MISS_JOB 0x4100	/* READ_MISS_JOB_ALLOC, WRITE_MISS_JOB_ALLOC: other jobs */
#define FC_INJECT_PENDING 0x2c00	/* the PENDING_JOB_ALLOCs: memory for one that waits */

#define FC_INJECT_ALL (FC_INJECT_READDISK | FC_INJECT_READCACHE | FC_INJECT_READFILL | \
		       FC_INJECT_WRITECACHE | FC_INJECT_LOG | FC_INJECT_METADATA | \
		       FC_INJECT_COPY | FC_INJECT_CLEAN_JOB | FC_INJECT_MISS_JOB | \
		       FC_INJECT_PENDING)

#ifdef FLASHCACHE_DEBUG

bool fc_inject(struct fc_cache *cache, unsigned long bits);
bool fc_inject_alloc(struct fc_cache *cache, unsigned long bits);
unsigned long fc_inject_job_bits(struct fc_cache *cache);
bool fc_inject_job(struct fc_cache *cache, struct fc_glue_job *job, int dev, bool read);
void fc_inject_request(struct fc_cache *cache, const struct fc_io *io, blk_status_t *error);

static inline void fc_inject_note_dev(struct fc_io *io, int dev)
{
	io->dev = dev;
}

static inline void fc_inject_init_job(struct fc_glue_job *job)
{
	job->fills = false;
}

#else

static inline bool fc_inject(struct fc_cache *cache, unsigned long bits)
{
	return false;
}

static inline bool fc_inject_alloc(struct fc_cache *cache, unsigned long bits)
{
	return false;
}

static inline unsigned long fc_inject_job_bits(struct fc_cache *cache)
{
	return 0;
}

static inline bool fc_inject_job(struct fc_cache *cache, struct fc_glue_job *job, int dev,
				 bool read)
{
	return false;
}

static inline void fc_inject_request(struct fc_cache *cache, const struct fc_io *io,
				     blk_status_t *error)
{
}

static inline void fc_inject_note_dev(struct fc_io *io, int dev)
{
}

static inline void fc_inject_init_job(struct fc_glue_job *job)
{
}

#endif
#endif
