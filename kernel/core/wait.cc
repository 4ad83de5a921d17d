// SPDX-License-Identifier: GPL-2.0-only
//
// Jobs in their sets, requests that wait for them, and the worker that goes on with both.
//
// A request that collides with a job waits in the job's line.  When the job is finished its line
// moves to the end of the set's line of ready requests, and the worker takes those up one by one.
// While a set has ready requests, or a range operation has frozen it, whoever comes goes to the
// end of that line: requests are served in the order in which they came.
#include "cache.h"

namespace fc {

Job *find_job(Core &core, u32 set, u64 base, u64 mask)
{
	for (Job *job = set_at(core, set).header().jobs; job; job = job->next)
		if (job->first_block == base && (job->mask & mask))
			return job;
	return nullptr;
}

void link_job(Core &core, Job &job, const Piece &piece, u64 mask, Request *req)
{
	SetHeader &header = set_at(core, piece.set).header();
	job.set = piece.set;
	job.first_block = piece.base;
	job.mask = mask;
	job.req = req;
	job.next = header.jobs;
	header.jobs = &job;
	atomic_add<u64>(core.nr_jobs, 1);
}

void unlink_job(Core &core, Job &job)
{
	SetHeader &header = set_at(core, job.set).header();
	Job **link = &header.jobs;
	while (*link && *link != &job)
		link = &(*link)->next;
	if (!*link) {
		fc_os_warn(core.os, "a job is not in the list of its set");
		return;
	}
	*link = job.next;
	PendingList line = {job.waiters, job.waiters_tail};
	job.waiters = job.waiters_tail = nullptr;
	make_ready(core, job.set, line);
	if (header.frozen)
		kick_run(core);
}

// Requests and jobs that found no memory try again when some comes back.
static void memory_came_back(Core &core)
{
	if (atomic_load(core.memory_short)) {
		atomic_store(core.memory_short, false);
		kick_run(core);
	}
}

void free_job(Core &core, Job &job)
{
	fc_os_job_free(core.os, &job);
	memory_came_back(core);
	if (atomic_sub<u64>(core.nr_jobs, 1) == 0 && atomic_load(core.suspended))
		fc_os_wake(core.os);
}

void wait_for_job(Core &, Job &job, Pending *pending)
{
	PendingList line = {job.waiters, job.waiters_tail};
	line.push(pending);
	job.waiters = line.head;
	job.waiters_tail = line.tail;
}

// Enter the set in the list of sets with ready requests, unless it is there.
static void queue_drain(Core &core, u32 set) FC_REQUIRES(set_lock)
{
	SetHeader &header = set_at(core, set).header();
	if (header.ready.empty() || header.drain_queued || header.frozen)
		return;
	header.drain_queued = 1;
	{
		QueueGuard guard(core);
		header.drain_next = 0;
		if (core.drain_head)
			set_at(core, core.drain_tail - 1).header().drain_next = set + 1;
		else
			post(core.drain_head, set + 1);
		core.drain_tail = set + 1;
	}
	kick_run(core);
}

void make_ready(Core &core, u32 set, PendingList &list)
{
	set_at(core, set).header().ready.take_all(list);
	queue_drain(core, set);
}

void freeze(Core &core, u32 set)
{
	SetGuard guard(core, set);
	set_at(core, set).header().frozen++;
}

void unfreeze(Core &core, u32 set)
{
	SetGuard guard(core, set);
	set_at(core, set).header().frozen--;
	queue_drain(core, set);
}

void kick_run(Core &core)
{
	fc_os_kick(core.os, FC_WORK_RUN, 0);
}

void queue_advance(Core &core, Job &job)
{
	{
		QueueGuard guard(core);
		job.queue_next = nullptr;
		if (core.advance_head)
			core.advance_tail->queue_next = &job;
		else
			core.advance_head = &job;
		core.advance_tail = &job;
	}
	kick_run(core);
}

static void queue_request(Core &core, Request &req)
{
	QueueGuard guard(core);
	req.next = nullptr;
	if (core.again_head)
		core.again_tail->next = &req;
	else
		core.again_head = &req;
	core.again_tail = &req;
}

void queue_again(Core &core, Request &req)
{
	queue_request(core, req);
	kick_run(core);
}

constexpr u32 kMemoryRetryMs = 2;

void queue_for_memory(Core &core, Request &req)
{
	queue_request(core, req);
	atomic_store(core.memory_short, true);
	fc_os_kick(core.os, FC_WORK_RUN, kMemoryRetryMs);
}

void queue_for_memory(Core &core, Job &job)
{
	{
		QueueGuard guard(core);
		job.queue_next = core.starved;
		core.starved = &job;
	}
	count(core, FC_STAT_memory_alloc_errors);
	atomic_store(core.memory_short, true);
	fc_os_kick(core.os, FC_WORK_RUN, kMemoryRetryMs);
}

void end_part(Core &core, Request &req, u32 nr_sectors, int status)
{
	req.done_sectors += nr_sectors;
	if (status || req.done_sectors >= req.nr_sectors)
		fc_os_complete(core.os, &req, status);
	else
		queue_again(core, req);
}

namespace {

void send_piece(Core &core, Request &req, int dev)
{
	fc_os_submit_part(core.os, &req, dev, req.target_sector, req.done_sectors, req.part_sectors);
}

void free_pending(Core &core, Pending *pending)
{
	atomic_sub<u64>(core.nr_waiting, 1);
	fc_os_pending_free(core.os, pending);
	memory_came_back(core);
}

constexpr u32 kSetsAtOnce = 64;		// then the log and the others; drained sets kick again
constexpr u32 kDrainAtOnce = 256;	// requests of one set, then it is the others' turn

Pending *next_ready(Core &core, u32 set, bool more)
{
	SetGuard guard(core, set);
	SetHeader &header = set_at(core, set).header();
	Pending *pending = header.frozen || !more ? nullptr : header.ready.pop();
	if (!pending) {
		header.drain_queued = 0;
		queue_drain(core, set);
	}
	return pending;
}

void drain_set(Core &core, u32 set)
{
	u32 n = 0;
	while (Pending *pending = next_ready(core, set, n++ < kDrainAtOnce)) {
		Request &req = *pending->req;
		int dev = FC_DEV_ORIGIN;
		const Outcome outcome = start_piece(core, req, false, pending, dev);
		if (outcome == Outcome::kWait)
			continue;		// it stands in another line, with the same pending
		free_pending(core, pending);
		if (outcome == Outcome::kRemap)
			send_piece(core, req, dev);
	}
}

bool next_set_to_drain(Core &core, u32 &set)
{
	QueueGuard guard(core);
	if (!core.drain_head)
		return false;
	set = core.drain_head - 1;
	post(core.drain_head, set_at(core, set).header().drain_next);
	return true;
}

void run_again(Core &core)
{
	Request *req;
	{
		QueueGuard guard(core);
		req = core.again_head;
		core.again_head = core.again_tail = nullptr;
	}
	for (Request *next; req; req = next) {
		next = req->next;
		int dev = FC_DEV_ORIGIN;
		if (start_piece(core, *req, false, nullptr, dev) == Outcome::kRemap)
			send_piece(core, *req, dev);
	}
}

void advance_jobs(Core &core)
{
	Job *lists[2];
	{
		QueueGuard guard(core);
		lists[0] = core.advance_head;
		lists[1] = core.starved;
		core.advance_head = core.advance_tail = core.starved = nullptr;
	}
	for (Job *job : lists)
		for (Job *next; job; job = next) {
			next = job->queue_next;
			if (job->kind == kJobFill)
				advance_fill(core, *job);
			else
				advance_write(core, *job);
		}
}

} // namespace
} // namespace fc

FC_ENTRY void fc_core_run(struct fc_core *core)
{
	using namespace fc;
	advance_jobs(*core);
	run_log(*core);
	run_range(*core);
	u32 set;
	for (u32 i = 0; i < kSetsAtOnce && next_set_to_drain(*core, set); i++)
		drain_set(*core, set);
	if (peek(core->drain_head))
		kick_run(*core);
	run_again(*core);
	start_log(*core);
}
