/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of <linux/...> as kernel/glue's table.c, settings.c, message.c and sysctl.c need to be compiled in
 * user space: what they read from users is fuzzed as it ships.  Numbers and white space are
 * understood as the kernel does; the rest are names.
 */
#ifndef FLASHCACHE_FAKE_KERNEL_H
#define FLASHCACHE_FAKE_KERNEL_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

typedef unsigned char u8;
typedef unsigned long long u64;
typedef unsigned int blk_opf_t;
typedef u8 blk_status_t;
typedef int spinlock_t, mempool_t, wait_queue_head_t, atomic_t;

#define __percpu
#define ____cacheline_aligned_in_smp
#define SECTOR_SHIFT 9
#define PAGE_SIZE 4096
#define BLK_STS_OK 0
#define BLK_STS_NOTSUPP 1
#define BLK_STS_RESOURCE 9
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))
#define BIT_ULL(n) (1ull << (n))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define container_of(at, type, member) ((type *)((char *)(at) - offsetof(type, member)))
#define hweight64(word) ((unsigned int)__builtin_popcountll(word))
#define is_power_of_2(n) ((n) != 0 && ((n) & ((n) - 1)) == 0)
#define READ_ONCE(at) (at)
#define smp_load_acquire(at) __atomic_load_n(at, __ATOMIC_ACQUIRE)

struct list_head { struct list_head *next, *prev; };
struct mutex { int unused; };
struct work_struct { int unused; };
struct delayed_work { int unused; };
struct bio_set { int unused; };
struct ratelimit_state { int unused; };
struct bvec_iter { int unused; };
struct dm_dev { char name[16]; };
struct bio;
struct dm_target {
#ifdef __cplusplus
	void *private_data;	/* "private" is a word of C++ */
#else
	void *private;
#endif
};

/* ---- messages -------------------------------------------------------------------------------- */

/* As device-mapper prints: nothing beyond the end, and the number of bytes that are there. */
int fake_print(char *result, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define DMEMIT(...) (sz += sz >= maxlen ? 0 : (unsigned int)fake_print(result + sz, maxlen - sz, __VA_ARGS__))
#define DMERR(...) ((void)fake_print(NULL, 0, __VA_ARGS__))

/* ---- text ------------------------------------------------------------------------------------ */

#ifndef __cplusplus
#define isspace(c) fake_isspace((unsigned char)(c))
#define iscntrl(c) ((unsigned char)(c) < 0x20 || (unsigned char)(c) == 0x7f)
#endif
static inline bool fake_isspace(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

int kstrtou64(const char *text, unsigned int base, u64 *result);
int kstrtouint(const char *text, unsigned int base, unsigned int *result);
ssize_t strscpy(char *to, const char *from, size_t size);

/* ---- memory, sysctls ------------------------------------------------------------------------- */

#define GFP_KERNEL 0
#define kcalloc(n, size, flags) calloc(n, size)
#define kfree(memory) free(memory)
char *kasprintf(int flags, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The older of the two kernels, whose declarations are the simpler ones. */
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 0)
#define IOPRIO_DEFAULT 0
struct dm_io_request;
struct dm_io_region;
int dm_io(struct dm_io_request *request, unsigned int n, struct dm_io_region *region, unsigned long *errors);
struct kmem_cache;
struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
					      unsigned int flags, unsigned int offset,
					      unsigned int usersize, void (*constructor)(void *));

struct ctl_table;
typedef int proc_handler(struct ctl_table *table, int write, void *buffer, size_t *length, loff_t *position);
struct ctl_table {
	const char *procname;
	void *data;
	int maxlen;
	unsigned short mode;
	proc_handler *proc_handler;
	void *extra1;
};
int proc_douintvec(struct ctl_table *table, int write, void *buffer, size_t *length, loff_t *position);
struct ctl_table_header *register_sysctl(const char *path, struct ctl_table *table);
void unregister_sysctl_table(struct ctl_table_header *header);

#endif
