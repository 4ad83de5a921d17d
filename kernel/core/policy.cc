// SPDX-License-Identifier: GPL-2.0-only
//
// Changes of the replacement policy while the cache is in use.
#include "cache.h"

FC_ENTRY fc_u64 fc_core_policy_bytes(const struct fc_core *core, int policy)
{
	using namespace fc;
	return policy == FC_POLICY_LRU ? core->geo.nr_sets() * LruLists::bytes(core->geo.ways()) : 0;
}

FC_ENTRY void *fc_core_set_policy(struct fc_core *core, int policy, void *memory)
{
	using namespace fc;
	if (policy < 0 || policy >= FC_NR_POLICIES || static_cast<u32>(policy) == peek(core->shared.policy))
		return memory;
	if (fc_core_policy_bytes(core, policy) && !memory)
		return nullptr;
	char *const lists = static_cast<char *>(memory);
	const u64 each = memory ? LruLists::bytes(core->geo.ways()) : 0;
	post(core->shared.policy, static_cast<u32>(policy));
	for (u32 set_nr = 0; set_nr < core->geo.nr_sets(); set_nr++) {
		resched_in_walk(*core, set_nr);
		SetGuard guard(*core, set_nr);
		set_at(*core, set_nr).adopt_policy(memory ? lists + set_nr * each : nullptr);
	}
	char *const unused = core->policy_memory;
	core->policy_memory = lists;
	return unused;
}
