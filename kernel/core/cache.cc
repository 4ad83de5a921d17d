// SPDX-License-Identifier: GPL-2.0-only
//
// The cache as a whole: memory, completions, numbers.
#include "cache.h"

namespace fc {
namespace {

constexpr u64 kPage = 4096;

struct MemoryMap {
	u64 scratch;
	u64 log;
	u64 touched;
	u64 sets;
	u64 end;
};

MemoryMap memory_map(const Config &c)
{
	SetLayout layout = {};
	layout.init(c.ways_per_set);
	MemoryMap m;
	m.scratch = round_up(sizeof(Core), kPage);
	m.log = m.scratch + FC_SCRATCH_BYTES;
	m.touched = m.log + round_up(Log::memory_bytes(), kPage);
	m.sets = m.touched + round_up((c.home_units + 63) / 64 * 8, kPage);
	m.end = m.sets + c.nr_sets * layout.bytes;
	return m;
}

void init_sets(Core &core)
{
	core.layout.init(core.config.ways_per_set);
	core.layout.shared = &core.shared;
	for (u32 set = 0; set < core.geo.nr_sets(); set++) {
		resched_in_walk(core, set);
		set_at(core, set).init();
	}
}

// Was the I/O of the job that ended on dev a FUA write?
bool was_fua(const Core &core, const Job &job, int dev)
{
	if (job.kind == kJobZeroEdge)
		return core.range.req->flags & kReqFlagFua;
	if (job.kind == kJobThrough && dev == FC_DEV_CACHE)
		return false;
	return (job.kind == kJobWrite || job.kind == kJobThrough) && job.stage != kStageRead &&
	       job.req->flags & kReqFlagFua;
}

// True if the request is not finished.
bool end_piece(Core &core, Request &req, int &status)
{
	if (status && req.op == FC_OP_WRITE && req.flags & kReqFlagFua)
		fua_failed(core, req.kind == kReqOverwrite ? FC_DEV_CACHE : FC_DEV_ORIGIN);
	switch (req.kind) {
	case kReqReadHit:
		return read_hit_done(core, req, status);
	case kReqOverwrite:
		overwrite_done(core, req, status);
		break;
	case kReqBypass:
		bypass_done(core, req, status);
		break;
	case kReqFlush:
		flush_done(core, req, status);
		break;
	case kReqUncached:
		if (status)
			count(core, req.op == FC_OP_WRITE ? FC_STAT_disk_write_errors : FC_STAT_disk_read_errors);
		else if (req.op == FC_OP_WRITE && !(req.flags & kReqFlagFua))
			note_write(core, FC_DEV_ORIGIN);
		break;
	default:
		fc_os_warn(core.os, "a request ended that was not sent");
		break;
	}
	return false;
}

} // namespace
} // namespace fc

FC_ENTRY fc_u64 fc_core_bytes(const struct fc_config *config)
{
	return fc::memory_map(*config).end;
}

FC_ENTRY struct fc_core *fc_core_init(void *memory, void *os, const struct fc_config *config)
{
	using namespace fc;
	char *const at = static_cast<char *>(memory);
	const MemoryMap m = memory_map(*config);
	Core &core = *reinterpret_cast<Core *>(at);
	core.os = os;
	core.config = *config;
	core.mode = config->mode;
	core.lock_mask = FC_LOCK_SETS - 1;
	core.whole_blocks = config->origin_sectors / config->block_sectors;
	core.volatile_dev[FC_DEV_CACHE] = config->cache_volatile;
	core.volatile_dev[FC_DEV_ORIGIN] = config->origin_volatile;
	core.scratch = at + m.scratch;
	core.touched = reinterpret_cast<u64 *>(at + m.touched);
	core.sets = at + m.sets;
	core.geo.init(*config);
	core.home.init(*config);
	core.log.init(os, *config, at + m.log);
	init_tunables(core);
	init_sets(core);
	return &core;
}

FC_ENTRY int fc_core_end_io(struct fc_core *core, struct fc_request *req, int status)
{
	using namespace fc;
	if (end_piece(*core, *req, status))
		return 1;
	// Sent by fc_core_map(): the piece is all of the request.
	req->status = static_cast<u8>(status);
	return 0;
}

FC_ENTRY void fc_core_part_done(struct fc_core *core, struct fc_request *req, int status)
{
	using namespace fc;
	if (req->kind == kReqRange) {
		range_origin_done(*core, status);
		return;
	}
	const u32 sectors = req->part_sectors;
	if (!end_piece(*core, *req, status))
		end_part(*core, *req, sectors, status);
}

FC_ENTRY void fc_core_job_io_done(struct fc_core *core, struct fc_job *job, int dev, int status)
{
	using namespace fc;
	if (status && was_fua(*core, *job, dev))
		fua_failed(*core, dev);
	switch (job->kind) {
	case kJobFill:
		fill_io_done(*core, *job, status);
		break;
	case kJobWrite:
	case kJobThrough:
		write_io_done(*core, *job, dev, status);
		break;
	case kJobWriteback:
		writeback_copied(*core, *job, dev, status);
		break;
	case kJobZeroEdge:
		if (status)
			cache_device_error(*core, FC_STAT_ssd_write_errors);
		else
			note_write(*core, FC_DEV_CACHE);
		range_job_done(*core, *job, status != 0);
		break;
	default:
		fc_os_warn(core->os, "an I/O ended for a job that has none");
		break;
	}
}

FC_ENTRY void fc_core_async_done(struct fc_core *core, unsigned int token, int status)
{
	using namespace fc;
	switch (token) {
	case kTokenLog:
		log_io_done(*core, status);
		break;
	case kTokenLogFlush:
		log_flush_done(*core, status);
		break;
	case kTokenWritebackFlush:
		writeback_flush_done(*core, status);
		break;
	case kTokenRangeFlush:
		range_flush_done(*core, status);
		break;
	default:
		fc_os_warn(core->os, "an I/O ended that was not started");
		break;
	}
}

FC_ENTRY fc_u64 fc_core_gauge(struct fc_core *core, int gauge)
{
	using namespace fc;
	switch (static_cast<fc_gauge>(gauge)) {
	case FC_GAUGE_BLOCKS: return core->geo.nr_blocks();
	case FC_GAUGE_CACHED: return atomic_load(core->nr_valid);
	case FC_GAUGE_DIRTY: return atomic_load(core->nr_dirty);
	case FC_GAUGE_WAITING: return atomic_load(core->nr_waiting);
	case FC_GAUGE_LOG_USED: return core->started ? core->log.used_units() : 0;
	case FC_GAUGE_LOG_UNITS: return core->config.log_units;
	case FC_GAUGE_DEGRADED: return peek(core->degraded);
	case FC_GAUGE_RECOVERED_DIRTY: return core->recovered[kRecoveredDirty];
	case FC_GAUGE_RECOVERED_CLEAN: return core->recovered[kRecoveredClean];
	case FC_GAUGE_RECOVERED_VOID: return core->recovered[kRecoveredVoid];
	case FC_GAUGE_UNCLEAN_LOAD: return core->unclean_load;
	case FC_GAUGE_SYNCING: return sync_gauge(*core);
	case FC_GAUGE_POLICY: return peek(core->shared.policy);
	case FC_GAUGE_LRU_HOT: return atomic_load(core->shared.nr_hot);
	case FC_GAUGE_LRU_PROMOTIONS: return atomic_load(core->shared.promotions);
	case FC_GAUGE_LRU_DEMOTIONS: return atomic_load(core->shared.demotions);
	case FC_NR_GAUGES: break;
	}
	return 0;
}
