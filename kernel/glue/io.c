// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O of the core's own: between a job's buffer and a device, from the cache device to the
 * origin, and of the core's memory (superblocks, home table, log).
 *
 * All clients and reserves belong to one cache.  Nothing here is started with interrupts off.
 */
#include <linux/dm-io.h>
#include <linux/dm-kcopyd.h>
#include <linux/mm.h>

#include "compat.h"
#include "histogram.h"
#include "inject.h"

#define JOB_BIOS_RESERVED 64
#define ASYNC_IOS_RESERVED 64

/* An I/O of a job in flight. */
struct job_io {
	struct fc_cache *cache;
	struct fc_job *job;
	int dev;
	struct bio bio;			/* last: of job_bios, with this structure as front pad */
};

/* An I/O of the core's memory in flight. */
struct async_io {
	struct fc_cache *cache;
	unsigned int token;
	bool write;
};

/* One that somebody waits for. */
struct sync_io {
	struct fc_cache *cache;
	struct completion done;
	int dev;
	bool write;
	bool flush;
	bool fua;
	int status;
};

/* Context: task. */
int fc_io_init(struct fc_cache *cache)
{
	int r;

	r = mempool_init_kmalloc_pool(&cache->async_ios, ASYNC_IOS_RESERVED,
				      sizeof(struct async_io));
	if (!r)
		r = bioset_init(&cache->job_bios, JOB_BIOS_RESERVED, offsetof(struct job_io, bio),
				BIOSET_NEED_BVECS | BIOSET_NEED_RESCUER);
	if (r)
		return r;

	cache->io_client = dm_io_client_create();
	if (IS_ERR(cache->io_client)) {
		r = PTR_ERR(cache->io_client);
		cache->io_client = NULL;
		return r;
	}

	cache->copy_client = dm_kcopyd_client_create(NULL);
	if (IS_ERR(cache->copy_client)) {
		r = PTR_ERR(cache->copy_client);
		cache->copy_client = NULL;
	}
	return r;
}

/* Also after a failed or missing fc_io_init().  Context: task. */
void fc_io_exit(struct fc_cache *cache)
{
	if (cache->copy_client)
		dm_kcopyd_client_destroy(cache->copy_client);
	if (cache->io_client)
		dm_io_client_destroy(cache->io_client);
	bioset_exit(&cache->job_bios);
	mempool_exit(&cache->async_ios);
}

/*
 * Our writes wait for nobody's dirty pages: SYNC and IDLE together keep the block layer's
 * writeback throttling away, as for direct I/O, so that the worker of a cache never sleeps there.
 */
static blk_opf_t opf_of(int io_op, unsigned int flags)
{
	blk_opf_t opf;

	if (io_op == FC_IO_READ)
		return REQ_OP_READ | REQ_SYNC;

	opf = REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
	if (io_op == FC_IO_FLUSH)
		opf |= REQ_PREFLUSH;
	if (flags & FC_IO_FUA)
		opf |= REQ_FUA;
	return opf;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void job_end_io(struct bio *bio)
{
	struct job_io *io = container_of(bio, struct job_io, bio);
	struct fc_cache *cache = io->cache;
	struct fc_job *job = io->job;
	int dev = io->dev;
	int status = fc_status_of(bio->bi_status);

	if (fc_inject_job(cache, to_glue_job(job), dev, bio_op(bio) == REQ_OP_READ))
		status = FC_EIO;
	bio_put(bio);
	rcu_read_lock();
	fc_core_job_io_done(cache->core, job, dev, status);
	rcu_read_unlock();
}

static void add_buffer(struct bio *bio, struct fc_glue_job *job, unsigned int at,
		       unsigned int bytes)
{
	unsigned int n;

	for (; bytes; at += n, bytes -= n) {
		n = min_t(unsigned int, bytes, PAGE_SIZE - offset_in_page(at));
		__bio_add_page(bio, job->page[at >> PAGE_SHIFT], n, offset_in_page(at));
	}
}

/* Context: task; may wait for a bio, which only needs others of its kind to end. */
void fc_os_job_io(void *os, struct fc_job *job, int dev, int io_op, fc_u64 dev_sector,
		  unsigned int buffer_offset, unsigned int count, unsigned int flags)
{
	struct fc_cache *cache = os;
	unsigned int at = buffer_offset << SECTOR_SHIFT;
	unsigned int bytes = count << SECTOR_SHIFT;
	struct job_io *io;
	struct bio *bio;

	bio = bio_alloc_bioset(cache->bdev[dev], DIV_ROUND_UP(offset_in_page(at) + bytes, PAGE_SIZE),
			       opf_of(io_op, flags), GFP_NOIO, &cache->job_bios);
	io = container_of(bio, struct job_io, bio);
	io->cache = cache;
	io->job = job;
	io->dev = dev;
	bio->bi_end_io = job_end_io;
	bio->bi_iter.bi_sector = dev_sector;
	add_buffer(bio, to_glue_job(job), at, bytes);
	submit_bio_noacct(bio);
}

static void copy_done(int read_error, unsigned long write_error, void *context)
{
	struct fc_glue_job *job = context;
	int dev = read_error ? FC_DEV_CACHE : FC_DEV_ORIGIN;
	bool failed = read_error || write_error || fc_inject(job->cache, FC_INJECT_COPY);

	rcu_read_lock();
	fc_core_job_io_done(job->cache->core, &job->core, dev, failed ? FC_EIO : FC_OK);
	rcu_read_unlock();
}

/* Context: task; may wait for a job of kcopyd's, of this cache's client. */
void fc_os_copy(void *os, struct fc_job *job, fc_u64 cache_sector, fc_u64 origin_sector,
		unsigned int count)
{
	struct fc_cache *cache = os;
	struct dm_io_region from = {
		.bdev = cache->bdev[FC_DEV_CACHE],
		.sector = cache_sector,
		.count = count,
	};
	struct dm_io_region to = {
		.bdev = cache->bdev[FC_DEV_ORIGIN],
		.sector = origin_sector,
		.count = count,
	};

	fc_count_copy(cache, count / cache->config.block_sectors);
	dm_kcopyd_copy(cache->copy_client, &from, 1, &to, 0, copy_done, to_glue_job(job));
}

/* ---- the core's memory ----------------------------------------------------------------------- */

static int start_io(struct fc_cache *cache, int dev, int io_op, fc_u64 sector, void *buffer,
		    unsigned int count, unsigned int flags, struct dm_io_request *request)
{
	struct dm_io_region region = {
		.bdev = cache->bdev[dev],
		.sector = sector,
		.count = io_op == FC_IO_FLUSH ? 0 : count,
	};

	request->bi_opf = opf_of(io_op, flags);
	request->client = cache->io_client;
	request->mem.offset = 0;
	if (buffer && is_vmalloc_addr(buffer)) {
		request->mem.type = DM_IO_VMA;
		request->mem.ptr.vma = buffer;
	} else {
		request->mem.type = DM_IO_KMEM;
		request->mem.ptr.addr = buffer;
	}
	return fc_dm_io(request, &region);
}

static void async_done(unsigned long error, void *context)
{
	struct async_io *io = context;
	struct fc_cache *cache = io->cache;
	unsigned int token = io->token;
	bool failed = error || (io->write && fc_inject(cache, FC_INJECT_LOG));

	mempool_free(io, &cache->async_ios);
	rcu_read_lock();
	fc_core_async_done(cache->core, token, failed ? FC_EIO : FC_OK);
	rcu_read_unlock();
}

/* Context: task. */
void fc_os_async_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer,
		    unsigned int count, unsigned int flags, unsigned int token)
{
	struct fc_cache *cache = os;
	struct async_io *io = mempool_alloc(&cache->async_ios, GFP_NOIO);
	struct dm_io_request request = {
		.notify.fn = async_done,
		.notify.context = io,
	};

	io->cache = cache;
	io->token = token;
	io->write = io_op == FC_IO_WRITE;
	start_io(cache, dev, io_op, sector, buffer, count, flags, &request);
}

static void sync_done(unsigned long error, void *context)
{
	struct sync_io *io = context;

	if (io->write && fc_inject(io->cache, FC_INJECT_METADATA))
		error = 1;
	io->status = error ? FC_EIO : FC_OK;
	if (error && (io->flush || io->fua) && io->cache->core)
		fc_core_sync_failed(io->cache->core, io->dev, io->flush);
	complete(&io->done);
}

/* Context: task; sleeps.  FC_OK or FC_EIO. */
int fc_os_sync_io(void *os, int dev, int io_op, fc_u64 sector, void *buffer,
		  unsigned int count, unsigned int flags)
{
	struct sync_io io = {
		.cache = os,
		.done = COMPLETION_INITIALIZER_ONSTACK(io.done),
		.dev = dev,
		.write = io_op == FC_IO_WRITE,
		.flush = io_op == FC_IO_FLUSH,
		.fua = flags & FC_IO_FUA,
	};
	struct dm_io_request request = {
		.notify.fn = sync_done,
		.notify.context = &io,
	};

	if (start_io(os, dev, io_op, sector, buffer, count, flags, &request))
		return FC_EIO;
	wait_for_completion_io(&io.done);
	return io.status;
}
