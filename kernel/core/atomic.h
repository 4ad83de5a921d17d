// SPDX-License-Identifier: GPL-2.0-only
//
// Words that several CPUs read or change without a common lock.
#pragma once

namespace fc {

// Counters and flags that others act upon: in one order for all.
template <typename T>
inline void atomic_add(T &counter, T n)
{
	__atomic_fetch_add(&counter, n, __ATOMIC_SEQ_CST);
}

template <typename T>
inline T atomic_sub(T &counter, T n)		// returns what is left
{
	return __atomic_sub_fetch(&counter, n, __ATOMIC_SEQ_CST);
}

template <typename T>
inline T atomic_load(const T &value)
{
	return __atomic_load_n(&value, __ATOMIC_SEQ_CST);
}

template <typename T>
inline void atomic_store(T &value, T now)
{
	__atomic_store_n(&value, now, __ATOMIC_SEQ_CST);
}

template <typename T>
inline T atomic_exchange(T &value, T now)	// returns what was there
{
	return __atomic_exchange_n(&value, now, __ATOMIC_SEQ_CST);
}

// Settings, gauges and hints: whole, but in no order with anything else.  As cheap as a plain word.
template <typename T>
inline T peek(const T &value)
{
	return __atomic_load_n(&value, __ATOMIC_RELAXED);
}

template <typename T, typename V>
inline void post(T &value, V now)
{
	__atomic_store_n(&value, static_cast<T>(now), __ATOMIC_RELAXED);
}

} // namespace fc
