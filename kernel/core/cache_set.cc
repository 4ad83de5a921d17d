// SPDX-License-Identifier: GPL-2.0-only
#include "cache_set.h"

namespace fc {

void SetLayout::init(u32 nr_ways)
{
	ways = nr_ways;
	words = (ways + 63) / 64;
	const u32 nr_heads = max_of(ways / 2, 2u);
	head_bits = static_cast<u32>(std::countr_zero(nr_heads));
	const u32 bitmaps = sizeof(SetHeader) + kNrBitmaps * words * sizeof(u64);
	tags = bitmaps;
	heads = tags + ways * sizeof(u32);
	next = heads + nr_heads * sizeof(u16);
	users = next + ways * sizeof(u16);
	ghosts = static_cast<u32>(round_up(users + ways * sizeof(u16), sizeof(u64)));
	bytes = static_cast<u32>(round_up(ghosts + Ghosts::bytes(ways), 64));
}

static_assert(sizeof(SetHeader) == 72);

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
	header().policy = static_cast<u8>(peek(l_->shared->policy));
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
	header().nr_valid++;
	enter(way, new_tag);
}

void CacheSet::remove(u32 way)
{
	u16 *link = &heads()[bucket(tags()[way])];
	while (*link != way && *link != kNoWay)
		link = &next()[*link];
	if (*link == way)
		*link = next()[way];
	leave(way);
	set_dirty(way, false);
	assign(kValid, way, false);
	assign(kUnconfirmed, way, false);
	header().nr_valid--;
}

void CacheSet::set_dirty(u32 way, bool on)
{
	if (dirty(way) == on)
		return;
	assign(kDirty, way, on);
	assign(kOld, way, false);
	set_due(way, false);
	post(header().nr_dirty, static_cast<u16>(header().nr_dirty + (on ? 1 : -1)));
	if (!header().nr_dirty)
		post(header().cleaning, 0);
}

void CacheSet::set_due(u32 way, bool on)
{
	if (due(way) == on)
		return;
	assign(kDue, way, on);
	add_due(on ? 1 : -1);
}

void CacheSet::add_due(int n)
{
	post(header().nr_due, static_cast<u16>(header().nr_due + n));
	atomic_add(l_->shared->nr_due, static_cast<u64>(static_cast<long long>(n)));
}

void CacheSet::mark_due()
{
	u32 marked = 0;
	for (u32 word = 0; word < l_->words; word++) {
		const u64 more = bitmap(kDirty)[word] & ~bitmap(kDue)[word];
		bitmap(kDue)[word] |= more;
		marked += count_bits(more);
	}
	add_due(static_cast<int>(marked));
}

void CacheSet::forget_due()
{
	for (u32 word = 0; word < l_->words; word++)
		bitmap(kDue)[word] = 0;
	add_due(-static_cast<int>(header().nr_due));
}

void CacheSet::age()
{
	u32 marked = 0;
	for (u32 word = 0; word < l_->words; word++) {
		const u64 dirty_now = bitmap(kDirty)[word];
		const u64 fallow = dirty_now & bitmap(kOld)[word] & ~bitmap(kDue)[word];
		bitmap(kDue)[word] |= fallow;
		marked += count_bits(fallow);
		bitmap(kOld)[word] |= dirty_now;
	}
	add_due(static_cast<int>(marked));
}

u32 CacheSet::pin(u32 way, u32 n, bool write)
{
	u16 *const users_of = users() + way;
	u32 i = 0;
	while (i < n && add_pin(users_of[i], write))
		i++;
	return i;
}

bool CacheSet::unpin(u32 way, u32 n, bool write)
{
	u16 *const users_of = users() + way;
	bool was_full = false;
	for (u32 i = 0; i < n; i++) {
		was_full |= (users_of[i] & full(write)) == full(write);
		users_of[i] = static_cast<u16>(users_of[i] - one(write));
	}
	return was_full;
}

u32 CacheSet::run_length(u32 way, u32 tag, u32 limit, bool write) const
{
	const u32 *const tag_of = tags() + way;
	limit = min_of(limit, l_->ways - way);
	u32 n = 1;
	while (n < limit) {
		const u32 at = (way + n) % 64;
		const u32 open = static_cast<u32>(std::countr_one(open_word((way + n) / 64, write) >> at));
		const u32 end = min_of(n + min_of(open, 64 - at), limit);
		while (n < end && tag_of[n] == tag + n)
			n++;
		if (n < end || open < 64 - at)
			break;
	}
	return n;
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

u64 CacheSet::known_word(u32 word, bool with_clean, u64 &unsettled) const
{
	const u64 is_dirty = bitmap(kDirty)[word];
	const u64 busy_now = bitmap(kBusy)[word];
	if (with_clean) {
		unsettled = busy_now;
		return bitmap(kValid)[word] & (is_dirty | ~busy_now);
	}
	unsettled = busy_now | bitmap(kUnconfirmed)[word];
	return is_dirty & ~bitmap(kUnconfirmed)[word];
}

u32 CacheSet::collect_dirty(u32 start, bool due_only, u16 *ways, u32 max) const
{
	u32 n = 0;
	u32 word = start / 64;
	u64 ahead = ~low_bits(start % 64);
	for (u32 i = 0; i <= l_->words && n < max; i++) {
		u64 found = bitmap(due_only ? kDue : kDirty)[word] & ~bitmap(kBusy)[word] & ahead;
		if (i == l_->words)
			found &= low_bits(start % 64);
		for (; found && n < max; found &= found - 1)
			ways[n++] = static_cast<u16>(word * 64 + static_cast<u32>(std::countr_zero(found)));
		ahead = ~0ull;
		word = next_word(word);
	}
	return n;
}

} // namespace fc
