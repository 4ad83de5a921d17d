// SPDX-License-Identifier: GPL-2.0-only
//
// Replacement: which blocks make room for new ones.  Free ways first; dirty, busy and pinned blocks
// never.
//
//	fifo	a hand goes round the ways; the first that may go does.
//	lru	as flashcache 3 had it: two lists, warm and hot.  A block enters the warm one and gets into
//		the hot one at its lru_promote_thresh'th use; the hot list has lru_hot_pct of the ways, and
//		who is pushed out of it is the youngest of the warm one, whose oldest goes.
//	clock2q	the default, after Clock2Q+ (arXiv 2511.21958) and S3-FIFO (SOSP '23).  A block is on probation,
//		or in the main part if it was used again, or came back soon after it had to go (ghosts.h).
//		The hand of the probation goes round as that of fifo does: who was used meanwhile is
//		promoted, the others go.  Uses soon after the first (the correlation window) do not count:
//		that is one access in several requests.  A second hand, a CLOCK with one reference bit, finds
//		who has to leave the main part when that is full.  A hit sets at most one bit.
//		Other than in the paper there is no queue of fixed length for the probation: it has
//		all the room that the main part has not earned.
//
// All bounded: a hand passes each of the set's words (64 ways) twice at most.
#pragma once

#include "types.h"

namespace fc {

// What all sets of a cache share: the rules, and sums.
struct SetsShared {
	u32 policy;			// enum fc_policy
	u32 hot_pct;			// lru
	u32 promote_uses;
	u64 nr_hot;			// lru: blocks in hot lists, atomic
	u64 promotions;			// and how many got there and left, atomic
	u64 demotions;
	u64 nr_due;			// ways that the cleaner shall clean, atomic
};

// Shares of a set's ways.
inline constexpr u32 kMainMostDivisor = 10;	// clock2q: the main part has at most all but a tenth
inline constexpr u32 kWindowDivisor = 20;	// the correlation window: insertions of a twentieth

} // namespace fc
