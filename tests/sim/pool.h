// SPDX-License-Identifier: GPL-2.0-only
// Objects that are handed out and taken back one by one, or all at once when the power fails.
// Each is allocated on its own, so that AddressSanitizer sees a use after its end.
#ifndef FLASHCACHE_TESTS_SIM_POOL_H
#define FLASHCACHE_TESTS_SIM_POOL_H

#include <cstddef>
#include <memory>
#include <vector>

namespace sim {

// T has a member size_t pool_index.
template <typename T> class Pool {
public:
    T *get() {
        all_.push_back(std::make_unique<T>());
        all_.back()->pool_index = all_.size() - 1;
        return all_.back().get();
    }
    bool owns(const T *object) const {
        return object->pool_index < all_.size() && all_[object->pool_index].get() == object;
    }
    void put(T *object) {
        const size_t i = object->pool_index;
        std::swap(all_[i], all_.back());
        all_[i]->pool_index = i;
        all_.pop_back();
    }
    void clear() { all_.clear(); }
    size_t size() const { return all_.size(); }
    bool empty() const { return all_.empty(); }
    T *operator[](size_t i) const { return all_[i].get(); }

private:
    std::vector<std::unique_ptr<T>> all_;
};

} // namespace sim

#endif
