// SPDX-License-Identifier: GPL-2.0-only
#include "cache_set.h"

namespace fc {

u64 CacheSet::free_word(u32 word) const
{
	return inside(word) & ~bitmap(kValid)[word] & ~bitmap(kBusy)[word];
}

u64 CacheSet::evictable_word(u32 word) const
{
	return bitmap(kValid)[word] & ~bitmap(kDirty)[word] & ~bitmap(kBusy)[word];
}

u64 CacheSet::without_pinned(u32 word, u64 mask) const
{
	const u16 *const count = users() + word * 64;
	u64 left = mask;
	while (left) {
		const u32 bit = static_cast<u32>(std::countr_zero(left));
		left &= left - 1;
		if (count[bit])
			mask &= ~(1ull << bit);
	}
	return mask;
}

// Bits that start a run of n set bits within the word.
static u64 run_starts(u64 word, u32 n)
{
	for (u32 have = 1; have < n && word;) {
		const u32 step = min_of(have, n - have);
		word &= word >> step;
		have += step;
	}
	return word;
}

void CacheSet::vacate(u32 way, u32 &evicted)
{
	if (!valid(way))
		return;
	if (header().policy == FC_POLICY_CLOCK2Q && !in_main(way))
		ghosts().add(tag(way));
	remove(way);
	evicted++;
}

// ---- free ways

// The free ways behind a neighbour's, so that neighbouring blocks stay together.
u32 CacheSet::take_near(u32 want, u32 near, u32 &first)
{
	if (near >= l_->ways)
		return 0;
	const u64 usable = without_pinned(near / 64, free_word(near / 64) & ~low_bits(near % 64));
	first = near;
	return min_of(static_cast<u32>(std::countr_one(usable >> (near % 64))), want);
}

u32 CacheSet::take_free(u32 want, u32 &first)
{
	if (header().nr_valid == l_->ways)
		return 0;
	for (u32 n = want; n; n /= 2)
		for (u32 word = 0; word < l_->words; word++) {
			const u64 unused = free_word(word);
			const u64 starts = run_starts(unused ? without_pinned(word, unused) : 0, n);
			if (starts) {
				first = word * 64 + static_cast<u32>(std::countr_zero(starts));
				return n;
			}
		}
	return 0;
}

// ---- fifo and clock2q

// Did it enter so short a time ago that uses do not count?  The hand was there when it did; how many have
// entered since is what share of the ways it has passed.
bool CacheSet::in_window(u32 way) const
{
	const SetHeader &h = header();
	const u32 since = h.hand > way ? h.hand - way - 1 : h.hand + l_->ways - way - 1;
	return since * (h.nr_valid - h.nr_main) < l_->ways * (l_->ways / kWindowDivisor);
}

// These ways have earned a place in the main part.
void CacheSet::promote(u32 word, u64 ways)
{
	if (!ways)
		return;
	bitmap(kMain)[word] |= ways;
	bitmap(kReferenced)[word] &= ~ways;
	header().nr_main = static_cast<u16>(header().nr_main + count_bits(ways));
	shrink_main(l_->ways - l_->ways / kMainMostDivisor);
}

// Who was not used since the main hand last passed goes back on probation.
void CacheSet::shrink_main(u32 most)
{
	SetHeader &h = header();
	u32 word = h.main_hand / 64;
	u64 ahead = ~low_bits(h.main_hand % 64);
	for (u32 i = 0; h.nr_main > most && i <= 2 * l_->words;) {
		const u64 main = bitmap(kMain)[word] & ahead;
		const u64 cold = main & ~bitmap(kReferenced)[word];
		const u32 bit = cold ? static_cast<u32>(std::countr_zero(cold)) : 63;
		const u64 passed = bit == 63 ? ~0ull : low_bits(bit + 1);
		bitmap(kReferenced)[word] &= ~(main & passed);
		if (cold) {
			bitmap(kMain)[word] &= ~(1ull << bit);
			h.nr_main--;
		}
		ahead &= ~passed;
		if (!ahead) {
			word = next_word(word);
			ahead = ~0ull;
			i++;
		}
	}
	h.main_hand = static_cast<u16>(word * 64 + static_cast<u32>(std::countr_zero(ahead)));
}

// Ways that the hand leaves where they are.
u64 CacheSet::stays_word(u32 word) const
{
	const u32 policy = header().policy;
	const u64 main = policy == FC_POLICY_FIFO ? 0 : bitmap(kMain)[word];
	const u64 used = policy == FC_POLICY_CLOCK2Q ? bitmap(kReferenced)[word] : 0;
	return main | used;
}

// Ways that have to go when the hand comes by, pinned ones among them.
u64 CacheSet::cold_word(u32 word) const
{
	return evictable_word(word) & ~stays_word(word);
}

// The first n such ways in a row in so many words from the hand on, or kNoWay.
u32 CacheSet::find_cold(u32 n, u32 words) const
{
	u32 word = header().hand / 64;
	u64 ahead = ~low_bits(header().hand % 64);
	for (u32 i = 0; i < words; i++) {
		const u64 cold = cold_word(word) & ahead;
		if (run_starts(cold, n))
			if (const u64 starts = run_starts(without_pinned(word, cold), n))
				return word * 64 + static_cast<u32>(std::countr_zero(starts));
		ahead = ~0ull;
		word = next_word(word);
	}
	return kNoWay;
}

// The hand goes to this way.  Who was used on probation is promoted when it passes.
void CacheSet::move_hand(u32 to)
{
	SetHeader &h = header();
	u32 word = h.hand / 64;
	u64 ahead = ~low_bits(h.hand % 64);
	for (u32 i = 0; h.policy == FC_POLICY_CLOCK2Q && i <= l_->words; i++) {
		const bool last = word == to / 64 && ahead >> (to % 64) & 1;
		const u64 passed = last ? ahead & low_bits(to % 64) : ahead;
		promote(word, passed & bitmap(kReferenced)[word] & ~bitmap(kMain)[word]);
		if (last)
			break;
		ahead = ~0ull;
		word = next_word(word);
	}
	h.hand = static_cast<u16>(to);
}

// The ways where the hand stops next.  For several a little further, so that neighbours stay
// together; the few that the hand then passes go when it comes again.
u32 CacheSet::take_at_hand(u32 want, u32 &first, u32 &evicted)
{
	const u32 words_ahead = min_of(l_->words, max_of(l_->words / 8, 2u));
	for (u32 n = want; n; n /= 2) {
		first = find_cold(n, n > 1 ? words_ahead : l_->words + 1);
		if (first == kNoWay)
			continue;
		move_hand(first);
		for (u32 i = 0; i < n; i++)
			vacate(first + i, evicted);
		header().hand = static_cast<u16>((first + n) % l_->ways);
		return n;
	}
	return 0;
}

// There is nobody to spare: CLOCK over all.
u32 CacheSet::take_from_main(u32 &first, u32 &evicted)
{
	SetHeader &h = header();
	u32 word = h.main_hand / 64;
	u64 ahead = ~low_bits(h.main_hand % 64);
	for (u32 i = 0; i <= 2 * l_->words; i++) {
		u64 &referenced = bitmap(kReferenced)[word];
		if (const u64 cold = without_pinned(word, evictable_word(word) & ~referenced & ahead)) {
			referenced &= ~(ahead & low_bits(static_cast<u32>(std::countr_zero(cold))));
			first = word * 64 + static_cast<u32>(std::countr_zero(cold));
			vacate(first, evicted);
			h.main_hand = static_cast<u16>((first + 1) % l_->ways);
			return 1;
		}
		referenced &= ~ahead;
		ahead = ~0ull;
		word = next_word(word);
	}
	return 0;
}

// ---- lru

void CacheSet::lru_move(u32 way, bool hot)
{
	LruLists lists = lru();
	lists.unlink(way);
	lists.push_youngest(way, hot);
	lists.uses(way) = 0;
	assign(kMain, way, hot);
	header().nr_main = static_cast<u16>(header().nr_main + (hot ? 1 : -1));
	if (hot)
		atomic_add<u64>(l_->shared->nr_hot, 1);
	else
		atomic_sub<u64>(l_->shared->nr_hot, 1);
	atomic_add<u64>(hot ? l_->shared->promotions : l_->shared->demotions, 1);
}

// A few steps: when the share is lowered at run time each use does some of the work.
void CacheSet::lru_shrink_hot(u32 most)
{
	constexpr u32 kSteps = 4;
	for (u32 i = 0; i < kSteps && header().nr_main > most; i++)
		lru_move(lru().oldest(true), false);
}

void CacheSet::lru_touch(u32 way)
{
	LruLists lists = lru();
	const u32 most = l_->ways * peek(l_->shared->hot_pct) / 100;
	if (in_main(way) || lists.uses(way) + 1u < peek(l_->shared->promote_uses) || !most) {
		lists.uses(way) = static_cast<u8>(lists.uses(way) + (lists.uses(way) < 255));
		lists.unlink(way);
		lists.push_youngest(way, in_main(way));
	} else {
		lru_move(way, true);
	}
	lru_shrink_hot(most);
}

// How many ways from this one on may go that have come one after the other.
u32 CacheSet::lru_run(u32 way, u32 want)
{
	const LruLists lists = lru();
	u32 n = 0;
	while (n < want && way + n < l_->ways && valid(way + n) && !dirty(way + n) && !busy(way + n) &&
	       !pinned(way + n) && (!n || lists.younger(way + n - 1) == way + n))
		n++;
	return n;
}

u32 CacheSet::take_oldest(u32 want, u32 &first, u32 &evicted)
{
	constexpr u32 kSteps = 16;	// then the bitmaps find somebody sooner
	const LruLists lists = lru();
	u32 way = lists.oldest(false);
	for (u32 i = 0; i < kSteps && way != lists.sentinel(false); i++, way = lists.younger(way)) {
		const u32 n = lru_run(way, want);
		if (!n)
			continue;
		first = way;
		for (u32 k = 0; k < n; k++)
			vacate(first + k, evicted);
		return n;
	}
	return take_at_hand(want, first, evicted);
}

// ---- all

void CacheSet::enter(u32 way, u32 new_tag)
{
	SetHeader &h = header();
	if (h.policy == FC_POLICY_LRU) {
		LruLists lists = lru();
		lists.push_youngest(way, false);
		lists.uses(way) = 0;
	} else if (h.policy == FC_POLICY_CLOCK2Q && ghosts().take(new_tag)) {
		promote(way / 64, 1ull << (way % 64));
	}
}

void CacheSet::leave(u32 way)
{
	if (header().policy == FC_POLICY_LRU) {
		lru().unlink(way);
		if (in_main(way))
			atomic_sub<u64>(l_->shared->nr_hot, 1);
	}
	if (in_main(way))
		header().nr_main--;
	assign(kMain, way, false);
	assign(kReferenced, way, false);
}

void CacheSet::touch(u32 way)
{
	if (header().policy == FC_POLICY_LRU)
		lru_touch(way);
	else if (!referenced(way) && (in_main(way) || !in_window(way)))
		assign(kReferenced, way, true);
}

void CacheSet::touch_run(u32 way, u32 n, bool write)
{
	for (const u32 end = way + n; way < end;) {
		const u32 count = min_of(end - way, 64 - way % 64);
		const u64 ways = bit_range(way % 64, count);
		u64 &old = bitmap(kOld)[way / 64];
		if (write && (old & ways))
			old &= ~ways;
		// Most have been used before: then there is nothing to note but in lists.
		u64 left = header().policy == FC_POLICY_LRU ? ways : ways & ~bitmap(kReferenced)[way / 64];
		for (; left; left &= left - 1)
			touch(way / 64 * 64 + static_cast<u32>(std::countr_zero(left)));
		way += count;
	}
}

u32 CacheSet::allocate(u32 want, u32 near, u32 &first, u32 &evicted)
{
	SetHeader &h = header();
	evicted = 0;
	u32 n = take_near(want, near, first);
	if (!n)
		n = take_free(want, first);
	if (n) {
		// While the set fills up, the hand shows who came when.
		if (h.hand - first < n)
			h.hand = static_cast<u16>((first + n) % l_->ways);
		return n;
	}
	n = h.policy == FC_POLICY_LRU ? take_oldest(want, first, evicted) : take_at_hand(want, first, evicted);
	return n ? n : take_from_main(first, evicted);
}

// Who is due already counts, too: a burst of misses must not mark everything that is dirty.
bool CacheSet::mark_next_due(u32 most)
{
	constexpr u32 kWordsAhead = 8;
	const SetHeader &h = header();
	if (h.policy == FC_POLICY_LRU)
		return mark_oldest_due(most);
	u32 n = 0;
	const u32 before = h.nr_due;
	u32 word = h.hand / 64;
	u64 ahead = ~low_bits(h.hand % 64);
	for (u32 i = 0; i <= min_of(kWordsAhead, l_->words) && n < most; i++) {
		u64 next = bitmap(kDirty)[word] & ~stays_word(word) & ahead;
		if (i == l_->words)
			next &= low_bits(h.hand % 64);
		for (; next && n < most; next &= next - 1, n++)
			set_due(word * 64 + static_cast<u32>(std::countr_zero(next)), true);
		ahead = ~0ull;
		word = next_word(word);
	}
	return h.nr_due != before;
}

bool CacheSet::mark_oldest_due(u32 most)
{
	constexpr u32 kSteps = 64;
	const LruLists lists = lru();
	const u32 before = header().nr_due;
	u32 n = 0;
	u32 way = lists.oldest(false);
	for (u32 i = 0; i < kSteps && n < most && way != lists.sentinel(false); i++, way = lists.younger(way))
		if (dirty(way)) {
			set_due(way, true);
			n++;
		}
	return header().nr_due != before;
}

void CacheSet::adopt_policy(char *memory)
{
	SetHeader &h = header();
	if (h.policy == FC_POLICY_LRU)
		atomic_sub<u64>(l_->shared->nr_hot, h.nr_main);
	h.policy = static_cast<u8>(peek(l_->shared->policy));
	h.lru = memory;
	if (h.policy == FC_POLICY_LRU) {
		LruLists lists = lru();
		lists.init();
		for (u32 i = 0, way = h.hand; i < l_->ways; i++, way = (way + 1) % l_->ways)
			if (valid(way))
				lists.push_youngest(way, in_main(way));
		atomic_add<u64>(l_->shared->nr_hot, h.nr_main);
	} else if (h.policy == FC_POLICY_FIFO) {
		for (u32 word = 0; word < l_->words; word++)
			bitmap(kMain)[word] = 0;
		h.nr_main = 0;
	} else {
		shrink_main(l_->ways - l_->ways / kMainMostDivisor);
	}
}

} // namespace fc
