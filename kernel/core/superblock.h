// SPDX-License-Identifier: GPL-2.0-only
//
// The two superblocks.  They are written in turns (sequence % 2), so that one is always whole.
#pragma once

#include "types.h"

namespace fc {

// Fill config from a superblock image and check every field.  Sizes in config are the devices'
// real ones and are compared.  FC_OK or FC_E_*.
[[nodiscard]] fc_status decode_superblock(const fc_disk_superblock &disk, Config &config);

// What changes from one superblock to the next; the rest is config.
struct SuperblockState {
	u64 sequence;
	u64 epoch;
	u64 log_tail;
	u32 flags;
	u32 mode;
	u32 origin_fingerprint;
};

// Write the superblock of state.sequence and make it durable.  scratch: 4096 bytes.  Task; sleeps.
[[nodiscard]] fc_status write_superblock(void *os, const Config &config,
					 const SuperblockState &state, void *scratch);

// CRC-32C of the cache's UUID: the seed of every home and log unit's checksum.
u32 unit_seed(const Config &config);

} // namespace fc
