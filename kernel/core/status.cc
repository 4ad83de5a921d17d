// SPDX-License-Identifier: GPL-2.0-only
#include "types.h"

FC_ENTRY const char *fc_status_text(int status)
{
	switch (static_cast<fc_status>(status)) {
	case FC_OK: return "success";
	case FC_EIO: return "a device reported an I/O error";
	case FC_ENOMEM: return "out of memory";
	case FC_EINTR: return "interrupted";
	case FC_ENOTSUPP: return "the device does not support this operation";
	case FC_E_NO_SUPERBLOCK: return "no flashcache superblock on the cache device; create a cache first";
	case FC_E_SUPERBLOCK_DAMAGED: return "both superblocks are damaged (checksum); the cache cannot be trusted";
	case FC_E_VERSION: return "the superblock has a format version that this release does not know";
	case FC_E_GEOMETRY: return "the superblock contradicts itself; it is damaged or hostile";
	case FC_E_CACHE_DEVICE_SIZE: return "the cache device is smaller than the cache on it or than asked for";
	case FC_E_ORIGIN_SIZE: return "the origin does not have the size recorded when the cache was created; attach the right one";
	case FC_E_ORIGIN_CHANGED: return "the origin was written to while the cache was detached; destroy the cache and create it anew";
	case FC_E_HOME_DAMAGED: return "the table of cache blocks is damaged (checksum); dirty blocks in it cannot be found";
	case FC_E_HOME_CONTRADICTION: return "the table of cache blocks contradicts itself; it is damaged or hostile";
	case FC_E_LOG_DAMAGED: return "the metadata log has lost units that were durable; the cache device is damaged";
	case FC_E_BLOCK_SIZE: return "the block size must be a power of two, at most 64 KiB and not below the cache device's logical block";
	case FC_E_WAYS: return "the associativity must be a power of two from 2 to 8192 blocks";
	case FC_E_EXTENT: return "the disk associativity must be a power of two and not above the associativity";
	case FC_E_MODE: return "unknown cache mode";
	case FC_E_UNIT: return "the cache device's logical block must be 512 or 4096 bytes";
	case FC_E_TOO_SMALL: return "the cache device is too small for metadata and one set of blocks";
	case FC_E_BELOW_ONE_SET: return "the cache size asked for does not hold one set of blocks; use a larger size or a smaller associativity";
	case FC_E_TOO_LARGE: return "too many blocks; use a larger block size";
	case FC_E_SUPERBLOCK_CHANGED: return "the superblock changed after the table was loaded; load the table again";
	}
	return "unknown error";
}
