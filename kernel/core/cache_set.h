// SPDX-License-Identifier: GPL-2.0-only
//
// One set: ways_per_set cache blocks, which of them are valid, dirty or busy, a hash from tags to
// ways, the replacement hand, and the requests and jobs that concern the set.
//
// Memory per way: tag 4, hash chain 2, users 2, hash heads 1, bitmaps 5/8: 9.6 bytes, and a header
// of 64 bytes per set.  Everything is guarded by the set's lock.
#pragma once

#include "atomic.h"
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
	u32 bytes;		// the whole set, a multiple of 64
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
	u32 drain_next;			// list of sets with ready requests: set number + 1, 0 ends
	u16 nr_valid;
	u16 nr_dirty;
	u16 hand;			// replacement: the way to look at next
	u8 drain_queued;		// in that list
	u8 frozen;			// range operations that want the set still
};

class CacheSet {
public:
	CacheSet(const SetLayout &layout, char *memory) : l_(&layout), at_(memory) {}

	void init();			// empty; memory is zeroed

	SetHeader &header() const { return *reinterpret_cast<SetHeader *>(at_); }

	// The way that holds tag, or kNoWay.
	u32 find(u32 tag) const FC_REQUIRES(set_lock);
	u32 tag(u32 way) const { return tags()[way]; }

	// Make way hold tag: valid, clean, not referenced.  It must be invalid.
	void insert(u32 way, u32 tag) FC_REQUIRES(set_lock);
	// Make way invalid and clean.
	void remove(u32 way) FC_REQUIRES(set_lock);

	bool valid(u32 way) const { return test(kValid, way); }
	bool dirty(u32 way) const { return test(kDirty, way); }
	bool busy(u32 way) const { return test(kBusy, way); }
	bool any_dirty(u32 word) const FC_REQUIRES(set_lock);	// among 64 ways
	bool any_unconfirmed() const FC_REQUIRES(set_lock);
	bool unconfirmed(u32 way) const { return test(kUnconfirmed, way); }
	bool referenced(u32 way) const { return test(kReferenced, way); }

	void set_dirty(u32 way, bool on) FC_REQUIRES(set_lock);
	void set_busy(u32 way, bool on) FC_REQUIRES(set_lock) { assign(kBusy, way, on); }
	void set_unconfirmed(u32 way, bool on) FC_REQUIRES(set_lock) { assign(kUnconfirmed, way, on); }
	void set_referenced(u32 way, bool on) FC_REQUIRES(set_lock) { assign(kReferenced, way, on); }

	// Pins: requests that use the block on the cache device.  A pinned way is not reused.
	// At most 255 readers and 255 writers; false if there is no room for one more.
	bool pin(u32 way, bool write) FC_REQUIRES(set_lock);
	// True if there was no room for another pin before.
	bool unpin(u32 way, bool write) FC_REQUIRES(set_lock);
	u32 writers(u32 way) const { return users()[way] >> 8; }
	bool pinned(u32 way) const { return users()[way] != 0; }

	// Find up to want neighbouring ways for new blocks, invalid ones first, then clean ones that
	// were not used lately; near: the way to try first, or kNoWay.  Returns how many from first
	// on (0: no room), all invalid now; evicted counts the clean blocks that had to go.
	u32 allocate(u32 want, u32 near, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);

	// Up to max dirty ways that are not busy, in order of way from start on; returns the count.
	u32 collect_dirty(u32 start, u16 *ways, u32 max) const FC_REQUIRES(set_lock);

private:
	enum Bitmap : u32 { kValid, kDirty, kBusy, kReferenced, kUnconfirmed, kBitmaps };

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
	u64 free_word(u32 word) const;
	u64 evictable_word(u32 word) const;
	u64 without_pinned(u32 word, u64 mask) const;
	u32 take_run(u32 word, u64 starts, u32 want, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	u32 take_near(u32 want, u32 near, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	u32 take_free(u32 want, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	u32 take_cold(u32 want, u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	void pass_word() FC_REQUIRES(set_lock);
	u32 take_victim(u32 &first, u32 &evicted) FC_REQUIRES(set_lock);
	void vacate(u32 way, u32 &evicted) FC_REQUIRES(set_lock);

	const SetLayout *l_;
	char *at_;
};

} // namespace fc
