// SPDX-License-Identifier: GPL-2.0-only
// The one source of chance: the same seed makes the same history on every machine.  Who wants
// to say by himself what happens (explorer.h) derives from it and decides in below().
#ifndef FLASHCACHE_TESTS_SIM_RNG_H
#define FLASHCACHE_TESTS_SIM_RNG_H

#include <cstdint>

namespace sim {

class Rng {
public:
    explicit Rng(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 0x632be59bd9b4e019ull) {}
    virtual ~Rng() = default;

    // splitmix64
    uint64_t next() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }

    // 0..n-1; 0 for n = 0
    virtual uint64_t below(uint64_t n) {
        return n ? static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64) : 0;
    }

    // low..high, both included
    uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }

    bool one_in(uint64_t n) { return below(n) == 0; }
    bool coin() { return below(2) != 0; }
    bool per_mille(unsigned int p) { return below(1000) < p; }
    // Does another CPU come in between here?
    virtual bool preempts(unsigned int p) { return per_mille(p); }

    template <typename T, unsigned long N> T pick(const T (&choices)[N]) {
        return choices[below(N)];
    }

private:
    uint64_t state_;
};

} // namespace sim

#endif
