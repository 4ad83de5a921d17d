// SPDX-License-Identifier: GPL-2.0-only
//
// The log: state changes of dirty blocks, made durable in groups.
//
// One write of the log, a *batch*, is in flight at a time; while it is, the next one fills (group
// commit).  So batches complete in order, and a batch that is complete means that every earlier
// one is.  A batch then goes through these stages, each a prefix of the one before; the counters
// below hold the number of the first batch that has not reached it:
//
//	complete   its write has completed
//	ready      and the data of all its DIRTY records has arrived
//	durable    and both are on stable storage
//	confirmed  and a later log unit that says so is on stable storage
//	settled    and memory agrees: nothing of it is needed any more for recovery but what the home
//	           table will say after the next checkpoint
//
// A device without a volatile write cache makes what is ready durable at once.  With one, only
// flushes do: what a flush covers is decided when it is issued (FlushTicket).
#pragma once

#include "atomic.h"
#include "types.h"

namespace fc {

struct LogRecord {
	u32 slot;
	u32 state;		// FC_DISK_*
	u32 data_crc;
	u64 origin_block;
};

inline constexpr u32 kLogBufferBytes = 16 * 1024;
inline constexpr u32 kLogBatches = 1024;	// batches that are not settled
inline constexpr u32 kLogSlots = 16384;		// DIRTY records of batches that are not settled
inline constexpr u32 kLogReserveUnits = 32;	// kept for confirming and for urgent records
inline constexpr u32 kLogReserveBatches = 64;
inline constexpr u32 kNoSlot = 0xffffffff;

// What a flush of the cache device will have made durable, taken when the flush is issued.
struct FlushTicket {
	u64 complete;
	u64 ready;
	u64 carried;
};

class Log {
public:
	// Bytes of memory for the buffers and rings.
	static constexpr u64 memory_bytes()
	{
		return 2ull * kLogBufferBytes + kLogBatches * sizeof(Batch) + kLogSlots * sizeof(u32);
	}

	void init(void *os, const Config &config, char *memory);
	// Start with an empty log whose next unit is sequence.  epoch: of this activation.
	void start(u64 epoch, u64 sequence);

	// From now on only flushes make durable what is not yet.
	void set_volatile() FC_REQUIRES(log_lock) { volatile_ = true; }

	// Is there room for n more records?  urgent: INVALID records without which a batch would never
	// become ready; they may use the reserves.
	bool has_room(u32 n, bool urgent) FC_REQUIRES(log_lock);
	// As far as units are concerned; the rest of it is room for batches that are not settled.
	bool has_units(u32 n, bool urgent) const FC_REQUIRES(log_lock);
	// If not, is that for the log's sake?  Else the next batch will have room.
	bool fits_buffer(u32 n) const { return fill_records_ + n <= kLogBufferBytes / unit_bytes_ * per_unit_; }
	// Add a record to the filling batch; has_room() said yes.
	void add(const LogRecord &record) FC_REQUIRES(log_lock);
	// The job's records (just added) are part of the filling batch: it is told when they are
	// complete (or durable, if kLogDurable is among its flags).  nr_dirty of them are DIRTY and
	// wait for their data; others are applied by applied().
	void attach(Job &job, u32 nr_dirty) FC_REQUIRES(log_lock);

	// The data of a job's DIRTY records in batch number has arrived (or they have been revoked).
	void data_arrived(u64 number) FC_REQUIRES(log_lock);
	// Memory agrees with the job's CLEAN and INVALID records.
	void applied(const Job &job) FC_REQUIRES(log_lock);
	// The job's DIRTY records count no more: an INVALID record follows.
	void forget_records(const Job &job, u32 n) FC_REQUIRES(log_lock);

	// Ask that everything appended so far be confirmed.
	void want_confirm() FC_REQUIRES(log_lock);
	bool confirm_pending() const { return confirm_target_ > confirmed_; }
	// Is there something durable that a unit of its own should confirm, and room for that?
	bool confirmation_due() const
	{
		return confirm_pending() && durable_ > max_of(confirmed_, carried_) &&
		       used_units() < nr_units_ && filling_ - settled_ + 1 < kLogBatches;
	}
	bool settle_wanted() const { return confirm_target_ > settled_; }

	// Prepare the next write if there is something to write and none is in flight; then the
	// caller calls write() without the lock.
	bool prepare_write() FC_REQUIRES(log_lock);
	void write();
	// An I/O of write() ended.  True if the whole batch did; then done is the list (by log_next)
	// of jobs to be told, with failed set if the log has failed for good.
	bool write_done(int status, Job *&done, bool &failed) FC_REQUIRES(log_lock);
	bool write_pending() const { return in_flight_ || retry_; }
	// Is the last write a FUA write?
	bool write_is_fua() const { return flight_flags_ & FC_IO_FUA; }

	FlushTicket flush_ticket() const { return {complete_, ready_, carried_}; }
	// The flush of ticket succeeded.  Returns jobs that waited for it, by log_next.
	Job *flushed(const FlushTicket &ticket) FC_REQUIRES(log_lock);
	// True if somebody waits for a flush of the cache device.
	bool flush_wanted() const;

	// Settling a batch takes two steps, since memory must agree before a checkpoint may pass it:
	// the ring places of the slots that are confirmed now, if there is such a batch; then, when
	// their blocks say so, settled().
	bool next_to_settle(u32 &first, u32 &count) FC_REQUIRES(log_lock);
	u32 slot_at(u32 index) const { return slots_[index % kLogSlots]; }
	void settled() FC_REQUIRES(log_lock);

	// Fail all appended and future records; returns the jobs to be told.
	Job *fail() FC_REQUIRES(log_lock);
	bool failed() const { return atomic_load(failed_); }

	// Checkpoints.
	u64 settled_sequence() const { return settled_sequence_; }
	u64 tail() const { return tail_; }
	void move_tail(u64 sequence) FC_REQUIRES(log_lock) { post(tail_, sequence); }
	// No unit is left for a confirmation that somebody wants.
	bool too_full_to_confirm() const { return confirm_pending() && used_units() >= nr_units_; }
	u64 used_units() const { return peek(next_sequence_) - peek(tail_); }
	u64 next_sequence() const { return next_sequence_; }
	u64 capacity() const { return nr_units_; }
	u64 epoch() const { return epoch_; }
	bool idle() const { return !in_flight_ && !retry_ && fill_records_ == 0; }
	bool has_records() const { return fill_records_ != 0; }
	u64 unsettled() const { return filling_ - settled_; }
	// Everything that was appended is settled.
	bool all_settled() const { return settled_ == filling_ && fill_records_ == 0; }

private:
	struct Batch {
		u64 last_sequence;
		u32 outstanding;	// jobs whose data has not arrived
		u32 unapplied;		// jobs whose CLEAN or INVALID records are not applied
		u32 nr_slots;
		bool has_dirty;
		bool all_fua;		// all data is written with FUA
		bool self_durable;
	};

	Batch &batch(u64 number) { return batches_[number % kLogBatches]; }
	char *unit_at(u32 buffer, u32 unit) const { return buffers_ + buffer * kLogBufferBytes + unit * unit_bytes_; }
	void begin_batch();
	u32 write_flags() const;
	void seal(u32 unit, u32 count, u64 confirmed, u64 durable);
	u64 last_sequence_before(u64 number, u64 none);
	void advance() FC_REQUIRES(log_lock);
	void check_pressure() FC_REQUIRES(log_lock);

	void *os_;
	char *buffers_;
	Batch *batches_;
	u32 *slots_;
	u64 offset_;
	u64 nr_units_;
	u32 unit_bytes_;
	u32 per_unit_;
	u32 seed_;
	bool volatile_;

	u64 epoch_;
	u64 next_sequence_;
	u64 tail_;

	u64 filling_;			// number of the batch that fills
	u64 complete_, ready_, durable_, unit_durable_, carried_, confirmed_, settled_;
	u64 durable_sequence_, unit_durable_sequence_, settled_sequence_;
	u64 confirm_target_;
	u32 slots_head_, slots_tail_;	// free-running

	u32 fill_;			// index of the filling buffer; the other one may be in flight
	u32 fill_records_;
	bool fill_fua_;
	Job *fill_jobs_;

	bool in_flight_;
	bool retry_;			// the write failed once and is to be repeated
	bool retried_;
	bool failed_;
	u32 ios_;			// of the write in flight
	bool io_failed_;
	u32 flight_units_;
	u64 flight_sequence_;
	u32 flight_flags_;
	u64 flight_carries_;		// batches below this are confirmed by the write in flight
	Job *flight_jobs_;
	Job *durable_waiters_;
};

// fc_job.flags
inline constexpr u8 kLogDurable = 1;	// tell the job when its records are durable, not just complete
inline constexpr u8 kLogFua = 2;	// the same, and the data is written with FUA: no flush, if possible

} // namespace fc
