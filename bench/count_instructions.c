// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG (plugin API 1): how many instructions the guest has executed, by the address
 * where the translated block begins.  When the machine ends, "ADDRESS COUNT" lines (hexadecimal,
 * decimal) go to the file that is given as out=FILE.
 *
 * Debian's QEMU can load plugins but has no package with qemu-plugin.h: what is used of it stands here.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translated)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*ended)(qemu_plugin_id_t, void *), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, enum qemu_plugin_op op,
                                              void *counter, uint64_t amount);

EXPORT int qemu_plugin_version = 1;

/* Counters are never moved: translated code adds to them directly. */
struct counter {
    uint64_t address;
    uint64_t instructions;
    struct counter *next;
};
enum { HASH_BITS = 20 };
static struct counter *counters[1 << HASH_BITS];
static FILE *out;

static struct counter *counter_of(uint64_t address)
{
    struct counter **head = &counters[(address * 0x9e3779b97f4a7c15ull) >> (64 - HASH_BITS)];
    struct counter *counter;

    for (counter = *head; counter; counter = counter->next)
        if (counter->address == address)
            return counter;
    counter = calloc(1, sizeof(*counter));
    if (!counter)
        abort();
    counter->address = address;
    counter->next = *head;
    *head = counter;
    return counter;
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64,
                                             &counter_of(qemu_plugin_tb_vaddr(block))->instructions,
                                             qemu_plugin_tb_n_insns(block));
}

static void machine_ended(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    for (size_t i = 0; i < 1u << HASH_BITS; i++)
        for (struct counter *counter = counters[i]; counter; counter = counter->next)
            if (counter->instructions)
                fprintf(out, "%llx %llu\n", (unsigned long long)counter->address,
                        (unsigned long long)counter->instructions);
    fclose(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "out=", 4) == 0)
            out = fopen(argv[i] + 4, "w");
    if (!out) {
        fprintf(stderr, "count_instructions: out=FILE is missing, or cannot be written\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_atexit_cb(id, machine_ended, NULL);
    return 0;
}
