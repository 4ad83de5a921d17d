// SPDX-License-Identifier: GPL-2.0-only
//
// The life of a cache whose metadata the fuzzer has had in its hands: load, use, stop, load again.
#pragma once

#include "image.h"

// Probe and open what stands on the SSD.  It must be refused, and the SSD left as it is, or be
// loaded as the format's description says (model.h); then whatever the rest of input asks for is
// done to it, and no read may ever see other data than were there or were written.
// Both disks are as they were at first when it returns.
void live(Pair &pair, Input &input);
