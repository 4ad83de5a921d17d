// SPDX-License-Identifier: GPL-2.0-only
#include "log.h"

#include "checksum.h"
#include "geometry.h"
#include "superblock.h"

namespace fc {

void Log::init(void *os, const Config &config, char *memory)
{
	os_ = os;
	buffers_ = memory;
	batches_ = reinterpret_cast<Batch *>(memory + 2 * kLogBufferBytes);
	slots_ = reinterpret_cast<u32 *>(batches_ + kLogBatches);
	offset_ = config.log_offset_sectors;
	nr_units_ = config.log_units;
	unit_bytes_ = config.unit_bytes;
	per_unit_ = log_records_per_unit(config.unit_bytes);
	seed_ = unit_seed(config);
	volatile_ = config.cache_volatile;
}

void Log::start(u64 epoch, u64 sequence)
{
	epoch_ = epoch;
	next_sequence_ = tail_ = sequence;
	durable_sequence_ = unit_durable_sequence_ = settled_sequence_ = sequence - 1;
	begin_batch();
}

void Log::begin_batch()
{
	Batch &b = batch(filling_);
	b = {};
	b.all_fua = true;
	fill_records_ = 0;
	fill_fua_ = false;
	fill_jobs_ = nullptr;
}

bool Log::has_units(u32 n, bool urgent) const
{
	const u64 units = (fill_records_ + n + per_unit_ - 1) / per_unit_;
	if (urgent)
		return used_units() + units < nr_units_;
	return used_units() + units + min_of<u64>(kLogReserveUnits, nr_units_ / 4) <= nr_units_;
}

bool Log::has_room(u32 n, bool urgent)
{
	if (!fits_buffer(n) || !has_units(n, urgent))
		return false;
	if (urgent)
		return unsettled() + 2 < kLogBatches;
	return unsettled() + kLogReserveBatches < kLogBatches && slots_head_ - slots_tail_ + n <= kLogSlots;
}

void Log::add(const LogRecord &record)
{
	char *unit = unit_at(fill_, fill_records_ / per_unit_);
	auto *disk = reinterpret_cast<fc_disk_log_record *>(unit + sizeof(fc_disk_log_header)) +
		     fill_records_ % per_unit_;
	disk->slot = record.slot;
	disk->data_crc = record.data_crc;
	disk->origin_block_state = record.origin_block |
				   static_cast<u64>(record.state) << FC_DISK_ORIGIN_BLOCK_BITS;
	fill_records_++;
	if (record.state != FC_DISK_DIRTY)
		return;
	slots_[slots_head_++ % kLogSlots] = record.slot;
	batch(filling_).nr_slots++;
}

void Log::attach(Job &job, u32 nr_dirty)
{
	Batch &b = batch(filling_);
	if (fill_jobs_)
		fc_os_stat(os_, FC_STAT_metadata_batch, 1);
	job.log_sequence = filling_;
	job.log_next = fill_jobs_;
	fill_jobs_ = &job;
	if (nr_dirty) {
		job.batch = slots_head_ - nr_dirty;
		b.outstanding++;
		b.has_dirty = true;
		b.all_fua = b.all_fua && (job.flags & kLogFua);
	} else {
		b.unapplied++;
	}
	fill_fua_ = fill_fua_ || (job.flags & kLogFua);
	check_pressure();
}

// Recovery must read the data of every record that is not confirmed, and the log cannot move
// past one: confirm before that gets long.  Once at a time, and what is ready: each round costs two flushes.
void Log::check_pressure()
{
	if (settle_wanted())
		return;
	if (slots_head_ - slots_tail_ > kLogSlots / 2 || filling_ - settled_ > kLogBatches / 2 ||
	    next_sequence_ - 1 - settled_sequence_ > nr_units_ / 4)
		confirm_target_ = max_of(confirm_target_, ready_);
}

void Log::data_arrived(u64 number)
{
	batch(number).outstanding--;
	advance();
}

void Log::applied(const Job &job)
{
	batch(job.log_sequence).unapplied--;
}

void Log::forget_records(const Job &job, u32 n)
{
	for (u32 i = 0; i < n; i++)
		slots_[(job.batch + i) % kLogSlots] = kNoSlot;
}

void Log::want_confirm()
{
	const u64 target = fill_records_ ? filling_ + 1 : filling_;
	confirm_target_ = max_of(confirm_target_, target);
}

// Durable at once, if that is of use: all earlier units must be, too.
u32 Log::write_flags() const
{
	const bool is_waited_for = confirm_pending() || fill_fua_;
	return volatile_ && is_waited_for && unit_durable_ >= filling_ ? FC_IO_FUA : 0;
}

bool Log::flush_wanted() const
{
	if (durable_waiters_)
		return true;
	// First what is to be confirmed, then the unit that confirms it.
	return volatile_ && confirm_pending() && (durable_ < min_of(ready_, confirm_target_) || carried_ > confirmed_);
}

void Log::seal(u32 unit, u32 count, u64 confirmed, u64 durable)
{
	char *at = unit_at(fill_, unit);
	auto *header = reinterpret_cast<fc_disk_log_header *>(at);
	__builtin_memset(header, 0, sizeof(*header));
	const u32 used = static_cast<u32>(sizeof(*header) + count * sizeof(fc_disk_log_record));
	__builtin_memset(at + used, 0, unit_bytes_ - used);
	header->magic = FC_DISK_LOG_MAGIC;
	header->epoch = epoch_;
	header->sequence = flight_sequence_ + unit;
	header->confirmed = confirmed;
	header->durable = durable;
	header->count = count;
	header->crc = crc_without_field(seed_, at, unit_bytes_, offsetof(fc_disk_log_header, crc));
}

u64 Log::last_sequence_before(u64 number, u64 none)
{
	return number > settled_ ? batch(number - 1).last_sequence : none;
}

bool Log::prepare_write()
{
	if (in_flight_ || failed_)
		return false;
	if (retry_) {
		in_flight_ = true;
		retry_ = false;
		return true;
	}
	// Never what a flush in front of this write would make durable: one of somebody else's ahead of it
	// may fail, and ours, which has nothing left to lose then, succeed.
	const u64 carries = durable_;
	if (!fill_records_ && !confirmation_due())
		return false;
	flight_flags_ = write_flags();
	in_flight_ = true;
	retried_ = false;
	flight_units_ = max_of((fill_records_ + per_unit_ - 1) / per_unit_, 1u);
	flight_sequence_ = next_sequence_;
	post(next_sequence_, next_sequence_ + flight_units_);
	batch(filling_).last_sequence = next_sequence_ - 1;
	flight_carries_ = carries;
	const u64 confirmed = last_sequence_before(carries, settled_sequence_);
	for (u32 unit = 0; unit < flight_units_; unit++) {
		const u32 left = fill_records_ - min_of(fill_records_, unit * per_unit_);
		seal(unit, min_of(left, per_unit_), confirmed, unit_durable_sequence_);
	}
	flight_jobs_ = fill_jobs_;
	fill_ ^= 1;
	filling_++;
	begin_batch();
	return true;
}

void Log::write()
{
	const u32 unit_sectors = unit_bytes_ / kSectorBytes;
	const u64 place = flight_sequence_ % nr_units_;
	const u32 before_end = static_cast<u32>(min_of<u64>(flight_units_, nr_units_ - place));
	const u32 behind = flight_units_ - before_end;
	const u32 buffer = fill_ ^ 1;
	io_failed_ = false;
	ios_ = behind ? 2 : 1;
	fc_os_stat(os_, FC_STAT_metadata_ssd_writes, ios_);
	fc_os_async_io(os_, FC_DEV_CACHE, FC_IO_WRITE, offset_ + place * unit_sectors,
		       unit_at(buffer, 0), before_end * unit_sectors, flight_flags_, 0);
	if (behind)
		fc_os_async_io(os_, FC_DEV_CACHE, FC_IO_WRITE, offset_, unit_at(buffer, before_end),
			       behind * unit_sectors, flight_flags_, 0);
}

bool Log::write_done(int status, Job *&done, bool &failed)
{
	io_failed_ = io_failed_ || status;
	done = nullptr;
	failed = false;
	if (--ios_)
		return false;
	in_flight_ = false;
	if (failed_)	// by something else: its jobs have been told, and what it says counts no more
		return true;
	// The same bytes to the same place are harmless.
	if (io_failed_ && !retried_) {
		retry_ = retried_ = true;
		return false;
	}
	if (io_failed_) {
		failed = true;
		done = fail();
		return true;
	}
	const u64 number = filling_ - 1;
	Batch &b = batch(number);
	complete_ = filling_;
	carried_ = max_of(carried_, flight_carries_);
	if (!volatile_) {
		unit_durable_ = complete_;
		unit_durable_sequence_ = b.last_sequence;
		confirmed_ = max_of(confirmed_, flight_carries_);
	} else if (flight_flags_ & FC_IO_FUA) {
		unit_durable_ = complete_;
		unit_durable_sequence_ = b.last_sequence;
		b.self_durable = b.all_fua;
		confirmed_ = max_of(confirmed_, flight_carries_);
	}
	advance();
	for (Job *job = flight_jobs_, *next; job; job = next) {
		next = job->log_next;
		const bool wait = (job->flags & (kLogDurable | kLogFua)) && number >= unit_durable_;
		Job *&list = wait ? durable_waiters_ : done;
		job->log_next = list;
		list = job;
	}
	flight_jobs_ = nullptr;
	return true;
}

// Move ready_ and durable_ over the batches that have reached those stages.
void Log::advance()
{
	while (ready_ < complete_ && batch(ready_).outstanding == 0)
		ready_++;
	if (!volatile_)
		durable_ = ready_;
	while (durable_ < ready_ && durable_ < unit_durable_ && batch(durable_).self_durable)
		durable_++;
	durable_sequence_ = last_sequence_before(durable_, durable_sequence_);
}

Job *Log::flushed(const FlushTicket &ticket)
{
	if (failed_)
		return nullptr;
	if (ticket.complete > unit_durable_) {
		unit_durable_ = ticket.complete;
		unit_durable_sequence_ = last_sequence_before(unit_durable_, unit_durable_sequence_);
	}
	durable_ = max_of(durable_, ticket.ready);
	confirmed_ = max_of(confirmed_, ticket.carried);
	advance();
	Job *done = nullptr;
	Job *still = nullptr;
	for (Job *job = durable_waiters_, *next; job; job = next) {
		next = job->log_next;
		Job *&list = job->log_sequence < unit_durable_ ? done : still;
		job->log_next = list;
		list = job;
	}
	durable_waiters_ = still;
	return done;
}

bool Log::next_to_settle(u32 &first, u32 &count)
{
	if (failed_ || settled_ >= ready_)
		return false;
	const Batch &b = batch(settled_);
	if (b.unapplied || (b.has_dirty && settled_ >= confirmed_))
		return false;
	first = slots_tail_;
	count = b.nr_slots;
	return true;
}

void Log::settled()
{
	const Batch &b = batch(settled_);
	slots_tail_ += b.nr_slots;
	settled_sequence_ = b.last_sequence;
	settled_++;
	// A batch without DIRTY records needs no confirmation; its records are durable.
	durable_ = max_of(durable_, settled_);
	confirmed_ = max_of(confirmed_, settled_);
}

Job *Log::fail()
{
	atomic_store(failed_, true);
	retry_ = false;
	Job *done = nullptr;
	Job *const lists[] = {flight_jobs_, fill_jobs_, durable_waiters_};
	for (Job *list : lists)
		for (Job *job = list, *next; job; job = next) {
			next = job->log_next;
			job->log_next = done;
			done = job;
		}
	flight_jobs_ = fill_jobs_ = durable_waiters_ = nullptr;
	return done;
}

} // namespace fc
