// SPDX-License-Identifier: GPL-2.0-only
//
// What a unit of the log on the device says (docs/ON_SSD_FORMAT.md), for recovery and for the tools.
// config: as the superblock that is believed has it; seed: unit_seed(config); at: one unit's bytes,
// aligned to 8.  None of it is trusted.  Any context.
#pragma once

#include "checksum.h"
#include "geometry.h"

namespace fc {

inline const fc_disk_log_header &log_header(const void *at)
{
	return *static_cast<const fc_disk_log_header *>(at);
}

// A unit of this cache, of any time.
inline bool log_unit_is_whole(const Config &config, u32 seed, const void *at)
{
	const fc_disk_log_header &h = log_header(at);
	return h.magic == FC_DISK_LOG_MAGIC &&
	       h.crc == crc_without_field(seed, at, config.unit_bytes, offsetof(fc_disk_log_header, crc));
}

// A unit of the superblock's activation, with numbers that make sense.
inline bool log_unit_counts(const Config &config, u32 seed, const void *at)
{
	const fc_disk_log_header &h = log_header(at);
	return h.epoch == config.epoch && h.count <= log_records_per_unit(config.unit_bytes) &&
	       h.confirmed < h.sequence && h.durable < h.sequence && log_unit_is_whole(config, seed, at);
}

// A unit of an activation that the superblock knows nothing of.
inline bool log_unit_is_later(const Config &config, u32 seed, const void *at)
{
	return log_header(at).epoch > config.epoch && log_unit_is_whole(config, seed, at);
}

// The unit of this sequence does not stand at its place.  Was it never written?  Then the place holds
// what was there before: an older unit, or, until the log has gone round once, the zeros of the format.
// A device writes units whole or not at all, so anything else is damage.
inline bool log_unit_was_never_written(const Config &config, u32 seed, const void *at, u64 sequence)
{
	const fc_disk_log_header &h = log_header(at);
	if (log_unit_is_whole(config, seed, at))
		return h.sequence % config.log_units == sequence % config.log_units &&
		       (h.epoch < config.epoch || (h.epoch == config.epoch && h.sequence < sequence));
	const char *byte = static_cast<const char *>(at);
	const char *const end = byte + config.unit_bytes;
	while (byte < end && !*byte)
		byte++;
	return byte == end && sequence <= config.log_units;
}

} // namespace fc
