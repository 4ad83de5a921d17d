// SPDX-License-Identifier: GPL-2.0-only
//
// One set: ways_per_set cache blocks, which of them are valid, dirty or busy, a hash from tags to
// ways, who goes next (replacement.h), and the requests and jobs that concern the set.
//
// Memory per way: tag 4, hash chain 2, users 2, hash heads 1, ghosts 1, bitmaps 1: 11 bytes, and a
// header of 72 bytes per set.  Everything is guarded by the set's lock.
#pragma once

#include "atomic.h"
#include "ghosts.h"
#include "lru.h"
#include "replacement.h"
#include "types.h"

namespace fc {

// Where the parts of a set lie in its memory.
struct SetLayout {
	void init(u32 ways);

	u32 ways;
	u32 words;		// 64-bit words per bitmap
	u32 head_bits;		// log2 of the number of hash heads
	u32 heads;		// byte offsets from the start of the set
	u32 tags;
	u32 next;
	u32 users;
	u32 ghosts;
	u32 bytes;		// the whole set, a multiple of 64
	SetsShared *shared;	// of the cache
};

struct PendingList {
	Pending *head;
	Pending *tail;

	bool empty() const { return !head; }
	void push(Pending *pending);
	Pending *pop();				// null if empty
	void take_all(PendingList &other);	// append other, which becomes empty
};

struct SetHeader {
	Job *jobs;			// jobs that own blocks of this set
	PendingList ready;		// requests whose wait is over, to be mapped again in order
	PendingList stalled;		// requests that wait for a record to be confirmed
	char *lru;			// policy lru: memory of its lists
	u32 drain_next;			// list of sets with ready requests: set number + 1, 0 ends
	u16 nr_valid;
	u16 nr_dirty;
	u16 nr_due;			// dirty ways that the cleaner shall clean
	u16 nr_copying;			// ways that are being copied to the origin
	u16 nr_main;			// clock2q: ways of the main part; lru: of the hot list
	u16 hand;			// replacement: the way to look at next
	u16 main_hand;			// clock2q: that of the main part
	u8 policy;			// enum fc_policy that the set follows
	u8 drain_queued;		// in that list
	u8 frozen;			// range operations that want the set still
	u8 cleaning;			// above the dirty threshold, and not below the lower one since

	// Is there no job, and nobody who waits?
	bool undisturbed() const { return !jobs && ready.empty() && !drain_queued && !frozen; }
};

inline constexpr u32 kNrBitmaps = 8;	// of CacheSet::Bitmap

class CacheSet {
public:
	CacheSet(const SetLayout &layout, char *memory) : l_(&layout), at_(memory) {}

	void init();			// empty; memory is zeroed

	SetHeader &header() const { return *reinterpret_cast<SetHeader *>(at_); }

	// The way that holds tag, or kNoWay.
	u32 find(u32 tag) const FC_REQUIRES(set_lock);
	u32 tag(u32 way) const { return tags()[way]; }

	// Make way hold tag: valid, clean, not used yet.  It must be invalid.
	void insert(u32 way, u32 tag) FC_REQUIRES(set_lock);
	// Make way invalid and clean.
	void remove(u32 way) FC_REQUIRES(set_lock);

	bool valid(u32 way) const { return test(kValid, way); }
	bool dirty(u32 way) const { return test(kDirty, way); }
	bool busy(u32 way) const { return test(kBusy, way); }
	bool any_dirty(u32 word) const FC_REQUIRES(set_lock);	// among 64 ways
	bool any_unconfirmed() const FC_REQUIRES(set_lock);
	// Of the 64 ways from word * 64 on: those that the home table may name now, clean ones among them only
	// with_clean (then every record is confirmed); unsettled: those of which it must say more later.
	u64 known_word(u32 word, bool with_clean, u64 &unsettled) const FC_REQUIRES(set_lock);
	bool unconfirmed(u32 way) const { return test(kUnconfirmed, way); }
	bool referenced(u32 way) const { return test(kReferenced, way); }
	bool in_main(u32 way) const { return test(kMain, way); }
	bool due(u32 way) const { return test(kDue, way); }

	void set_dirty(u32 way, bool on) FC_REQUIRES(set_lock);
	void set_busy(u32 way, bool on) FC_REQUIRES(set_lock) { assign(kBusy, way, on); }
	void set_unconfirmed(u32 way, bool on) FC_REQUIRES(set_lock) { assign(kUnconfirmed, way, on); }
	void set_due(u32 way, bool on) FC_REQUIRES(set_lock);
	void set_referenced(u32 way, bool on) FC_REQUIRES(set_lock) { assign(kReferenced, way, on); }

	// Pins: requests that use the block on the cache device.  A pinned way is not reused.
	// At most 255 readers and 255 writers.  Pins n ways from this one on, or as many as have room for one
	// more; returns how many.
	u32 pin(u32 way, u32 n, bool write) FC_REQUIRES(set_lock);
	// The same for one way, which is then touched as by touch_run(): most hits are of one block.
	u32 pin_and_touch(u32 way, bool write) FC_REQUIRES(set_lock)
	{
		if (!add_pin(users()[way], write))
			return 0;
		if (write)
			assign(kOld, way, false);
		if (header().policy == FC_POLICY_LRU || !referenced(way))
			touch(way);
		return 1;
	}
	// True if one of them had no room for another pin before.
	bool unpin(u32 way, u32 n, bool write) FC_REQUIRES(set_lock);
	// May a request go straight to the block?  No job is at it; to write, it is dirty, and its record
	// confirmed (rule 3).
	bool open_to(u32 way, bool write) const FC_REQUIRES(set_lock)
	{
		return open_word(way / 64, write) >> (way % 64) & 1;
	}
	// This way holds tag, and may be used.  How many from it on, at most limit, hold tag + 1, tag + 2, ...
	// and are open to the request?
	u32 run_length(u32 way, u32 tag, u32 limit, bool write) const FC_REQUIRES(set_lock);
	u32 writers(u32 way) const { return users()[way] >> 8; }
	bool pinned(u32 way) const { return users()[way] != 0; }

	// ---- replacement.cc

	// The block was used.
	void touch(u32 way) FC_REQUIRES(set_lock);
	// n blocks were; write: they were dirty before.
	void touch_run(u32 way, u32 n, bool write) FC_REQUIRES(set_lock);
	// Find up to want neighbouring ways for new blocks, invalid ones first, then those of clean blocks that
	// have to go; near: the way to try first, or kNoWay.  Returns how many from first
	// on (0: no room), all invalid now; evicted counts the clean blocks that had to go.
	u32 allocate(u32 want, u32 near, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	// Follow the rules' policy from now on.  lru: zeroed memory for its lists, or null.  What is known about
	// the blocks is kept as far as the new policy has a use for it.
	void adopt_policy(char *lru) FC_REQUIRES(set_lock);
	// Admission: was the block here lately, or wanted?  It was wanted now.
	bool seen_before(u32 tag) const FC_REQUIRES(set_lock) { return ghosts().has(tag); }
	void remember(u32 tag) FC_REQUIRES(set_lock) { ghosts().add(tag); }
	// Is the block one that stays for now: used lately, or often?
	bool precious(u32 way) const { return test(kReferenced, way) || test(kMain, way); }

	// ---- for the cleaner

	// Up to max dirty (or due) ways that are not busy, in order of way from start on; returns the count.
	u32 collect_dirty(u32 start, bool due_only, u16 *ways, u32 max) const FC_REQUIRES(set_lock);
	// Everything that is dirty now is due.  None is.
	void mark_due() FC_REQUIRES(set_lock);
	void forget_due() FC_REQUIRES(set_lock);
	// One step of the fallow clock's two hands: what was dirty at the last step and has not been written
	// since is due.
	void age() FC_REQUIRES(set_lock);
	// Up to most of the dirty ways that would go next if they were clean are due (replacement.cc); true if one
	// was not before.
	bool mark_next_due(u32 most) FC_REQUIRES(set_lock);

private:
	enum Bitmap : u32 { kValid, kDirty, kBusy, kReferenced, kUnconfirmed, kMain, kOld, kDue };
	static_assert(kDue + 1 == kNrBitmaps);

	u64 *bitmap(Bitmap b) const { return reinterpret_cast<u64 *>(at_ + sizeof(SetHeader)) + b * l_->words; }
	u16 *heads() const { return reinterpret_cast<u16 *>(at_ + l_->heads); }
	u32 *tags() const { return reinterpret_cast<u32 *>(at_ + l_->tags); }
	u16 *next() const { return reinterpret_cast<u16 *>(at_ + l_->next); }
	u16 *users() const { return reinterpret_cast<u16 *>(at_ + l_->users); }

	bool test(Bitmap b, u32 way) const { return bitmap(b)[way / 64] >> (way % 64) & 1; }
	void assign(Bitmap b, u32 way, bool on)
	{
		u64 &word = bitmap(b)[way / 64];
		const u64 bit = 1ull << (way % 64);
		word = on ? word | bit : word & ~bit;
	}

	u32 bucket(u32 tag) const { return (tag * 0x9e3779b1u) >> (32 - l_->head_bits); }
	// Readers are counted in the low byte, writers in the high one.
	static constexpr u32 full(bool write) { return write ? 0xff00 : 0xff; }
	static constexpr u32 one(bool write) { return write ? 0x100 : 1; }
	static bool add_pin(u16 &users, bool write)
	{
		if ((users & full(write)) == full(write))
			return false;
		users = static_cast<u16>(users + one(write));
		return true;
	}
	u64 open_word(u32 word, bool write) const
	{
		const u64 open = bitmap(kValid)[word] & ~bitmap(kBusy)[word];
		return write ? open & bitmap(kDirty)[word] & ~bitmap(kUnconfirmed)[word] : open;
	}
	u64 free_word(u32 word) const;
	u64 evictable_word(u32 word) const;
	u64 without_pinned(u32 word, u64 mask) const;
	u64 inside(u32 word) const { return low_bits(min_of(l_->ways - word * 64, 64u)); }
	u32 next_word(u32 word) const { return word + 1 < l_->words ? word + 1 : 0; }
	Ghosts ghosts() const { return Ghosts(at_ + l_->ghosts, l_->ways); }
	LruLists lru() const { return LruLists(header().lru, l_->ways); }

	u32 take_near(u32 want, u32 near, u32 &first) FC_REQUIRES(set_lock);
	u32 take_free(u32 want, u32 &first) FC_REQUIRES(set_lock);
	u64 stays_word(u32 word) const FC_REQUIRES(set_lock);
	u64 cold_word(u32 word) const FC_REQUIRES(set_lock);
	u32 find_cold(u32 n, u32 words) const FC_REQUIRES(set_lock);
	void move_hand(u32 to) FC_REQUIRES(set_lock);
	u32 take_at_hand(u32 want, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	u32 take_from_main(u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	u32 take_oldest(u32 want, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	u32 lru_run(u32 way, u32 want) FC_REQUIRES(set_lock);
	bool in_window(u32 way) const FC_REQUIRES(set_lock);
	void enter(u32 way, u32 tag) FC_REQUIRES(set_lock);
	void leave(u32 way) FC_REQUIRES(set_lock);
	void promote(u32 word, u64 ways) FC_REQUIRES(set_lock);
	void shrink_main(u32 most) FC_REQUIRES(set_lock);
	void lru_touch(u32 way) FC_REQUIRES(set_lock);
	void lru_move(u32 way, bool hot) FC_REQUIRES(set_lock);
	void lru_shrink_hot(u32 most) FC_REQUIRES(set_lock);
	void add_due(int n) FC_REQUIRES(set_lock);
	bool mark_oldest_due(u32 most) FC_REQUIRES(set_lock);
	void vacate(u32 way, u32 &evicted) FC_REQUIRES(set_lock);

	const SetLayout *l_;
	char *at_;
};

} // namespace fc
