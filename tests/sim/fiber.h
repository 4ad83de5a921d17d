// SPDX-License-Identifier: GPL-2.0-only
// A thread of control that runs until it yields, and that can be abandoned: so a power cut ends
// what was waiting inside the core without the core knowing.
#ifndef FLASHCACHE_TESTS_SIM_FIBER_H
#define FLASHCACHE_TESTS_SIM_FIBER_H

#include <functional>
#include <memory>
#include <ucontext.h>
#include <vector>

namespace sim {

class Fiber {
public:
    Fiber();
    ~Fiber();
    Fiber(const Fiber &) = delete;

    // Both return when the fiber yields or ends.
    void start(std::function<void()> body);
    void resume();

    static void yield(); // from inside of a fiber
    static Fiber *current() { return current_; }
    bool finished() const { return finished_; }
    // Of one that yielded: the part of its stack that is in use, and all of it.
    struct Stack {
        const char *live;
        const char *begin, *end;
    };
    Stack stack() const;
    // The registers that a yield keeps.
    void saved_registers(uint64_t (&to)[6]) const;

    // What may be done in it; for the checks of the world.
    bool may_submit = false;
    bool may_sleep = false;
    void *local = nullptr;
    unsigned int locks_held = 0;

private:
    static void entry();
    void switch_in();
    void switch_out();

    static inline Fiber *current_ = nullptr;
    std::unique_ptr<char[]> stack_;
    ucontext_t context_{}, outside_{};
    std::function<void()> body_;
    bool finished_ = true;
    void *fake_stack_ = nullptr;
    [[maybe_unused]] void *outside_fake_stack_ = nullptr; // ASan builds only
    const void *outside_bottom_ = nullptr;
    size_t outside_size_ = 0;
};

class FiberPool {
public:
    Fiber *get();
    void put(Fiber *fiber) { free_.push_back(fiber); }
    void abandon_all();
    const std::vector<std::unique_ptr<Fiber>> &all() const { return all_; }

private:
    std::vector<std::unique_ptr<Fiber>> all_;
    std::vector<Fiber *> free_;
};

} // namespace sim

#endif
