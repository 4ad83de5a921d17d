/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The on-SSD format, version 1.  docs/ON_SSD_FORMAT.md explains it with a worked example.
 *
 *	byte 0                superblock A      one unit, in a 4 KiB slot of its own
 *	byte 4096             superblock B
 *	home_offset_sectors   home table        home_units units of fc_disk_home_slot
 *	log_offset_sectors    log               log_units units, circular
 *	data_offset_sectors   cache blocks      aligned to 1 MiB
 *
 * A *unit* is unit_bytes (512 or 4096) long: one logical block of the cache device, which the
 * device writes whole or not at all.  Everything is little-endian.  Every checksum is CRC-32C
 * over the whole unit (the superblock: over its 512 bytes, the rest of the unit is zero) with the
 * crc field taken as zero; those of home and log units start from
 * the CRC-32C of the cache's UUID, so that a unit of another cache is never believed.
 *
 * Nothing here may be trusted when it was read from a device: the core checks every field.
 */
#ifndef FLASHCACHE_UAPI_FORMAT_H
#define FLASHCACHE_UAPI_FORMAT_H

#define FC_DISK_MAGIC "flashcache-sb-1"		/* 16 bytes with its final zero */
#define FC_DISK_VERSION 1u
#define FC_DISK_SUPERBLOCK_BYTES 512u
#define FC_DISK_SUPERBLOCK_A_SECTOR 0u
#define FC_DISK_SUPERBLOCK_B_SECTOR 8u
#define FC_DISK_HOME_MAGIC 0x55484346u		/* "FCHU" */
#define FC_DISK_LOG_MAGIC 0x474c4346u		/* "FCLG" */
#define FC_DISK_UUID_BYTES 16
#define FC_DISK_NAME_BYTES 64
#define FC_DISK_PATH_BYTES 112
#define FC_DISK_ID_BYTES 112

/* fc_disk_superblock.flags */
#define FC_DISK_FLAG_CLEAN 1u		/* orderly stop: home table is complete, clean slots are trusted */
#define FC_DISK_FLAG_FINGERPRINT 2u	/* origin_fingerprint is valid (orderly stop only) */

/* States of a slot, in home slots and log records. */
#define FC_DISK_INVALID 0u
#define FC_DISK_CLEAN 1u
#define FC_DISK_DIRTY 2u

struct fc_disk_superblock {
	unsigned char magic[16];
	unsigned int version;
	unsigned int crc;
	unsigned long long sequence;		/* the valid superblock with the higher one holds */
	unsigned long long epoch;		/* of the log; raised at each activation */
	unsigned int flags;
	unsigned int mode;			/* 1 write-back, 2 write-through, 3 write-around, 4 write-only */
	unsigned char cache_uuid[FC_DISK_UUID_BYTES];
	unsigned long long cache_device_sectors;	/* size of the cache device at creation */
	unsigned long long origin_sectors;	/* size of the origin at creation */
	unsigned int unit_bytes;		/* 512 or 4096 */
	unsigned int block_sectors;		/* power of two, 1..128 */
	unsigned int ways_per_set;		/* 2..8192 */
	unsigned int extent_blocks;		/* neighbouring blocks placed in one set; power of two */
	unsigned long long nr_sets;
	unsigned long long home_offset_sectors;
	unsigned long long home_units;
	unsigned long long log_offset_sectors;
	unsigned long long log_units;
	unsigned long long data_offset_sectors;
	unsigned long long log_tail;		/* sequence of the oldest log unit that recovery needs */
	unsigned long long created_s;		/* seconds since 1970; 0: unknown */
	unsigned int origin_fingerprint;	/* hash of samples of the origin at the orderly stop */
	unsigned int reserved0;
	unsigned char cache_name[FC_DISK_NAME_BYTES];	/* device-mapper name, zero-terminated */
	unsigned char origin_path[FC_DISK_PATH_BYTES];	/* zero-terminated; a hint only */
	unsigned char origin_id[FC_DISK_ID_BYTES];	/* "<kind>:<value>", zero-terminated; "" unknown */
	unsigned char reserved1[56];
};

struct fc_disk_home_header {
	unsigned int magic;
	unsigned int crc;
	unsigned int index;			/* number of this unit in the table */
	unsigned int reserved;
};

struct fc_disk_home_slot {
	unsigned long long origin_block;
	unsigned char state;
	unsigned char referenced;		/* 1: used since the replacement hand last passed */
	unsigned char reserved[6];
};

struct fc_disk_log_header {
	unsigned int magic;
	unsigned int crc;
	unsigned long long epoch;
	unsigned long long sequence;		/* one per unit, never reused; place = sequence % log_units */
	unsigned long long confirmed;		/* every DIRTY record up to this unit has its data durable */
	unsigned long long durable;		/* every unit up to this one was durable when this was written */
	unsigned int count;			/* records that follow */
	unsigned int reserved;
};

struct fc_disk_log_record {
	unsigned int slot;			/* cache block number */
	unsigned int data_crc;			/* DIRTY: CRC-32C of the whole block */
	unsigned long long origin_block_state;	/* bits 0..55 origin block, 56..63 state */
};

#define FC_DISK_ORIGIN_BLOCK_BITS 56
#define FC_DISK_ORIGIN_BLOCK_MASK ((1ull << FC_DISK_ORIGIN_BLOCK_BITS) - 1)

#ifdef __cplusplus
#define FC_DISK_ASSERT(cond) static_assert(cond)
#else
#define FC_DISK_ASSERT(cond) _Static_assert(cond, #cond)
#endif
#define FC_DISK_OFFSET(type, field, at) FC_DISK_ASSERT(__builtin_offsetof(struct type, field) == (at))

FC_DISK_ASSERT(sizeof(struct fc_disk_superblock) == FC_DISK_SUPERBLOCK_BYTES);
FC_DISK_OFFSET(fc_disk_superblock, version, 16);
FC_DISK_OFFSET(fc_disk_superblock, crc, 20);
FC_DISK_OFFSET(fc_disk_superblock, sequence, 24);
FC_DISK_OFFSET(fc_disk_superblock, epoch, 32);
FC_DISK_OFFSET(fc_disk_superblock, flags, 40);
FC_DISK_OFFSET(fc_disk_superblock, mode, 44);
FC_DISK_OFFSET(fc_disk_superblock, cache_uuid, 48);
FC_DISK_OFFSET(fc_disk_superblock, cache_device_sectors, 64);
FC_DISK_OFFSET(fc_disk_superblock, origin_sectors, 72);
FC_DISK_OFFSET(fc_disk_superblock, unit_bytes, 80);
FC_DISK_OFFSET(fc_disk_superblock, block_sectors, 84);
FC_DISK_OFFSET(fc_disk_superblock, ways_per_set, 88);
FC_DISK_OFFSET(fc_disk_superblock, extent_blocks, 92);
FC_DISK_OFFSET(fc_disk_superblock, nr_sets, 96);
FC_DISK_OFFSET(fc_disk_superblock, home_offset_sectors, 104);
FC_DISK_OFFSET(fc_disk_superblock, home_units, 112);
FC_DISK_OFFSET(fc_disk_superblock, log_offset_sectors, 120);
FC_DISK_OFFSET(fc_disk_superblock, log_units, 128);
FC_DISK_OFFSET(fc_disk_superblock, data_offset_sectors, 136);
FC_DISK_OFFSET(fc_disk_superblock, log_tail, 144);
FC_DISK_OFFSET(fc_disk_superblock, created_s, 152);
FC_DISK_OFFSET(fc_disk_superblock, origin_fingerprint, 160);
FC_DISK_OFFSET(fc_disk_superblock, cache_name, 168);
FC_DISK_OFFSET(fc_disk_superblock, origin_path, 232);
FC_DISK_OFFSET(fc_disk_superblock, origin_id, 344);
FC_DISK_OFFSET(fc_disk_superblock, reserved1, 456);

FC_DISK_ASSERT(sizeof(struct fc_disk_home_header) == 16);
FC_DISK_OFFSET(fc_disk_home_header, crc, 4);
FC_DISK_OFFSET(fc_disk_home_header, index, 8);
FC_DISK_ASSERT(sizeof(struct fc_disk_home_slot) == 16);
FC_DISK_OFFSET(fc_disk_home_slot, state, 8);
FC_DISK_OFFSET(fc_disk_home_slot, referenced, 9);
FC_DISK_ASSERT(sizeof(struct fc_disk_log_header) == 48);
FC_DISK_OFFSET(fc_disk_log_header, epoch, 8);
FC_DISK_OFFSET(fc_disk_log_header, sequence, 16);
FC_DISK_OFFSET(fc_disk_log_header, confirmed, 24);
FC_DISK_OFFSET(fc_disk_log_header, durable, 32);
FC_DISK_OFFSET(fc_disk_log_header, count, 40);
FC_DISK_ASSERT(sizeof(struct fc_disk_log_record) == 16);
FC_DISK_OFFSET(fc_disk_log_record, data_crc, 4);
FC_DISK_OFFSET(fc_disk_log_record, origin_block_state, 8);

#endif
