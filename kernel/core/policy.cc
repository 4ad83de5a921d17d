// SPDX-License-Identifier: GPL-2.0-only
//
// Changes of the replacement policy while the cache is in use.
#include "cache.h"

FC_ENTRY fc_u64 fc_core_policy_bytes(const struct fc_core *core, int policy)
{
	return policy == FC_POLICY_LRU ? core->geo.nr_blocks() * 5 : 0;
}

FC_ENTRY void *fc_core_set_policy(struct fc_core *core, int policy, void *memory)
{
	using namespace fc;
	post(core->policy, static_cast<u32>(policy));
	return memory;
}
