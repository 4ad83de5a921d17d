// SPDX-License-Identifier: GPL-2.0-only
#include "fiber.h"

#ifdef __SANITIZE_ADDRESS__
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif

#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace sim {

namespace {

#ifdef SIM_ASAN
constexpr size_t kStackBytes = 512 * 1024;

void start_switch(void **fake_stack, const void *bottom, size_t size) {
    __sanitizer_start_switch_fiber(fake_stack, bottom, size);
}
void finish_switch(void *fake_stack, const void **bottom, size_t *size) {
    __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
}
void unpoison(void *stack) {
    __asan_unpoison_memory_region(stack, kStackBytes);
}
#else
constexpr size_t kStackBytes = 64 * 1024;

void start_switch(void **, const void *, size_t) {}
void finish_switch(void *, const void **, size_t *) {}
void unpoison(void *) {}
#endif

} // namespace

Fiber::Fiber() : stack_(new char[kStackBytes]) {}
Fiber::~Fiber() {
    unpoison(stack_.get());
}

void Fiber::start(std::function<void()> body) {
    if (!finished_) // it was abandoned
        unpoison(stack_.get());
    body_ = std::move(body);
    finished_ = false;
    locks_held = 0;
    fake_stack_ = nullptr;
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStackBytes;
    context_.uc_link = nullptr;
    makecontext(&context_, &Fiber::entry, 0);
    switch_in();
}

void Fiber::resume() {
    switch_in();
}

void Fiber::entry() {
    Fiber *self = current_;
    finish_switch(nullptr, &self->outside_bottom_, &self->outside_size_);
    self->body_();
    self->finished_ = true;
    self->switch_out();
}

void Fiber::switch_in() {
    void *fake_stack = nullptr;
    Fiber *outer = current_;
    current_ = this;
    start_switch(&fake_stack, stack_.get(), kStackBytes);
    swapcontext(&outside_, &context_);
    finish_switch(fake_stack, nullptr, nullptr);
    current_ = outer;
}

void Fiber::switch_out() {
    start_switch(finished_ ? nullptr : &fake_stack_, outside_bottom_, outside_size_);
    swapcontext(&context_, &outside_);
    finish_switch(fake_stack_, &outside_bottom_, &outside_size_);
}

Fiber::Stack Fiber::stack() const {
    const auto live = static_cast<uintptr_t>(context_.uc_mcontext.gregs[REG_RSP]);
    return {reinterpret_cast<const char *>(live), stack_.get(), stack_.get() + kStackBytes};
}

void Fiber::saved_registers(uint64_t (&to)[6]) const {
    const int kept[] = {REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15};
    for (int i = 0; i < 6; i++)
        to[i] = static_cast<uint64_t>(context_.uc_mcontext.gregs[kept[i]]);
}

void Fiber::yield() {
    current_->switch_out();
}

Fiber *FiberPool::get() {
    if (free_.empty()) {
        all_.push_back(std::make_unique<Fiber>());
        return all_.back().get();
    }
    Fiber *fiber = free_.back();
    free_.pop_back();
    return fiber;
}

void FiberPool::abandon_all() {
    free_.clear();
    for (auto &fiber : all_)
        free_.push_back(fiber.get());
}

} // namespace sim
