// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "types.h"

namespace fc {

// CRC-32C of size bytes, from seed on, with the 4 bytes at crc_offset taken as zero.
inline u32 crc_without_field(u32 seed, const void *bytes, u32 size, u32 crc_offset)
{
	const u32 zero = 0;
	const char *p = static_cast<const char *>(bytes);
	u32 crc = fc_os_crc32c(seed, p, crc_offset);
	crc = fc_os_crc32c(crc, &zero, sizeof(zero));
	return fc_os_crc32c(crc, p + crc_offset + 4, size - crc_offset - 4);
}

} // namespace fc
