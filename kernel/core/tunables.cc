// SPDX-License-Identifier: GPL-2.0-only
//
// Numbers that an administrator may change while the cache lives.
#include "cache.h"

namespace fc {
namespace {

struct TunableLimits {
	u32 low;
	u32 high;
	u32 initial;
};

constexpr u32 kMaxDelayS = 1000000;
constexpr u32 kMaxStreamKb = 4 << 20;

// In the order of enum fc_tunable.
constexpr TunableLimits kTunables[] = {
	{10, 95, 70},		// FC_TUNE_DIRTY_THRESH_PCT
	{10, 95, 60},		// FC_TUNE_CACHE_DIRTY_THRESH_PCT
	{1, 1024, 32},		// FC_TUNE_MAX_CLEAN_IOS_TOTAL
	{1, 64, 8},		// FC_TUNE_MAX_CLEAN_IOS_SET
	{1, 1024, 4},		// FC_TUNE_MAX_CLEAN_IOS_BUSY
	{0, kMaxDelayS, 900},	// FC_TUNE_FALLOW_DELAY_S
	{1, 100, 2},		// FC_TUNE_FALLOW_CLEAN_SPEED
	{0, 86400000, 2000},	// FC_TUNE_IDLE_DELAY_MS
	{1, 360000, 50},	// FC_TUNE_WRITEBACK_CENTISECS
	{0, 1, 1},		// FC_TUNE_WRITE_MERGE
	{0, 64, 0},		// FC_TUNE_CLEAN_ON_READ_MISS
	{0, 64, 0},		// FC_TUNE_CLEAN_ON_WRITE_MISS
	{0, 1, 0},		// FC_TUNE_FAST_REMOVE
	{0, 1, 0},		// FC_TUNE_STOP_SYNC
	{0, 1, 1},		// FC_TUNE_CACHE_ALL
	{0, 2, 0},		// FC_TUNE_ADMISSION
	{0, kMaxStreamKb, 0},	// FC_TUNE_SKIP_SEQ_READ_KB
	{0, kMaxStreamKb, 0},	// FC_TUNE_SKIP_SEQ_WRITE_KB
	{0, 100, 75},		// FC_TUNE_LRU_HOT_PCT
	{1, 255, 2},		// FC_TUNE_LRU_PROMOTE_THRESH
};
static_assert(sizeof(kTunables) / sizeof(kTunables[0]) == FC_NR_TUNABLES);

bool exists(int tunable)
{
	return tunable >= 0 && tunable < FC_NR_TUNABLES;
}

} // namespace

void init_tunables(Core &core)
{
	for (u32 i = 0; i < FC_NR_TUNABLES; i++)
		post(core.tunables[i], kTunables[i].initial);
	core.shared.policy = FC_POLICY_CLOCK2Q;
	core.shared.hot_pct = kTunables[FC_TUNE_LRU_HOT_PCT].initial;
	core.shared.promote_uses = kTunables[FC_TUNE_LRU_PROMOTE_THRESH].initial;
}

} // namespace fc

FC_ENTRY int fc_core_tune_range(int tunable, unsigned int *low, unsigned int *high)
{
	using namespace fc;
	if (!exists(tunable))
		return -1;
	*low = kTunables[tunable].low;
	*high = kTunables[tunable].high;
	return 0;
}

FC_ENTRY int fc_core_tune(struct fc_core *core, int tunable, unsigned int value)
{
	using namespace fc;
	if (!exists(tunable) || value < kTunables[tunable].low || value > kTunables[tunable].high)
		return -1;
	post(core->tunables[tunable], value);
	if (tunable == FC_TUNE_LRU_HOT_PCT)
		post(core->shared.hot_pct, value);
	if (tunable == FC_TUNE_LRU_PROMOTE_THRESH)
		post(core->shared.promote_uses, value);
	return 0;
}

FC_ENTRY unsigned int fc_core_tuned(const struct fc_core *core, int tunable)
{
	return fc::exists(tunable) ? fc::peek(core->tunables[tunable]) : 0;
}
