// SPDX-License-Identifier: GPL-2.0-only
#include "cache_set.h"

namespace fc {

void SetLayout::init(u32 nr_ways)
{
	ways = nr_ways;
	words = (ways + 63) / 64;
	const u32 nr_heads = max_of(ways / 2, 2u);
	head_bits = static_cast<u32>(std::countr_zero(nr_heads));
	const u32 bitmaps = sizeof(SetHeader) + 5 * words * sizeof(u64);
	tags = bitmaps;
	heads = tags + ways * sizeof(u32);
	next = heads + nr_heads * sizeof(u16);
	users = next + ways * sizeof(u16);
	bytes = static_cast<u32>(round_up(users + ways * sizeof(u16), 64));
}

static_assert(sizeof(SetHeader) == 56 || sizeof(SetHeader) == 64);

void PendingList::push(Pending *pending)
{
	pending->next = nullptr;
	if (head)
		tail->next = pending;
	else
		head = pending;
	tail = pending;
}

Pending *PendingList::pop()
{
	Pending *pending = head;
	if (pending)
		head = pending->next;
	return pending;
}

void PendingList::take_all(PendingList &other)
{
	if (other.empty())
		return;
	if (head)
		tail->next = other.head;
	else
		head = other.head;
	tail = other.tail;
	other.head = other.tail = nullptr;
}

void CacheSet::init()
{
	u16 *const first = heads();
	for (u32 i = 0; i < 1u << l_->head_bits; i++)
		first[i] = kNoWay;
}

u32 CacheSet::find(u32 wanted) const
{
	const u32 *const tag_of = tags();
	const u16 *const chain = next();
	u32 way = heads()[bucket(wanted)];
	while (way != kNoWay && tag_of[way] != wanted)
		way = chain[way];
	return way;
}

void CacheSet::insert(u32 way, u32 new_tag)
{
	u16 &head = heads()[bucket(new_tag)];
	tags()[way] = new_tag;
	next()[way] = head;
	head = static_cast<u16>(way);
	assign(kValid, way, true);
	assign(kReferenced, way, false);
	header().nr_valid++;
}

void CacheSet::remove(u32 way)
{
	u16 *link = &heads()[bucket(tags()[way])];
	while (*link != way && *link != kNoWay)
		link = &next()[*link];
	if (*link == way)
		*link = next()[way];
	set_dirty(way, false);
	assign(kValid, way, false);
	assign(kReferenced, way, false);
	assign(kUnconfirmed, way, false);
	header().nr_valid--;
}

void CacheSet::set_dirty(u32 way, bool on)
{
	if (dirty(way) == on)
		return;
	assign(kDirty, way, on);
	post(header().nr_dirty, static_cast<u16>(header().nr_dirty + (on ? 1 : -1)));
}

bool CacheSet::pin(u32 way, bool write)
{
	u16 &count = users()[way];
	const u32 one = write ? 0x100 : 1;
	const u32 limit = write ? 0xff00 : 0xff;
	if ((count & limit) == limit)
		return false;
	count = static_cast<u16>(count + one);
	return true;
}

bool CacheSet::unpin(u32 way, bool write)
{
	const u16 count = users()[way];
	const u32 limit = write ? 0xff00 : 0xff;
	users()[way] = static_cast<u16>(count - (write ? 0x100 : 1));
	return (count & limit) == limit;
}

u64 CacheSet::free_word(u32 word) const
{
	const u64 inside = low_bits(min_of(l_->ways - word * 64, 64u));
	return inside & ~bitmap(kValid)[word] & ~bitmap(kBusy)[word];
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
	remove(way);
	evicted++;
}

u32 CacheSet::take_run(u32 word, u64 starts, u32 want, u32 &first, u32 &evicted)
{
	first = word * 64 + static_cast<u32>(std::countr_zero(starts));
	for (u32 i = 0; i < want; i++)
		vacate(first + i, evicted);
	return want;
}

// The ways behind a neighbour's, so that neighbouring blocks stay together.
u32 CacheSet::take_near(u32 want, u32 near, u32 &first, u32 &evicted)
{
	if (near >= l_->ways)
		return 0;
	const u32 word = near / 64;
	// While there is room, nothing is evicted for the sake of neighbourhood.
	const bool full = header().nr_valid == l_->ways;
	const u64 cold = full ? evictable_word(word) & ~bitmap(kReferenced)[word] : 0;
	const u64 usable = without_pinned(word, (free_word(word) | cold) & ~low_bits(near % 64));
	const u32 run = static_cast<u32>(std::countr_one(usable >> (near % 64)));
	if (!run)
		return 0;
	return take_run(word, 1ull << (near % 64), min_of(run, want), first, evicted);
}

u32 CacheSet::take_free(u32 want, u32 &first, u32 &evicted)
{
	if (header().nr_valid == l_->ways)
		return 0;
	for (u32 word = 0; word < l_->words; word++) {
		const u64 unused = free_word(word);
		if (const u64 starts = run_starts(unused ? without_pinned(word, unused) : 0, want))
			return take_run(word, starts, want, first, evicted);
	}
	return 0;
}

// A run of ways that are free or clean and not referenced, from the hand on.
u32 CacheSet::take_cold(u32 want, u32 &first, u32 &evicted)
{
	u32 word = header().hand / 64;
	for (u32 i = 0; i < l_->words; i++, word = word + 1 < l_->words ? word + 1 : 0) {
		const u64 cold = evictable_word(word) & ~bitmap(kReferenced)[word];
		const u64 usable = run_starts(cold | free_word(word), want);
		const u64 starts = usable ? run_starts(without_pinned(word, cold | free_word(word)), want) : 0;
		if (starts) {
			const u32 n = take_run(word, starts, want, first, evicted);
			header().hand = static_cast<u16>((first + n) % l_->ways);
			return n;
		}
	}
	return 0;
}

// The hand passes a word: its ways lose their reference bits.
void CacheSet::pass_word()
{
	const u32 word = header().hand / 64;
	bitmap(kReferenced)[word] = 0;
	header().hand = static_cast<u16>((word + 1 < l_->words ? word + 1 : 0) * 64);
}

// CLOCK: the first way from the hand on that was not used since the hand last passed.
u32 CacheSet::take_victim(u32 &first, u32 &evicted)
{
	u32 word = header().hand / 64;
	u64 ahead = ~low_bits(header().hand % 64);
	for (u32 i = 0; i <= 2 * l_->words; i++) {
		u64 &referenced = bitmap(kReferenced)[word];
		const u64 cold = without_pinned(word, evictable_word(word) & ~referenced & ahead);
		if (cold) {
			const u32 bit = static_cast<u32>(std::countr_zero(cold));
			referenced &= ~(ahead & low_bits(bit));
			first = word * 64 + bit;
			vacate(first, evicted);
			header().hand = static_cast<u16>((first + 1) % l_->ways);
			return 1;
		}
		referenced &= ~ahead;
		ahead = ~0ull;
		word = word + 1 < l_->words ? word + 1 : 0;
	}
	return 0;
}

u32 CacheSet::allocate(u32 want, u32 near, u32 &first, u32 &evicted)
{
	evicted = 0;
	if (const u32 n = take_near(want, near, first, evicted))
		return n;
	for (u32 n = want; n; n /= 2)
		if (take_free(n, first, evicted))
			return n;
	for (u32 n = want; n > 1; n /= 2) {
		if (take_cold(n, first, evicted))
			return n;
		if (n == want)
			pass_word();
	}
	return take_victim(first, evicted);
}

bool CacheSet::any_dirty(u32 word) const
{
	return bitmap(kDirty)[word] != 0;
}

bool CacheSet::any_unconfirmed() const
{
	u64 any = 0;
	for (u32 word = 0; word < l_->words; word++)
		any |= bitmap(kUnconfirmed)[word];
	return any;
}

u32 CacheSet::collect_dirty(u32 start, u16 *ways, u32 max) const
{
	u32 n = 0;
	u32 word = start / 64;
	u64 ahead = ~low_bits(start % 64);
	for (u32 i = 0; i <= l_->words && n < max; i++) {
		u64 found = bitmap(kDirty)[word] & ~bitmap(kBusy)[word] & ahead;
		if (i == l_->words)
			found &= low_bits(start % 64);
		for (; found && n < max; found &= found - 1)
			ways[n++] = static_cast<u16>(word * 64 + static_cast<u32>(std::countr_zero(found)));
		ahead = ~0ull;
		word = word + 1 < l_->words ? word + 1 : 0;
	}
	return n;
}

} // namespace fc
