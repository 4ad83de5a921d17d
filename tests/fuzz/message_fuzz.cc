// SPDX-License-Identifier: GPL-2.0-only
//
// Messages and sysctls: kernel/glue/message.c and sysctl.c themselves, on a cache that is open and
// in use, in any order.
extern "C" {
#include "glue.h"
#include <linux/sysctl.h>
}

#include <set>
#include <utility>

#include "glue_words.h"
#include "image.h"
#include "platform.h"

// ---- the rest of the glue, as far as these files call it

static ctl_table *g_sysctls; // what fc_sysctl_add() registered
static unsigned g_zeroed;
static void *g_policy_memory; // what fc_policy_adopt() gave the core
static std::set<std::pair<fc_member, u64>> g_members[FC_NR_LISTS];
static unsigned g_limits[FC_NR_LIST_LIMITS];

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

void fc_latency_record(fc_cache *cache, bool on) {
    cache->times_io = on;
}

int fc_policy_adopt(fc_cache *, fc_core *core, int policy) {
    if (fc_core_gauge(core, FC_GAUGE_POLICY) == static_cast<fc_u64>(policy))
        return 0;
    const fc_u64 bytes = fc_core_policy_bytes(core, policy);
    void *memory = bytes ? std::calloc(1, bytes) : nullptr;
    void *unused = fc_core_set_policy(core, policy, memory);
    if (unused != memory)
        g_policy_memory = memory;
    std::free(unused);
    return 0;
}

// The lists: who is in them, and nothing else.
int fc_list_add(fc_cache *, fc_list list, fc_member member, u64 id) {
    require(id || member == FC_MEMBER_IDLE, "nobody is added to a list");
    require(member != FC_MEMBER_PID || id <= FC_LIST_MAX_PID, "no pid is that large");
    g_members[list].insert({member, id});
    return 0;
}

int fc_list_del(fc_cache *, fc_list list, fc_member member, u64 id) {
    return g_members[list].erase({member, id}) ? 0 : -ENOENT;
}

void fc_list_del_all(fc_cache *, fc_list list) {
    g_members[list].clear();
}

unsigned fc_list_print(fc_cache *, fc_list list, char *result, unsigned room) {
    return static_cast<unsigned>(fake_print(result, room, "%zu", g_members[list].size()));
}

unsigned fc_list_get_limit(const fc_cache *, fc_list_limit which) {
    return g_limits[which];
}

int fc_list_set_limit(fc_cache *, fc_list_limit which, unsigned value) {
    g_limits[which] = value;
    return 0;
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
        const int setting = fc_tunable_names[i].tunable;
        const unsigned now = fc_setting_get(core, setting);
        unsigned low, high;
        require(fc_setting_range(setting, &low, &high) == 0 && now >= low && now <= high, "a tunable is out of its range");
    }
}

// The limits that are told are those that hold.
void check_limits(fc_cache &cache) {
    for (unsigned i = 0; i < fc_nr_tunable_names; i++) {
        const int setting = fc_tunable_names[i].tunable;
        const auto set = [&](unsigned value) { return fc_setting_set(&cache, cache.core, setting, value); };
        const unsigned before = fc_setting_get(cache.core, setting);
        unsigned low, high;
        fc_setting_range(setting, &low, &high);
        require(set(high) == 0 && set(high + 1) == -EINVAL && set(low) == 0 && (low == 0 || set(low - 1) == -EINVAL),
                "the limits are others");
        set(before);
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
    char result[64] = "";
    const int r = fc_message(&ti, arguments.argc(), arguments.argv(), result, sizeof(result));
    require((r == 1) == (*result != '\0'), "an answer that nobody gets, or none where one is promised");
    if (!strcasecmp(words[0].c_str(), "blacklist") || !strcasecmp(words[0].c_str(), "whitelist")) {
        require(r == 0 || r == 1 || r == -EINVAL || r == -ENOENT, "a message to a list ends otherwise");
        return;
    }
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
    check_limits(cache);
    for (int i = 0; i < 24 && !input.empty(); i++) {
        const unsigned char what = input.byte();
        const fc_u64 block = what % (cache.config.origin_sectors / cache.config.block_sectors);
        char data[16 * kSector] = {};
        const int op = what & 0x20 ? FC_OP_WRITE : FC_OP_READ;
        if (what & 0x80)
            write_sysctl(cache, what % 32, input.until('\n'));
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
    std::free(g_policy_memory);
    g_policy_memory = nullptr;
    for (auto &members : g_members)
        members.clear();
    pair.ssd.reset();
    pair.origin.reset();
    return 0;
}
