// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users' requests.
 *
 * Device-mapper gives us a clone of each bio, with struct fc_io beside it.  Most clones are
 * remapped and are done when they end.  The core may also keep a request, at once or when its
 * remapped clone has failed; then it sends parts of it with fc_os_submit_part() and ends it with
 * fc_os_complete().  For a part that is the whole request the clone itself is sent (again), for
 * others a clone of the clone.  fc_io.route says what the end of the clone means.
 */
#include <linux/crc32c.h>
#include <linux/highmem.h>

#include "histogram.h"
#include "inject.h"

#define PART_BIOS_RESERVED 64

/* A part of a request in flight. */
struct part {
	struct fc_cache *cache;
	struct fc_request *req;
	struct bio bio;			/* last: of part_bios, with this structure as front pad */
};

static struct fc_io *io_of(struct fc_request *req)
{
	return container_of(req, struct fc_io, req);
}

static struct bio *clone_of(struct fc_io *io)
{
	return dm_bio_from_per_bio_data(io, sizeof(*io));
}

static blk_status_t blk_status_from(int status, blk_status_t seen)
{
	switch (status) {
	case FC_OK:
		return BLK_STS_OK;
	case FC_ENOTSUPP:
		return BLK_STS_NOTSUPP;
	case FC_EIO:
		return seen ? seen : BLK_STS_IOERR;
	default:
		return BLK_STS_IOERR;
	}
}

/* Devices also answer a discard that they do not know with "target error". */
static int request_status(const struct fc_request *req, blk_status_t error)
{
	if (error == BLK_STS_TARGET &&
	    (req->op == FC_OP_DISCARD || req->op == FC_OP_WRITE_ZEROES))
		return FC_ENOTSUPP;
	return fc_status_of(error);
}

/* ---- in -------------------------------------------------------------------------------------- */

/* Operations that we did not ask device-mapper for do not come; -1 if one does. */
static int op_of(const struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return FC_OP_READ;
	case REQ_OP_WRITE:
		return !bio->bi_iter.bi_size && (bio->bi_opf & REQ_PREFLUSH) ? FC_OP_FLUSH :
									      FC_OP_WRITE;
	case REQ_OP_DISCARD:
		return FC_OP_DISCARD;
	case REQ_OP_WRITE_ZEROES:
		return FC_OP_WRITE_ZEROES;
	default:
		return -1;
	}
}

/* Read-ahead may fail fast; on the cache device that would look like a broken block. */
static void direct(struct fc_cache *cache, struct bio *bio, int dev, fc_u64 sector)
{
	bio_set_dev(bio, cache->bdev[dev]);
	bio->bi_iter.bi_sector = sector;
	if (dev == FC_DEV_CACHE)
		bio->bi_opf &= ~REQ_RAHEAD;
}

/* What only reads and writes have: who sends it counts, its size, its time. */
static void begin_transfer(struct fc_cache *cache, struct fc_io *io, const struct bio *bio)
{
	if (unlikely(READ_ONCE(cache->has_lists)))
		io->req.flags |= fc_lists_flags(cache, bio);
	if (unlikely(READ_ONCE(cache->times_io)))
		io->start_ns = ktime_get_ns();
	fc_count_size(cache, io->req.nr_sectors);
}

static void remap(struct fc_cache *cache, struct fc_io *io, struct bio *bio, int dev)
{
	io->route = FC_ROUTE_REMAPPED;
	fc_inject_note_dev(io, dev);
	direct(cache, bio, dev, io->req.target_sector);
}

/* The target's map function.  Context: task, maybe inside another submission; may sleep. */
int fc_map(struct dm_target *ti, struct bio *bio)
{
	struct fc_cache *cache = ((struct fc_target *)ti->private)->cache;
	struct fc_io *io = dm_per_bio_data(bio, sizeof(*io));
	struct fc_request *req = &io->req;
	int op = op_of(bio);

	if (unlikely(op < 0))
		return DM_MAPIO_KILL;

	req->sector = bio->bi_iter.bi_sector;
	req->nr_sectors = bio_sectors(bio);
	req->op = op;
	req->flags = bio->bi_opf & REQ_FUA ? FC_REQ_FUA : 0;
	req->flush_dev = op == FC_OP_FLUSH ? dm_bio_get_target_bio_nr(bio) : 0;
	io->iter = bio->bi_iter;
	io->opf = bio->bi_opf;
	io->bio_flags = bio->bi_flags;
	io->error = BLK_STS_OK;
	io->route = FC_ROUTE_NONE;
	io->start_ns = 0;
	if (unlikely(op == FC_OP_FLUSH || req->flags))
		fc_cache_look_at_devices(cache);
	if (likely(op == FC_OP_READ || op == FC_OP_WRITE))
		begin_transfer(cache, io, bio);

	switch (fc_core_map(cache->core, req)) {
	case FC_ACT_REMAP_CACHE:
		remap(cache, io, bio, FC_DEV_CACHE);
		return DM_MAPIO_REMAPPED;
	case FC_ACT_REMAP_ORIGIN:
		remap(cache, io, bio, FC_DEV_ORIGIN);
		return DM_MAPIO_REMAPPED;
	case FC_ACT_TAKEN:
		return DM_MAPIO_SUBMITTED;
	default:
		fc_os_complete(cache, req, req->status);
		return DM_MAPIO_SUBMITTED;
	}
}

/* Shorten a read or write to what one treatment serves.  Context: inside fc_map() only. */
void fc_os_accept(void *os, struct fc_request *req, unsigned int nr_sectors)
{
	struct fc_io *io = io_of(req);
	struct bio *bio = clone_of(io);

	if (nr_sectors >= bio_sectors(bio))
		return;
	fc_recount_size(os, bio_sectors(bio), nr_sectors);
	dm_accept_partial_bio(bio, nr_sectors);
	io->iter.bi_size = bio->bi_iter.bi_size;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* Make the clone as it came: it may have been used up, split and marked by lower layers. */
static void restore(struct fc_io *io, struct bio *bio)
{
	bio->bi_iter = io->iter;
	bio->bi_opf = io->opf & ~REQ_POLLED;	/* nobody polls for what we send ourselves */
	bio->bi_flags = io->bio_flags;
	bio->bi_status = BLK_STS_OK;
	bio->bi_cookie = BLK_QC_T_NONE;
	bio->bi_next = NULL;	/* a lower layer leaves it at the bio that it merged this one with */
	atomic_set(&bio->__bi_remaining, 1);
}

static void part_end_io(struct bio *bio)
{
	struct part *part = container_of(bio, struct part, bio);
	struct fc_cache *cache = part->cache;
	struct fc_request *req = part->req;
	blk_status_t error = bio->bi_status;

	bio_put(bio);
	fc_inject_request(cache, io_of(req), &error);
	if (unlikely(error))
		io_of(req)->error = error;
	rcu_read_lock();
	fc_core_part_done(cache->core, req, request_status(req, error));
	rcu_read_unlock();
}

static struct bio *part_bio(struct fc_cache *cache, struct fc_io *io, struct bio *clone, int dev,
			    unsigned int offset, unsigned int count)
{
	struct bio *bio = bio_alloc_clone(cache->bdev[dev], clone, GFP_NOIO, &cache->part_bios);
	struct part *part = container_of(bio, struct part, bio);

	part->cache = cache;
	part->req = &io->req;
	bio->bi_end_io = part_end_io;
	/* The pool of the clone is not this one's, nor (direct()) its way through a partition. */
	bio->bi_opf = io->opf & ~(REQ_POLLED | REQ_ALLOC_CACHE);
	bio->bi_iter = io->iter;
	bio_advance(bio, offset << SECTOR_SHIFT);
	bio->bi_iter.bi_size = count << SECTOR_SHIFT;
	return bio;
}

/*
 * Send a part of the request; see abi.h.  Context: task.  May wait for a bio, which then only
 * needs others of its kind to end: the bio set has a rescuer, so this holds inside a submission.
 */
void fc_os_submit_part(void *os, struct fc_request *req, int dev, fc_u64 dev_sector,
		       unsigned int offset, unsigned int count)
{
	struct fc_cache *cache = os;
	struct fc_io *io = io_of(req);
	struct bio *clone = clone_of(io);
	struct bio *bio = clone;

	/* Of a clone that its owner polls the device must not change: its cookie goes with that. */
	if (!offset && count == io->iter.bi_size >> SECTOR_SHIFT && io->route == FC_ROUTE_NONE &&
	    !(io->opf & REQ_POLLED)) {
		restore(io, clone);
		io->route = FC_ROUTE_PART;
	} else {
		bio = part_bio(cache, io, clone, dev, offset, count);
	}
	fc_inject_note_dev(io, dev);
	direct(cache, bio, dev, dev_sector);
	dm_submit_bio_remap(clone, bio);
}

/* End a request that the core has.  Context: any. */
void fc_os_complete(void *os, struct fc_request *req, int status)
{
	struct fc_io *io = io_of(req);
	struct bio *bio = clone_of(io);

	restore(io, bio);
	io->route = FC_ROUTE_DONE;
	bio->bi_status = blk_status_from(status, io->error);
	bio_endio(bio);
}

static int end_request(struct fc_cache *cache, const struct fc_io *io)
{
	if (unlikely(io->start_ns))
		fc_count_latency(cache, io->start_ns);
	return DM_ENDIO_DONE;
}

/* The target's end_io function: each end of the clone comes by here.  Context: any. */
int fc_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct fc_cache *cache = ((struct fc_target *)ti->private)->cache;
	struct fc_io *io = dm_per_bio_data(bio, sizeof(*io));
	struct fc_request *req = &io->req;
	u8 route = io->route;
	int taken = 1;

	if (route == FC_ROUTE_DONE)
		return end_request(cache, io);

	fc_inject_request(cache, io, error);
	if (unlikely(*error))
		io->error = *error;
	io->route = FC_ROUTE_NONE;

	rcu_read_lock();
	if (route == FC_ROUTE_PART)
		fc_core_part_done(cache->core, req, request_status(req, *error));
	else
		taken = fc_core_end_io(cache->core, req, request_status(req, *error));
	rcu_read_unlock();
	if (taken)
		return DM_ENDIO_INCOMPLETE;
	*error = blk_status_from(req->status, *error);
	return end_request(cache, io);
}

/* Context: task. */
int fc_part_bios_init(struct fc_cache *cache)
{
	return bioset_init(&cache->part_bios, PART_BIOS_RESERVED, offsetof(struct part, bio),
			   BIOSET_NEED_RESCUER);
}

/* ---- data ------------------------------------------------------------------------------------ */

static void *buffer_at(struct fc_glue_job *job, unsigned int bytes)
{
	return page_address(job->page[bytes >> PAGE_SHIFT]) + offset_in_page(bytes);
}

/* Copy one segment of a request; the buffer may turn a page in its midst. */
static void copy_segment(struct fc_glue_job *job, unsigned int at, struct bio_vec *segment, bool in)
{
	void *data = bvec_kmap_local(segment);
	unsigned int done, n;

	for (done = 0; done < segment->bv_len; done += n, at += n) {
		n = min_t(unsigned int, segment->bv_len - done, PAGE_SIZE - offset_in_page(at));
		if (in)
			memcpy(buffer_at(job, at), data + done, n);
		else
			memcpy(data + done, buffer_at(job, at), n);
	}
	if (!in)
		flush_dcache_page(segment->bv_page);
	kunmap_local(data);
}

static void zero_buffer(struct fc_glue_job *job, unsigned int at, unsigned int bytes)
{
	unsigned int n;

	for (; bytes; at += n, bytes -= n) {
		n = min_t(unsigned int, bytes, PAGE_SIZE - offset_in_page(at));
		memset(buffer_at(job, at), 0, n);
	}
}

static void copy_data(struct fc_job *core_job, unsigned int buffer_offset, struct fc_request *req,
		      unsigned int req_offset, unsigned int count, bool in)
{
	struct fc_glue_job *job = to_glue_job(core_job);
	struct fc_io *io = io_of(req);
	struct bio *bio = clone_of(io);
	unsigned int at = buffer_offset << SECTOR_SHIFT;
	struct bvec_iter start = io->iter;
	struct bvec_iter iter;
	struct bio_vec segment;

	if (req->op == FC_OP_WRITE_ZEROES) {
		zero_buffer(job, at, count << SECTOR_SHIFT);
		return;
	}
	bio_advance_iter(bio, &start, req_offset << SECTOR_SHIFT);
	start.bi_size = count << SECTOR_SHIFT;
	__bio_for_each_segment(segment, bio, iter, start) {
		copy_segment(job, at, &segment, in);
		at += segment.bv_len;
	}
}

/* A write-zeroes request has zeros.  Context: any. */
void fc_os_copy_in(void *os, struct fc_job *job, unsigned int buffer_offset,
		   struct fc_request *req, unsigned int req_offset, unsigned int count)
{
	copy_data(job, buffer_offset, req, req_offset, count, true);
}

/* Context: any. */
void fc_os_copy_out(void *os, struct fc_job *job, unsigned int buffer_offset,
		    struct fc_request *req, unsigned int req_offset, unsigned int count)
{
	copy_data(job, buffer_offset, req, req_offset, count, false);
}

/* CRC-32C as everybody writes it: fc_os_crc32c(0, "123456789", 9) is 0xe3069283.  Context: any. */
unsigned int fc_os_crc32c(unsigned int seed, const void *data, unsigned long bytes)
{
	return ~crc32c(~seed, data, bytes);
}

/* Context: any. */
unsigned int fc_os_buffer_crc(void *os, struct fc_job *core_job, unsigned int offset,
			      unsigned int count)
{
	struct fc_glue_job *job = to_glue_job(core_job);
	unsigned int at = offset << SECTOR_SHIFT;
	unsigned int end = at + (count << SECTOR_SHIFT);
	unsigned int crc = 0;
	unsigned int n;

	for (; at < end; at += n) {
		n = min_t(unsigned int, end - at, PAGE_SIZE - offset_in_page(at));
		crc = fc_os_crc32c(crc, buffer_at(job, at), n);
	}
	return crc;
}
