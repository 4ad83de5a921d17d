/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the bugs that is C++, as flashcache's core is. */
#ifndef FLASHCACHE_BUGS_H
#define FLASHCACHE_BUGS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Write the byte at an index that only the caller knows. */
void bugs_write(unsigned char *at, unsigned long index);
unsigned int bugs_shift(unsigned int value, unsigned int by);
/* Add one, without a lock. */
void bugs_count(unsigned int *counter);

#ifdef __cplusplus
}
#endif

#endif
