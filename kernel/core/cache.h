// SPDX-License-Identifier: GPL-2.0-only
//
// The cache: everything that one flashcache device knows, and the functions that the parts of the
// core offer each other.  A request's way through the files:
//
//	decide*.cc	what shall be done with it, decided under the lock of its set
//	map.cc		carries that out
//	read.cc		read hits, read misses and fills
//	write.cc	first-dirty, write-through and bypass writes
//	flush.cc	flushes and what they cover
//	range.cc	discards and write-zeroes
//	wait.cc		requests that wait, and the worker that takes them up again
//	log_client.cc	records: append, complete, settle
//	writeback.cc	cleaning: when; sweep.cc what is due; copies.cc which; commit.cc  becoming clean
//	replacement.cc	who makes room; policy.cc  changes of the policy; streams.h  sequential streams
//	checkpoint.cc	the home table
//	recovery.cc	open; close.cc  orderly stop, suspend
//
// Locks: one at a time, and none during I/O; but the lock of the queues may be taken inside a set
// lock (nothing is taken inside it).
#pragma once

#include "atomic.h"
#include "cache_set.h"
#include "geometry.h"
#include "home_table.h"
#include "log.h"
#include "streams.h"
#include "superblock.h"
#include "types.h"

namespace fc {

// What a job does (fc_job.kind).
enum JobKind : u8 {
	kJobFill,		// read miss: origin -> buffer -> request; buffer -> cache device
	kJobWrite,		// write-back: data and DIRTY record, then dirty
	kJobThrough,		// write-through: data to both devices
	kJobBypass,		// a write to the origin only; keeps fills away
	kJobWriteback,		// cache device -> origin, then CLEAN records
	kJobInvalidate,		// INVALID records of a range operation
	kJobZeroEdge,		// zeroes to part of a dirty block
};

// Where it is (fc_job.stage).
enum JobStage : u8 {
	kStageBuffer,		// wants a buffer
	kStageRead,		// reads (fill: the origin; partial write: the cached block)
	kStageFill,		// fill: writes the cache device
	kStageData,		// data (and record) in flight
	kStageRevoke,		// first-dirty data failed: INVALID records on their way
	kStageFallback,		// first-dirty data failed: goes to the origin instead
	kStageCommit,		// writeback: CLEAN records on their way
};

// fc_job.flags, beside kLog* of log.h
inline constexpr u8 kJobRecordAppended = 4;	// its records may be on the cache device
inline constexpr u8 kJobRecordFailed = 8;
inline constexpr u8 kJobCacheFailed = 16;
inline constexpr u8 kJobFallow = 64;		// writeback because the blocks are old or all is idle

// What a request is doing (fc_request.kind).
enum RequestKind : u8 {
	kReqReadHit,
	kReqOverwrite,		// in place, to dirty blocks
	kReqUncached,		// read from the origin, nothing to track
	kReqBypass,		// write to the origin, tracked by req->job
	kReqFlush,
	kReqRange,
	kReqWaiting,
};

inline constexpr u8 kReqFlagFua = FC_REQ_FUA;
inline constexpr u8 kReqFlagSequential = 0x20;	// part of a long stream

enum RangeStage : u8 { kRangeIdle, kRangeDrain, kRangeOrigin, kRangeFlush, kRangeDrop, kRangeEnd };

// The range operation in progress; there is at most one.  Only fc_core_run() works on it, but for
// the fields that say so.
struct RangeOp {
	Request *req;
	RangeStage stage;
	u8 status;			// atomic
	bool origin_done;		// atomic
	bool flush_done;		// atomic
	bool all_sets;			// visit sets 0..nr_touched-1; else those of the extents
	bool edge_started[2];
	bool in_doubt;			// blocks in doubt are concerned
	bool only_clean;		// the origin failed: what is dirty stays, what is clean is unsure
	u64 first;			// whole blocks [first, end)
	u64 end;
	u64 edges[2];			// partly covered blocks, or kNoBlock
	u64 first_touched;		// start of the first extent
	u32 extent_blocks;
	u32 nr_touched;			// extents or sets to visit
	u32 cursor;
	u32 word;
	u32 outstanding;		// jobs in flight; atomic
	u32 flush_errors;		// of the origin, when it was asked
};

inline constexpr u64 kNoBlock = ~0ull;

// Walks over all sets, see sweep.cc.
enum Sweep : u8 { kSweepNone, kSweepSync, kSweepFallow, kSweepForget };

struct Writeback {
	Job *copied;			// FC_LOCK_WRITEBACK: finished copies
	u32 copied_jobs;		// FC_LOCK_WRITEBACK: how many, of how many blocks
	u32 copied_blocks;
	u32 in_flight;			// FC_LOCK_WRITEBACK: copies
	u32 commit_jobs;		// FC_LOCK_WRITEBACK: jobs whose CLEAN records are on their way
	Job *flushing;			// jobs that wait for the origin's flush
	bool flush_done;		// atomic
	u8 flush_status;
	u32 cursor;			// next set to look at
	u32 round_left;			// sets that the present round has not seen
	u32 round_fallow;		// copies of due blocks that it may start in a set, if there is no hurry
	u32 pick;			// way from which claim_copies() looks, to be fair
	u32 failures;			// rounds in a row in which copies failed
	u32 singly;			// so many copies more are of single blocks
	u32 flush_errors;		// flushes of the origin that failed
	u64 not_before_ms;		// backing off until then
	u64 last_io_ms;
	u64 origin_read_ms;		// users have read the origin
	u64 fallow_since_ms;		// the last walk of the fallow clock began
	u64 fallow_round_ms;		// fallow blocks were last copied
	u64 sync_logged_ms;
	u32 sweep_left;			// sets that the present walk has not seen
	Sweep sweep;
	bool sync_wanted;		// atomic: what is dirty now shall be due
	bool forget_wanted;		// a sync was stopped: nothing is due
	bool syncing;			// until nothing is due
	bool all;			// everything, until nothing is dirty
	bool hurry;			// atomic: what is due is due at once
	bool round_hurry;		// so it was when the present round began
	bool round_waits;		// something in it could not be started only for now
	bool pressure;
	bool origin_read;		// origin_read_ms means something
	bool stopped;			// FC_LOCK_WRITEBACK: suspended or closing down
	bool running;			// FC_LOCK_WRITEBACK: copies may be being started
};

} // namespace fc

struct fc_core {
	// read-mostly
	void *os;
	fc::Geometry geo;
	fc::SetLayout layout;
	fc::SetsShared shared;
	char *policy_memory;			// of the lists of lru, or null
	char *sets;
	fc::u32 mode;
	fc::u32 degraded;
	fc::u32 flush_lost;			// atomic: a flush of the cache device has failed
	fc::u32 origin_lost;			// atomic: one of ours of the origin, and no user knows yet
	fc::u32 tunables[FC_NR_TUNABLES];
	fc::u32 lock_mask;
	fc::u64 whole_blocks;			// origin blocks that lie entirely on the origin
	bool volatile_dev[2];
	bool started;
	bool suspended;

	// written now and then
	fc::u32 unflushed[2];			// device holds acknowledged data that no flush covers
	fc::u32 flushes[2];			// flushes of requests in flight
	fc::u32 io_seen;			// a request came since the cleaner last looked
	fc::u32 origin_read_seen;		// one that read the origin
	fc::u32 error_streak;			// failures of the cache device in a row
	fc::u64 nr_dirty;
	fc::u64 nr_valid;
	fc::u64 nr_waiting;
	fc::u64 nr_jobs;

	fc::Streams streams[2];			// of reads, of writes
	fc::Log log;
	fc::HomeTable home;
	fc::Config config;
	fc::SuperblockState superblock;
	fc::u64 *touched;			// FC_LOCK_LOG: home units to write at the next checkpoint
	char *scratch;				// FC_SCRATCH_BYTES for synchronous I/O

	// FC_LOCK_QUEUE
	fc::Job *advance_head, *advance_tail;	// jobs for fc_core_run()
	fc::Job *starved;			// jobs that found no memory for a buffer
	fc::Request *again_head, *again_tail;	// requests to be mapped again, without a place in line
	fc::u32 drain_head, drain_tail;		// sets with ready requests, + 1
	fc::Request *range_head, *range_tail;	// range operations that wait for their turn

	fc::Job *room_head, *room_tail;		// FC_LOCK_LOG: jobs that wait for room in the log
	fc::FlushTicket log_flush_ticket;
	bool log_flush_in_flight;		// FC_LOCK_LOG
	bool stalled_released;
	bool checkpoint_running;		// FC_LOCK_LOG
	bool at_rest;				// FC_LOCK_LOG: no metadata write may begin

	fc::RangeOp range;
	fc::Writeback wb;
	fc::u64 recovered[3];			// dirty, clean, void
	bool unclean_load;
	bool memory_short;
};

namespace fc {

// Tokens of fc_os_async_io().
enum Token : u32 { kTokenLog = 0, kTokenLogFlush, kTokenWritebackFlush, kTokenRangeFlush };

class FC_SCOPED_CAPABILITY SetGuard {
public:
	SetGuard(Core &core, u32 set) FC_ACQUIRE(set_lock)
		: core_(core), lock_(set & core.lock_mask), flags_(fc_os_lock(core.os, lock_)) {}
	~SetGuard() FC_RELEASE() { fc_os_unlock(core_.os, lock_, flags_); }
	SetGuard(const SetGuard &) = delete;
	SetGuard &operator=(const SetGuard &) = delete;

private:
	Core &core_;
	u32 lock_;
	unsigned long flags_;
};

#define FC_DEFINE_GUARD(Name, lock_id, token) \
	class FC_SCOPED_CAPABILITY Name { \
	public: \
		explicit Name(Core &core) FC_ACQUIRE(token) \
			: core_(core), flags_(fc_os_lock(core.os, lock_id)) {} \
		~Name() FC_RELEASE() { fc_os_unlock(core_.os, lock_id, flags_); } \
		Name(const Name &) = delete; \
		Name &operator=(const Name &) = delete; \
	private: \
		Core &core_; \
		unsigned long flags_; \
	}

FC_DEFINE_GUARD(LogGuard, FC_LOCK_LOG, log_lock);
FC_DEFINE_GUARD(QueueGuard, FC_LOCK_QUEUE, queue_lock);
FC_DEFINE_GUARD(WritebackGuard, FC_LOCK_WRITEBACK, writeback_lock);

// Does the mode make blocks dirty?  Others may still have some from before it was changed.
inline bool makes_dirty(const Core &core)
{
	return core.mode != FC_MODE_WRITE_THROUGH && core.mode != FC_MODE_WRITE_AROUND;
}

inline CacheSet set_at(Core &core, u32 set)
{
	return CacheSet(core.layout, core.sets + static_cast<u64>(set) * core.layout.bytes);
}

// At the head of a loop over all sets, of which there may be millions: let others run now and then.
inline void resched_in_walk(Core &core, u32 set)
{
	constexpr u32 kSetsAtOnce = 64;
	if (set % kSetsAtOnce == 0)
		fc_os_resched(core.os);
}

inline void count(Core &core, fc_stat stat, u32 n = 1)
{
	fc_os_stat(core.os, stat, n);
}

inline u32 slot_number(const Core &core, u32 set, u32 way)
{
	return set * core.geo.ways() + way;
}

inline u32 nr_blocks_of(const Job &job)
{
	return count_bits(job.mask);
}

inline u32 first_bit(const Job &job)
{
	return static_cast<u32>(std::countr_zero(job.mask));
}

// A piece of a request that lies in one chunk: what map.cc decides about.
struct Piece {
	u64 block;		// first origin block
	u64 base;		// first block of the chunk
	u32 bit;		// block - base
	u32 nr_blocks;		// blocks touched
	u32 set;
	u32 tag;		// of the first block
	u32 head;		// sectors of the first block before the piece
	u32 nr_sectors;
	bool write;
};

Piece piece_of(Core &core, const Request &req);
// Sectors of the first n blocks of the piece that belong to it.
u32 sectors_of(const Core &core, const Piece &piece, u32 n);
// Is block i of the piece covered entirely?
bool covers(const Core &core, const Piece &piece, u32 i);

// ---- tunables.cc
void init_tunables(Core &core);

// ---- map.cc
enum class Outcome { kRemap, kTaken, kWait };
// Decide about a request's next piece and start it.  in_map: called by fc_core_map(), which may
// shorten the request; else by the worker.  pending: the request's place in line, if it had one.
// kRemap: the caller sends the whole piece to dev (fc_request.target_sector).
Outcome start_piece(Core &core, Request &req, bool in_map, Pending *pending, int &dev);

// ---- read.cc
void advance_fill(Core &core, Job &job);
void fill_io_done(Core &core, Job &job, int status);

// ---- hit.cc
// A read hit ended.  True if the request is not finished: it is read again, block by block.
bool read_hit_done(Core &core, Request &req, int &status);
void overwrite_done(Core &core, Request &req, int status);

// ---- write.cc
void advance_write(Core &core, Job &job);
void write_io_done(Core &core, Job &job, int dev, int status);
void write_record_done(Core &core, Job &job, bool failed);
void write_record_appended(Core &core, Job &job);
void write_record_refused(Core &core, Job &job);
void bypass_done(Core &core, Request &req, int status);

// ---- map.cc, jobs
// The job that owns one of the blocks of mask in the chunk at base, or null.
Job *find_job(Core &core, u32 set, u64 base, u64 mask) FC_REQUIRES(set_lock);
void link_job(Core &core, Job &job, const Piece &piece, u64 mask, Request *req) FC_REQUIRES(set_lock);
// Take the job out of its set; what waited for it becomes ready.
void unlink_job(Core &core, Job &job) FC_REQUIRES(set_lock);
void free_job(Core &core, Job &job);

// ---- wait.cc
void wait_for_job(Core &core, Job &job, Pending *pending) FC_REQUIRES(set_lock);
void make_ready(Core &core, u32 set, PendingList &list) FC_REQUIRES(set_lock);
// The worker shall go on with the job or the request: at once, or when memory comes back.
void queue_advance(Core &core, Job &job);
void queue_again(Core &core, Request &req);
void queue_for_memory(Core &core, Request &req);
void queue_for_memory(Core &core, Job &job);
// A frozen set takes up no request until it is unfrozen; jobs in flight end normally.
void freeze(Core &core, u32 set);
void unfreeze(Core &core, u32 set);
// Part of a taken request is finished: end it or go on with the next piece.
void end_part(Core &core, Request &req, u32 nr_sectors, int status);

// ---- flush.cc
void note_write(Core &core, int dev);		// acknowledged data that no flush covers yet
// Has a flush of ours failed, of which users must hear?
bool data_was_lost(Core &core, int dev);
int map_flush(Core &core, Request &req);
// status: of the flush; then of the request.
void flush_done(Core &core, Request &req, int &status);

// ---- range.cc
void queue_range(Core &core, Request &req);
void run_range(Core &core);
void range_job_done(Core &core, Job &job, bool failed);
void range_origin_done(Core &core, int status);
void range_flush_done(Core &core, int status);

// ---- log_client.cc
// Append the records that the job's kind and stage ask for, at once or when there is room; then
// *_record_appended(), or *_record_refused() if the log has failed.  When the records are complete
// (or durable): *_record_done().  Task.
void append_records(Core &core, Job &job);
// Write what has gathered, and flush the cache device if somebody waits for that; one of each at a time.
void start_log(Core &core);
void log_io_done(Core &core, int status);
void log_flush_done(Core &core, int status);
void tell_jobs(Core &core, Job *list, bool failed);
// Memory agrees with the job's DIRTY records (in this batch), or its CLEAN and INVALID records.
void data_arrived(Core &core, u64 batch);
void records_applied(Core &core, const Job &job);
void run_log(Core &core);
// Is there something for the worker to do about the log?
bool log_needs_worker(Core &core) FC_REQUIRES(log_lock);
// A CLEAN record of the job's ways may or may not be on the cache device: nothing may be written
// there in place any more; reads are right, the origin has the same.
void mark_doubtful(CacheSet &set, const Job &job) FC_REQUIRES(set_lock);
void kick_run(Core &core);

// ---- writeback.cc
// Copy until nothing is dirty.
void clean_everything(Core &core);
bool sync_gauge(const Core &core);
void note_dirty(Core &core, u32 blocks);
// Before the set says so: whoever sees that nothing is due finds the blocks counted as clean.
void note_clean(Core &core, u32 blocks) FC_REQUIRES(set_lock);
void wake_if_clean(Core &core);
bool writeback_idle(Core &core);
void stop_writeback(Core &core, bool stop);

// ---- copies.cc
struct CopyLimits {
	u32 jobs;
	u32 due;		// at most so many of them of blocks that are due
	u32 blocks;		// of the set that shall be copied, due or not; the last run may exceed it
	bool written_too;	// also due blocks that are being written
	bool fallow;		// for the counters: the due ones are old; all is idle
	bool idle;
};

struct Claimed {
	Job *list;
	u32 jobs;
	u32 blocks;
	bool unconfirmed;	// something was not claimed because its record is not confirmed
};

Claimed claim_copies(Core &core, u32 set_nr, const CopyLimits &limits);
void start_copies(Core &core, const Claimed &claimed);

// ---- sweep.cc
// Go on with the present walk, or begin the next.  False if there is more to do now.
bool sweep(Core &core, u64 now);

// ---- commit.cc
void writeback_copied(Core &core, Job &job, int dev, int status);
void writeback_committed(Core &core, Job &job, bool failed);
void writeback_flush_done(Core &core, int status);
// Worker of the cleaner: the two steps of a commit, as far as they can go.
void start_commit(Core &core, bool nothing_to_copy);
void finish_commit(Core &core);

// ---- errors.cc
// Drop all clean blocks: the device may have lost some.
void forget_clean(Core &core);
void cache_device_error(Core &core, fc_stat stat);
void cache_device_worked(Core &core);
void degrade(Core &core, const char *why);
// The same when the log has just failed, which ends only with the next load.
void log_failed(Core &core, const char *why);
// A flush of the device has failed: what it should have covered may be lost, and no later flush will
// bring it back.  Of the cache device: its log is lost, too.  No lock is held; any context.
void flush_failed(Core &core, int dev);
// One of ours: users do not know yet that what they wrote may be lost.
void own_flush_failed(Core &core, int dev);
// A FUA write has failed: perhaps in the flush that stands in for FUA where a device has none.
void fua_failed(Core &core, int dev);

// ---- checkpoint.cc (task; sleep; use core.scratch)
// with_clean: the cache is at rest, and everything in memory is durable.
fc_status write_home_units(Core &core, u64 first, u64 n, bool with_clean);
fc_status write_touched_units(Core &core);
fc_status make_home_durable(Core &core);
// What it relies on is durable.  After an error the next one tries the same place again.
fc_status next_superblock(Core &core, u32 flags, u64 log_tail);
void mark_touched(Core &core, u32 slot);

// ---- recovery.cc
enum Recovered : u32 { kRecoveredDirty, kRecoveredClean, kRecoveredVoid };

// ---- fingerprint.cc
// A hash of samples of the origin: its first 128 KiB, its last 64 KiB and 32 blocks of 4 KiB in
// between.  File systems write there when they are mounted; it is a warning light, not a proof.
fc_status origin_fingerprint(Core &core, u32 &fingerprint);

} // namespace fc
