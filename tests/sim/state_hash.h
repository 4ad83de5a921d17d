// SPDX-License-Identifier: GPL-2.0-only
// A number for the state of a world, the same for states that cannot be told apart.
//
// Objects may lie anywhere in memory: a word that points into one of them counts as the number of
// the object, in the order in which objects are come upon, and the offset in it.
#ifndef FLASHCACHE_TESTS_SIM_STATE_HASH_H
#define FLASHCACHE_TESTS_SIM_STATE_HASH_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sim {

class StateHash {
public:
    struct Object {
        uintptr_t begin, end;
        int kind;
        void *owner;
        uint64_t number; // 0: not come upon yet
    };

    void know(int kind, const void *at, size_t bytes, void *owner);
    void all_known(); // between know() and the rest

    void value(uint64_t v) {
        hash_ = (hash_ ^ v) * 0x9e3779b97f4a7c15ull;
        hash_ ^= hash_ >> 29;
    }
    // A pointer, or anything else.  @stale: pointers to where objects were are all the same (nobody
    // may follow them).
    void word(uint64_t w, bool stale = false);
    void pointer(const void *at) { word(reinterpret_cast<uintptr_t>(at)); }
    // Memory that may hold pointers.
    void memory(const void *at, size_t bytes, bool stale = false);
    // The next object that was come upon and not asked for yet; null: none is left.
    const Object *next();
    uint64_t result() const { return hash_; }

private:
    std::vector<Object> objects_; // by address
    std::vector<Object *> found_;
    size_t asked_ = 0;
    uintptr_t low_ = ~0ull, high_ = 0;
    uint64_t hash_ = 1;
};

} // namespace sim

#endif
