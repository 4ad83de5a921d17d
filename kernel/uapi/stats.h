/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Every counter, once: FC_STATS(X) calls X(name, meaning) in the order of the numbers.
 * The names are the keys of /proc/flashcache/<...>/flashcache_stats, flashcache_errors and of
 * "dmsetup status".  The first group counts cache blocks touched by requests (a part of a block counts
 * as one); each is counted once, when it is decided how it is served:
 *
 *	reads = read_hits + read_misses + uncached_reads
 *	writes = write_hits + write_misses + uncached_writes
 */
#ifndef FLASHCACHE_UAPI_STATS_H
#define FLASHCACHE_UAPI_STATS_H

#define FC_STATS(X) \
	X(reads, "blocks read by requests") \
	X(writes, "blocks written by requests") \
	X(read_hits, "blocks read from the cache device") \
	X(write_hits, "blocks written that were cached") \
	X(dirty_write_hits, "blocks written that were dirty, in place") \
	X(read_misses, "blocks read from the origin, to be cached") \
	X(write_misses, "blocks written that were not cached before and are now") \
	X(replacement, "clean blocks evicted for a read") \
	X(write_replacement, "clean blocks evicted for a write") \
	X(write_invalidates, "blocks invalidated by writes") \
	X(read_invalidates, "blocks invalidated by failed reads") \
	X(pending_enqueues, "requests that waited for a busy block") \
	X(pending_inval, "blocks invalidated because requests collided (always 0)") \
	X(metadata_dirties, "DIRTY records logged") \
	X(metadata_cleans, "CLEAN and INVALID records logged") \
	X(metadata_batch, "records that shared a log write with an earlier one") \
	X(metadata_ssd_writes, "metadata writes to the cache device") \
	X(cleanings, "blocks written back") \
	X(fallow_cleanings, "blocks written back because they were old or the cache idle") \
	X(no_room, "requests that found no room in their set") \
	X(front_merge, "blocks written back in one copy with the next lower block") \
	X(back_merge, "blocks written back in one copy with the next higher block") \
	X(disk_reads, "read I/Os to the origin") \
	X(disk_writes, "write I/Os to the origin") \
	X(ssd_reads, "read I/Os to the cache device") \
	X(ssd_writes, "data write I/Os to the cache device") \
	X(uncached_reads, "blocks read from the origin and not cached") \
	X(uncached_writes, "blocks written to the origin only") \
	X(uncached_sequential_reads, "of these, because the stream of reads was long") \
	X(uncached_sequential_writes, "of these, because the stream of writes was long") \
	X(admission_refusals, "of both, because they were seen for the first time") \
	X(uncached_io_requeue, "requests retried on the origin after a cache device error") \
	X(fills, "blocks filled after read misses") \
	X(fill_drops, "blocks whose fill was dropped: overtaken, no room or no memory") \
	X(flushes, "flush requests") \
	X(flush_ssd, "flushes sent to the cache device") \
	X(flush_disk, "flushes sent to the origin") \
	X(discards, "discard and write-zeroes requests") \
	X(pid_adds, "entries added to the lists") \
	X(pid_dels, "entries deleted from the lists") \
	X(pid_drops, "entries pushed out of a full list") \
	X(pid_expiry, "entries that expired") \
	X(confirm_waits, "overwrites that waited until a record was confirmed") \
	X(checkpoints, "checkpoints of the log") \
	X(log_waits, "requests that waited for room in the log") \
	X(disk_read_errors, "failed reads of the origin") \
	X(disk_write_errors, "failed writes and flushes of the origin") \
	X(ssd_read_errors, "failed reads of the cache device") \
	X(ssd_write_errors, "failed writes and flushes of the cache device") \
	X(memory_alloc_errors, "requests that waited for memory")

enum fc_stat {
#define FC_STAT_ENUM(name, meaning) FC_STAT_##name,
	FC_STATS(FC_STAT_ENUM)
#undef FC_STAT_ENUM
	FC_NR_STATS
};

#endif
