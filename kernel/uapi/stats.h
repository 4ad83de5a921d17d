/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Every counter, once: FC_STATS(X) calls X(name, meaning) in the order of the numbers.
 * The names are the keys of /proc/flashcache/<...>/flashcache_stats, flashcache_errors and of
 * "dmsetup status".  Counters count user requests (bios as the target accepts them) unless the
 * meaning says blocks or I/Os.
 */
#ifndef FLASHCACHE_UAPI_STATS_H
#define FLASHCACHE_UAPI_STATS_H

#define FC_STATS(X) \
	X(reads, "read requests") \
	X(writes, "write requests") \
	X(read_hits, "reads served from the cache device") \
	X(write_hits, "writes to blocks that were cached") \
	X(dirty_write_hits, "writes to blocks that were dirty, made in place") \
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
	X(no_room, "requests sent to the origin because the set was full") \
	X(front_merge, "blocks written back in one copy with the next lower block") \
	X(back_merge, "blocks written back in one copy with the next higher block") \
	X(disk_reads, "read I/Os to the origin") \
	X(disk_writes, "write I/Os to the origin") \
	X(ssd_reads, "read I/Os to the cache device") \
	X(ssd_writes, "data write I/Os to the cache device") \
	X(uncached_reads, "reads served from the origin and not cached") \
	X(uncached_writes, "writes sent to the origin only") \
	X(uncached_io_requeue, "requests retried on the origin after a cache device error") \
	X(fills, "blocks filled after read misses") \
	X(fill_drops, "blocks whose fill was dropped: overtaken, no room or no memory") \
	X(flushes, "flush requests") \
	X(flush_ssd, "flushes sent to the cache device") \
	X(flush_disk, "flushes sent to the origin") \
	X(discards, "discard and write-zeroes requests") \
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
