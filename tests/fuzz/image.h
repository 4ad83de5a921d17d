// SPDX-License-Identifier: GPL-2.0-only
//
// Small caches on SSDs, with dirty blocks in the home table and in the log, written from
// docs/ON_SSD_FORMAT.md and uapi/format.h; and what the fuzzer changes in them.
#pragma once

#include "disk.h"

// A cache and its disk.
struct Pair {
    fc_config config; // as it was planned
    Disk ssd, origin;
};

// One of a few shapes.  clean: stopped in order, so that only the home table counts; else the log
// counts, too.  The same pair is given out again and again: reset both disks after use.
Pair &pair_of(unsigned char shape, bool clean);

// The number of the block that has this tag in the slot's set.
fc_u64 block_of(const fc_config &config, unsigned slot, unsigned tag);

// Which units of the metadata may be changed.
enum class Area { superblock, home, log, data };

// Where unit number i of an area lies; numbers wrap around.
fc_u64 unit_sector(const fc_config &config, Area area, fc_u64 i);

// Make the checksum of the unit right, if it looks like one of its area.
void seal(Pair &pair, Area area, fc_u64 i);

// Overlay bytes from input over a unit of an area, at a place from input; returns the unit.
fc_u64 overlay(Pair &pair, Area area, Input &input);

// A slot of the home table, or a log unit at or behind the oldest one, that makes some sense:
// numbers from input, block and slot in one set.  Not sealed; return the unit.
fc_u64 put_slot(Pair &pair, Input &input);
fc_u64 put_log_unit(Pair &pair, Input &input);
