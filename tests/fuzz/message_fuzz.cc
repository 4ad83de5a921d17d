// SPDX-License-Identifier: GPL-2.0-only
//
// Messages and sysctls: kernel/glue/message.c and sysctl.c themselves, on a cache that is open and
// in use, in any order.
extern "C" {
#include "glue.h"
#include <linux/sysctl.h>
}

#include "glue_words.h"
#include "image.h"
#include "platform.h"

// ---- the rest of the glue, as far as these files call it

static ctl_table *g_sysctls; // what fc_sysctl_add() registered
static unsigned g_zeroed;

extern "C" {

ctl_table_header *register_sysctl(const char *, ctl_table *table) {
    g_sysctls = table;
    return reinterpret_cast<ctl_table_header *>(table);
}

void unregister_sysctl_table(ctl_table_header *) {
    g_sysctls = nullptr;
}

void fc_stats_zero(fc_cache *) {
    g_zeroed++;
}

// One number, as proc_douintvec() of the kernel reads and prints it.
int proc_douintvec(ctl_table *table, int write, void *buffer, std::size_t *length, loff_t *position) {
    if (!*length || (*position && !write)) {
        *length = 0;
        return 0;
    }
    if (!write) {
        char text[16];
        const int n = std::snprintf(text, sizeof(text), "%u\n", *static_cast<unsigned *>(table->data));
        *length = std::min(*length, static_cast<std::size_t>(n));
        std::memcpy(buffer, text, *length);
    } else {
        const std::vector<std::string> words = split_words(std::string(static_cast<char *>(buffer), *length));
        unsigned value;
        if (*position)
            return 0;
        if (words.empty() || kstrtouint(words[0].c_str(), 10, &value))
            return -EINVAL;
        *static_cast<unsigned *>(table->data) = value;
    }
    *position += static_cast<loff_t>(*length);
    return 0;
}

} // extern "C"

namespace {

void check_tunables(fc_core *core) {
    for (unsigned i = 0; i < fc_nr_tunable_names; i++) {
        const fc_tunable_name &name = fc_tunable_names[i];
        const unsigned now = fc_core_tuned(core, name.tunable);
        require(now >= name.min && now <= name.max, "a tunable is out of its range");
    }
}

// The limits that the glue says are those of the core.
void check_limits(fc_core *core) {
    for (unsigned i = 0; i < fc_nr_tunable_names; i++) {
        const fc_tunable_name &name = fc_tunable_names[i];
        const unsigned before = fc_core_tuned(core, name.tunable);
        require(fc_core_tune(core, name.tunable, name.max) == 0 && fc_core_tune(core, name.tunable, name.max + 1) == -1 &&
                    fc_core_tune(core, name.tunable, name.min) == 0 &&
                    (name.min == 0 || fc_core_tune(core, name.tunable, name.min - 1) == -1),
                "glue and core have other limits");
        fc_core_tune(core, name.tunable, before);
    }
}

void message(fc_cache &cache, const std::string &text) {
    const std::vector<std::string> words = split_words(text);
    if (words.empty())
        return; // device-mapper refuses them itself
    Arguments arguments(words);
    fc_target target = {};
    target.cache = &cache;
    dm_target ti = {&target};
    char result[64];
    const int r = fc_message(&ti, arguments.argc(), arguments.argv(), result, sizeof(result));
    const bool known = !strcasecmp(words[0].c_str(), "sync") || !strcasecmp(words[0].c_str(), "stop_sync") ||
                       !strcasecmp(words[0].c_str(), "clear_errors");
    require((r == 0) == (known && words.size() == 1), "a message is taken that is none, or refused");
}

void write_sysctl(fc_cache &cache, unsigned index, const std::string &text) {
    ctl_table *file = g_sysctls;
    for (unsigned i = 0; i < index && file[1].procname; i++)
        file++;
    std::vector<char> buffer(text.begin(), text.end()); // of exactly this size
    std::size_t length = buffer.size();
    loff_t position = 0;
    file->proc_handler(file, 1, buffer.data(), &length, &position);
    check_tunables(cache.core);
    char shown[16];
    length = sizeof(shown);
    position = 0;
    require(file->proc_handler(file, 0, shown, &length, &position) == 0 && length > 1 && shown[length - 1] == '\n',
            "a sysctl cannot be read");
}

void use(Platform &platform, fc_cache &cache, Input &input) {
    check_limits(cache.core);
    for (int i = 0; i < 24 && !input.empty(); i++) {
        const unsigned char what = input.byte();
        const fc_u64 block = what % (cache.config.origin_sectors / cache.config.block_sectors);
        char data[16 * kSector] = {};
        const int op = what & 0x20 ? FC_OP_WRITE : FC_OP_READ;
        if (what & 0x80)
            write_sysctl(cache, what % 16, input.until('\n'));
        else if (what & 0x40)
            message(cache, input.until('\n'));
        else
            require(platform.transfer(op, block * cache.config.block_sectors, cache.config.block_sectors, data) == FC_OK,
                    "a request failed");
        platform.pass(what);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input(data, size);
    Pair &pair = pair_of(input.byte(), false);
    {
        Platform platform(pair.ssd, pair.origin);
        fc_cache cache = {};
        cache.config = pair.config;
        require(platform.probe(cache.config) == FC_OK && platform.open(cache.config) == FC_OK, "no cache");
        cache.core = platform.core();
        fc_sysctl_add(&cache);
        require(g_sysctls, "no sysctls");
        use(platform, cache, input);
        fc_sysctl_remove(&cache);
        require(!g_sysctls, "sysctls are left");
        platform.crash();
    }
    pair.ssd.reset();
    pair.origin.reset();
    return 0;
}
