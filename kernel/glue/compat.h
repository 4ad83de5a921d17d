/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that are supported: 6.1 and 6.12 as Debian 12 ships them.
 * The only file that may look at the kernel's version; a feature is tested for itself where it
 * can be.
 */
#ifndef FLASHCACHE_COMPAT_H
#define FLASHCACHE_COMPAT_H

#include <linux/version.h>
#include <linux/dm-io.h>
#include <linux/ioprio.h>
#include <linux/slab.h>
#include <linux/sysctl.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "flashcache needs Linux 6.1 or newer"
#endif

/*
 * dm_io() got a fifth argument, the I/O priority, in 6.9 and in point releases of older series.
 */
typedef int (*fc_dm_io_4)(struct dm_io_request *request, unsigned int nr_regions,
			  struct dm_io_region *region, unsigned long *errors);
typedef int (*fc_dm_io_5)(struct dm_io_request *request, unsigned int nr_regions,
			  struct dm_io_region *region, unsigned long *errors,
			  unsigned short ioprio);

static inline int fc_call_dm_io_4(fc_dm_io_4 fn, struct dm_io_request *request,
				  struct dm_io_region *region)
{
	return fn(request, 1, region, NULL);
}

static inline int fc_call_dm_io_5(fc_dm_io_5 fn, struct dm_io_request *request,
				  struct dm_io_region *region)
{
	return fn(request, 1, region, NULL, IOPRIO_DEFAULT);
}

/* dm_io() of one region. */
#define fc_dm_io(request, region)				\
	_Generic(&dm_io,					\
		 fc_dm_io_4 : fc_call_dm_io_4,			\
		 fc_dm_io_5 : fc_call_dm_io_5)(&dm_io, request, region)

/*
 * Since 6.6 register_sysctl() is a macro around register_sysctl_sz(), which wants the number of
 * entries; before, an empty entry ends the table.  Callers give both.
 */
static inline struct ctl_table_header *
fc_register_sysctl(const char *path, struct ctl_table *table, size_t entries)
{
#ifdef register_sysctl
	return register_sysctl_sz(path, table, entries);
#else
	return register_sysctl(path, table);
#endif
}

/*
 * A slab of its own, which /proc/slabinfo shows by its name.  Before SLAB_NO_MERGE (6.5), what
 * keeps a slab apart without a cost is a part that may be copied to user space: here one byte.
 * (A constructor would, too, but mempools want none.)
 */
static inline struct kmem_cache *fc_slab_create(const char *name, unsigned int size,
						unsigned int align)
{
#ifdef SLAB_NO_MERGE
	return kmem_cache_create(name, size, align, SLAB_NO_MERGE, NULL);
#else
	return kmem_cache_create_usercopy(name, size, align, 0, 0, 1, NULL);
#endif
}

/* The table that a proc_handler gets is constant since 6.11. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
typedef const struct ctl_table fc_ctl_table;
#else
typedef struct ctl_table fc_ctl_table;
#endif

#endif
