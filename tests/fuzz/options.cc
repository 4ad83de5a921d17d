// SPDX-License-Identifier: GPL-2.0-only
//
// How the sanitizers of a fuzzer are set: so little is allocated at a time that a small quarantine
// finds every use after free, and a large one costs more than the work itself.
extern "C" const char *__asan_default_options();

extern "C" const char *__asan_default_options() {
    return "quarantine_size_mb=4:malloc_context_size=6";
}
