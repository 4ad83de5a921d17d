// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose requests are cached: the blacklist and the whitelist.
 *
 * A member is the number of a thread or of a process (thread group), as in flashcache 3, a
 * control group with all below it, or whoever has the I/O priority class "idle".  Numbers are
 * those of the first PID namespace; control groups are those of the unified hierarchy (v2), by
 * their ids.  Requests are those of the task that submits them: the kernel's own writeback of
 * dirty pages belongs to nobody.
 *
 * As long as nobody is listed a request pays one branch.  Otherwise it looks into a hash table,
 * without a lock.  Changes come from messages, sysctls and the work that removes what has
 * expired; a mutex, which no request needs, excludes them from each other.
 */
#define DM_MSG_PREFIX "flashcache"

#include <linux/cgroup.h>
#include <linux/hash.h>
#include <linux/ioprio.h>
#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "glue.h"

#define HASH_BITS 10
#define GROUPS_MAX 256			/* of one list; these are not pushed out */

struct entry {
	struct hlist_node hash;
	struct list_head age;
	u64 id;				/* a pid, a control group's id, or 0 */
	u8 list;			/* enum fc_list */
	u8 member;			/* enum fc_member */
	unsigned long added;		/* jiffies */
	struct rcu_head rcu;
};

struct fc_lists {
	struct hlist_head hash[1 << HASH_BITS];	/* read by requests */
	unsigned int nr_of[FC_NR_MEMBERS];	/* in both lists; read by requests */

	struct mutex mutex;		/* guards the rest, and changes of what is above */
	struct list_head age[FC_NR_LISTS][FC_NR_MEMBERS];	/* oldest first */
	unsigned int nr[FC_NR_LISTS][FC_NR_MEMBERS];
	unsigned int limit[FC_NR_LIST_LIMITS];
	struct delayed_work expiry;
	struct fc_cache *cache;
};

static const struct {
	unsigned int low, high, initial;
} limits[FC_NR_LIST_LIMITS] = {
	[FC_LIST_DO_EXPIRY] = { 0, 1, 0 },
	[FC_LIST_EXPIRY_SECS] = { 1, 1000000, 60 },
	[FC_LIST_MAX_PIDS] = { 1, 8192, 100 },	/* of one list */
};

static const char * const list_names[FC_NR_LISTS] = {
	[FC_LIST_BLACK] = "Blacklist",
	[FC_LIST_WHITE] = "Whitelist",
};

static struct hlist_head *chain_of(struct fc_lists *lists, enum fc_member member, u64 id)
{
	return &lists->hash[hash_64(id * FC_NR_MEMBERS + member, HASH_BITS)];
}

/* ---- requests -------------------------------------------------------------------------------- */

#define BLACK BIT(FC_LIST_BLACK)
#define WHITE BIT(FC_LIST_WHITE)

/* In which lists somebody is: bits. */
static unsigned int lists_of(struct fc_lists *lists, enum fc_member member, u64 id)
{
	const struct entry *entry;
	unsigned int bits = 0;

	hlist_for_each_entry_rcu(entry, chain_of(lists, member, id), hash)
		if (entry->id == id && entry->member == member)
			bits |= BIT(entry->list);
	return bits;
}

/* What the process says, and what it is, by its numbers. */
struct standing {
	unsigned int thread;		/* BLACK, WHITE */
	unsigned int process;
	unsigned int group;		/* of the nearest control group that is listed */
	unsigned int groups;		/* of all of them, up to the root */
	bool idle;
};

#ifdef CONFIG_CGROUPS
static void look_up_groups(struct fc_lists *lists, struct standing *standing)
{
	struct cgroup *group;

	for (group = task_dfl_cgroup(current); group; group = cgroup_parent(group)) {
		unsigned int bits = lists_of(lists, FC_MEMBER_GROUP, cgroup_id(group));

		if (!standing->group)
			standing->group = bits;
		standing->groups |= bits;
	}
}
#else
static void look_up_groups(struct fc_lists *lists, struct standing *standing)
{
}
#endif

static bool is_idle(const struct bio *bio)
{
	unsigned int class = IOPRIO_PRIO_CLASS(bio->bi_ioprio);

	if (class == IOPRIO_CLASS_NONE)
		class = IOPRIO_PRIO_CLASS(get_current_ioprio());
	return class == IOPRIO_CLASS_IDLE;
}

/* Everything is cached, but: the blacklist; and the whitelist has exceptions to that. */
static unsigned int flags_if_all(const struct standing *who)
{
	bool white = (who->thread | who->process) & WHITE;

	if (who->thread & BLACK)
		return FC_REQ_AVOID;
	if (who->process & BLACK)
		return who->thread & WHITE ? FC_REQ_WANT : FC_REQ_AVOID;
	if (who->group & BLACK)
		return white ? FC_REQ_WANT : FC_REQ_AVOID;
	if (who->groups & BLACK)
		return FC_REQ_WANT;	/* a whitelisted group inside of that one */
	if (who->idle)
		return white || who->group ? FC_REQ_WANT : FC_REQ_AVOID;
	return 0;
}

/* Nothing is cached, but: the whitelist; and the blacklist has exceptions to that. */
static unsigned int flags_if_none(const struct standing *who)
{
	bool black = (who->thread | who->process) & BLACK;

	if (who->thread & WHITE)
		return FC_REQ_WANT;
	if (who->process & WHITE)
		return who->thread & BLACK ? 0 : FC_REQ_WANT;
	if (who->group & WHITE)
		return black ? 0 : FC_REQ_WANT;
	return 0;
}

/*
 * What the lists say of the request that the current task sends: FC_REQ_AVOID, FC_REQ_WANT, or
 * nothing.  Called if fc_cache.has_lists only.  Context: task, does not sleep.
 */
unsigned int fc_lists_flags(struct fc_cache *cache, const struct bio *bio)
{
	struct fc_lists *lists = cache->lists;
	struct standing who = { 0 };

	rcu_read_lock();
	if (READ_ONCE(lists->nr_of[FC_MEMBER_PID])) {
		who.thread = lists_of(lists, FC_MEMBER_PID, current->pid);
		who.process = lists_of(lists, FC_MEMBER_PID, current->tgid);
	}
	if (READ_ONCE(lists->nr_of[FC_MEMBER_GROUP]))
		look_up_groups(lists, &who);
	rcu_read_unlock();
	if (READ_ONCE(lists->nr_of[FC_MEMBER_IDLE]))
		who.idle = is_idle(bio);

	if (fc_core_tuned(cache->core, FC_TUNE_CACHE_ALL))
		return flags_if_all(&who);
	return flags_if_none(&who);
}

/* ---- changes --------------------------------------------------------------------------------- */

static struct entry *find_locked(struct fc_lists *lists, enum fc_list list, enum fc_member member,
				 u64 id)
{
	struct entry *entry;

	hlist_for_each_entry(entry, chain_of(lists, member, id), hash)
		if (entry->id == id && entry->member == member && entry->list == list)
			return entry;
	return NULL;
}

static void count_locked(struct fc_lists *lists, const struct entry *entry, int by)
{
	unsigned int all = 0;
	int i;

	lists->nr[entry->list][entry->member] += by;
	WRITE_ONCE(lists->nr_of[entry->member], lists->nr_of[entry->member] + by);
	for (i = 0; i < FC_NR_MEMBERS; i++)
		all += lists->nr_of[i];
	WRITE_ONCE(lists->cache->has_lists, all != 0);
}

static void insert_locked(struct fc_lists *lists, struct entry *entry)
{
	entry->added = jiffies;
	list_add_tail(&entry->age, &lists->age[entry->list][entry->member]);
	hlist_add_head_rcu(&entry->hash, chain_of(lists, entry->member, entry->id));
	count_locked(lists, entry, 1);
}

static void remove_locked(struct fc_lists *lists, struct entry *entry, int stat)
{
	hlist_del_rcu(&entry->hash);
	list_del(&entry->age);
	count_locked(lists, entry, -1);
	fc_os_stat(lists->cache, stat, 1);
	kfree_rcu(entry, rcu);
}

static struct entry *oldest_locked(struct fc_lists *lists, enum fc_list list)
{
	return list_first_entry_or_null(&lists->age[list][FC_MEMBER_PID], struct entry, age);
}

/* Push the oldest out, until there is room for @more. */
static void make_room_locked(struct fc_lists *lists, enum fc_list list, unsigned int more)
{
	while (lists->nr[list][FC_MEMBER_PID] + more > lists->limit[FC_LIST_MAX_PIDS])
		remove_locked(lists, oldest_locked(lists, list), FC_STAT_pid_drops);
}

/* Remove what has expired.  Returns when the next one does: jiffies from @now, 0 for never. */
static unsigned long expire_locked(struct fc_lists *lists, enum fc_list list, unsigned long now)
{
	unsigned long life = lists->limit[FC_LIST_EXPIRY_SECS] * HZ;
	struct entry *entry;

	while ((entry = oldest_locked(lists, list)) && time_after_eq(now, entry->added + life))
		remove_locked(lists, entry, FC_STAT_pid_expiry);
	return entry ? entry->added + life - now : 0;
}

/* Due whenever something may expire; comes again by itself. */
static void expire(struct work_struct *work)
{
	struct fc_lists *lists = container_of(to_delayed_work(work), struct fc_lists, expiry);
	unsigned long black;
	unsigned long white;

	mutex_lock(&lists->mutex);
	if (lists->limit[FC_LIST_DO_EXPIRY]) {
		black = expire_locked(lists, FC_LIST_BLACK, jiffies);
		white = expire_locked(lists, FC_LIST_WHITE, jiffies);
		if (black || white)
			mod_delayed_work(system_wq, &lists->expiry, min_not_zero(black, white));
	}
	mutex_unlock(&lists->mutex);
}

/* An entry that is there already becomes the youngest. */
static int add_locked(struct fc_lists *lists, struct entry *new)
{
	struct entry *old = find_locked(lists, new->list, new->member, new->id);

	if (old) {
		old->added = jiffies;
		list_move_tail(&old->age, &lists->age[old->list][old->member]);
		return -EEXIST;
	}
	if (new->member == FC_MEMBER_PID)
		make_room_locked(lists, new->list, 1);
	else if (lists->nr[new->list][new->member] >= GROUPS_MAX)
		return -ENOSPC;
	insert_locked(lists, new);
	fc_os_stat(lists->cache, FC_STAT_pid_adds, 1);
	return 0;
}

#ifdef CONFIG_CGROUPS
static bool group_exists(u64 id)
{
	struct cgroup *group = cgroup_get_from_id(id);

	if (IS_ERR_OR_NULL(group))
		return false;
	cgroup_put(group);
	return true;
}
#else
static bool group_exists(u64 id)
{
	return false;
}
#endif

/*
 * Put somebody into a list, or make him its youngest member.  0; -ENOENT if there is no such
 * control group; -ENOSPC if there are too many in the list; or -ENOMEM.  Our device may be suspended: nothing is written to get memory.  Context: task;
 * sleeps.
 */
int fc_list_add(struct fc_cache *cache, enum fc_list list, enum fc_member member, u64 id)
{
	struct fc_lists *lists = cache->lists;
	struct entry *entry;
	unsigned int noio;
	int r;

	if (member == FC_MEMBER_GROUP && !group_exists(id))
		return -ENOENT;
	noio = memalloc_noio_save();
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	memalloc_noio_restore(noio);
	if (!entry)
		return -ENOMEM;
	entry->id = id;
	entry->list = list;
	entry->member = member;

	mutex_lock(&lists->mutex);
	r = add_locked(lists, entry);
	if (lists->limit[FC_LIST_DO_EXPIRY])
		mod_delayed_work(system_wq, &lists->expiry, 0);
	mutex_unlock(&lists->mutex);
	if (r)
		kfree(entry);
	return r == -EEXIST ? 0 : r;
}

/* 0, or -ENOENT if there is no such member.  Context: task; sleeps. */
int fc_list_del(struct fc_cache *cache, enum fc_list list, enum fc_member member, u64 id)
{
	struct fc_lists *lists = cache->lists;
	struct entry *entry;

	mutex_lock(&lists->mutex);
	entry = find_locked(lists, list, member, id);
	if (entry)
		remove_locked(lists, entry, FC_STAT_pid_dels);
	mutex_unlock(&lists->mutex);
	return entry ? 0 : -ENOENT;
}

/* Processes, groups, and the idle class.  Context: task; sleeps. */
void fc_list_del_all(struct fc_cache *cache, enum fc_list list)
{
	struct fc_lists *lists = cache->lists;
	struct entry *entry;
	struct entry *next;
	int member;

	mutex_lock(&lists->mutex);
	for (member = 0; member < FC_NR_MEMBERS; member++)
		list_for_each_entry_safe(entry, next, &lists->age[list][member], age)
			remove_locked(lists, entry, FC_STAT_pid_dels);
	mutex_unlock(&lists->mutex);
}

/* ---- sysctls --------------------------------------------------------------------------------- */

/* Context: any. */
unsigned int fc_list_get_limit(const struct fc_cache *cache, enum fc_list_limit which)
{
	return READ_ONCE(cache->lists->limit[which]);
}

/* 0, or -EINVAL if @value is out of range.  Context: task; sleeps. */
int fc_list_set_limit(struct fc_cache *cache, enum fc_list_limit which, unsigned int value)
{
	struct fc_lists *lists = cache->lists;
	int list;

	if (value < limits[which].low || value > limits[which].high)
		return -EINVAL;
	mutex_lock(&lists->mutex);
	WRITE_ONCE(lists->limit[which], value);
	for (list = 0; list < FC_NR_LISTS; list++)
		make_room_locked(lists, list, 0);
	mod_delayed_work(system_wq, &lists->expiry, 0);
	mutex_unlock(&lists->mutex);
	return 0;
}

/* ---- what is in them ------------------------------------------------------------------------- */

/*
 * The members of a list as "blacklist show" answers, oldest first, "group" before each group.
 * Returns the bytes printed.  Context: task; sleeps.
 */
unsigned int fc_list_print(struct fc_cache *cache, enum fc_list list, char *result,
			   unsigned int maxlen)
{
	static const char * const prefix[FC_NR_MEMBERS] = {
		[FC_MEMBER_PID] = "", [FC_MEMBER_GROUP] = "group ",
	};
	struct fc_lists *lists = cache->lists;
	const struct entry *entry;
	const char *space = "";
	unsigned int sz = 0;
	int member;

	mutex_lock(&lists->mutex);
	for (member = 0; member < FC_MEMBER_IDLE; member++) {
		list_for_each_entry(entry, &lists->age[list][member], age) {
			DMEMIT("%s%s%llu", space, prefix[member], entry->id);
			space = " ";
		}
	}
	if (lists->nr[list][FC_MEMBER_IDLE])
		DMEMIT("%sidle", space);
	mutex_unlock(&lists->mutex);
	return sz;
}

static void show_members(struct fc_lists *lists, struct seq_file *seq, enum fc_list list,
			 enum fc_member member)
{
	const struct entry *entry;

	list_for_each_entry(entry, &lists->age[list][member], age)
		seq_printf(seq, "%llu ", entry->id);
	seq_putc(seq, '\n');
}

/*
 * flashcache_pidlists: two lines as flashcache 3 had them, then groups and the idle class.
 * Context: task; sleeps.
 */
void fc_lists_show(struct fc_cache *cache, struct seq_file *seq)
{
	struct fc_lists *lists = cache->lists;
	int list;

	mutex_lock(&lists->mutex);
	for (list = 0; list < FC_NR_LISTS; list++) {
		seq_printf(seq, "%s: ", list_names[list]);
		show_members(lists, seq, list, FC_MEMBER_PID);
	}
	for (list = 0; list < FC_NR_LISTS; list++) {
		seq_printf(seq, "%s groups: ", list_names[list]);
		show_members(lists, seq, list, FC_MEMBER_GROUP);
	}
	seq_printf(seq, "%s idle: %u\n", list_names[FC_LIST_BLACK],
		   lists->nr[FC_LIST_BLACK][FC_MEMBER_IDLE]);
	mutex_unlock(&lists->mutex);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Context: task. */
int fc_lists_init(struct fc_cache *cache)
{
	struct fc_lists *lists = kvzalloc(sizeof(*lists), GFP_KERNEL);
	int i;

	if (!lists)
		return -ENOMEM;
	mutex_init(&lists->mutex);
	for (i = 0; i < FC_NR_LISTS * FC_NR_MEMBERS; i++)
		INIT_LIST_HEAD(&lists->age[i / FC_NR_MEMBERS][i % FC_NR_MEMBERS]);
	for (i = 0; i < FC_NR_LIST_LIMITS; i++)
		lists->limit[i] = limits[i].initial;
	INIT_DELAYED_WORK(&lists->expiry, expire);
	lists->cache = cache;
	cache->lists = lists;
	return 0;
}

/* No request comes any more.  Also after a missing fc_lists_init().  Context: task; sleeps. */
void fc_lists_exit(struct fc_cache *cache)
{
	int list;

	if (!cache->lists)
		return;
	for (list = 0; list < FC_NR_LISTS; list++)
		fc_list_del_all(cache, list);
	cancel_delayed_work_sync(&cache->lists->expiry);
	kvfree(cache->lists);
}
