// SPDX-License-Identifier: GPL-2.0-only
#include "state_hash.h"

#include <algorithm>
#include <cstring>

namespace sim {

void StateHash::know(int kind, const void *at, size_t bytes, void *owner) {
    const auto begin = reinterpret_cast<uintptr_t>(at);
    objects_.push_back({begin, begin + bytes, kind, owner, 0});
    low_ = std::min(low_, begin);
    high_ = std::max(high_, begin + bytes);
}

void StateHash::all_known() {
    std::sort(objects_.begin(), objects_.end(),
              [](const Object &a, const Object &b) { return a.begin < b.begin; });
}

void StateHash::word(uint64_t w, bool stale) {
    if (w < low_ || w >= high_) {
        value(w);
        return;
    }
    auto after = std::upper_bound(objects_.begin(), objects_.end(), w,
                                  [](uint64_t v, const Object &o) { return v < o.begin; });
    if (after == objects_.begin() || w >= (--after)->end) {
        value(stale ? 0 : w);
        return;
    }
    if (!after->number) {
        found_.push_back(&*after);
        after->number = found_.size();
    }
    value(after->number << 32 | static_cast<uint64_t>(after->kind));
    value(w - after->begin);
}

void StateHash::memory(const void *at, size_t bytes, bool stale) {
    const auto *p = static_cast<const char *>(at);
    for (; bytes >= 8; bytes -= 8, p += 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        word(w, stale);
    }
    uint64_t rest = 0;
    if (bytes) // p may be null
        memcpy(&rest, p, bytes);
    value(rest);
}

const StateHash::Object *StateHash::next() {
    return asked_ < found_.size() ? found_[asked_++] : nullptr;
}

} // namespace sim
