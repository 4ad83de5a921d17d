// SPDX-License-Identifier: GPL-2.0-only
//
// Lines: the table line as the module parses and prints it (kernel/glue/table.c itself), the line
// that the tools make, the command lines of the tools.
extern "C" {
#include "glue.h"
}

#include "error.h"
#include "glue_words.h"
#include "input.h"
#include "kernel_log.h"
#include "options.h"
#include "table_line.h"
#include "text.h"

// No line is applied here.
extern "C" int fc_policy_adopt(fc_cache *, fc_core *, int) {
    return 0;
}

namespace {

// 0 as fc_table_parse(); what it promises is checked.
int parse(Arguments &arguments, fc_table &table) {
    char *error = nullptr;
    table = {};
    const int bad = fc_table_parse(&table, arguments.argc(), arguments.argv(), &error);
    require(bad ? bad == -EINVAL && error && *error : !error, "a refusal without a sentence, or a sentence without one");
    if (bad)
        return bad;
    const std::size_t length = strnlen(table.name, sizeof(table.name));
    require(length > 0 && length < sizeof(table.name) && !std::strchr(table.name, '/') && !fc_has_control(table.name), "name");
    require(strnlen(table.origin_id, sizeof(table.origin_id)) < sizeof(table.origin_id) &&
                !fc_has_control(table.origin_id), "origin_id");
    require(table.line_mode >= 1 && table.line_mode <= 3 && table.persistence <= FC_PERSIST_FORCE, "mode");
    require(table.block_size <= 128 && table.assoc <= 8192 && table.disk_assoc <= 1 << 20, "sizes");
    for (unsigned i = 0; i < fc_nr_tunable_names; i++) {
        unsigned low, high;
        require(fc_setting_range(fc_tunable_names[i].tunable, &low, &high) == 0, "an option without a range");
        require(!(table.options_given & BIT_ULL(i)) ||
                    (fc_tunable_names[i].option && table.option[i] >= low && table.option[i] <= high), "option");
    }
    return 0;
}

// What is printed into little room ends where the room does.
void check_truncation(const fc_target &target, const std::string &whole, unsigned room) {
    std::vector<char> result(room, 'x');
    const unsigned n = fc_table_print(&target, result.data(), room);
    require(n < room && whole.compare(0, n, result.data(), n) == 0, "a line in little room");
}

// A line that was printed loads the same cache.
void round_trip(const fc_table &table, unsigned room) {
    fc_cache cache = {};
    cache.config.block_sectors = 8;
    cache.config.nr_blocks = 4096;
    cache.config.ways_per_set = 512;
    cache.config.extent_blocks = 64;
    cache.config.unit_bytes = 512;
    dm_dev origin = {"8:16"}, ssd = {"8:32"};
    fc_target target = {};
    target.cache = &cache;
    target.dev[FC_DEV_CACHE] = &ssd;
    target.dev[FC_DEV_ORIGIN] = &origin;
    target.table = table;
    char line[4096];
    const unsigned n = fc_table_print(&target, line, sizeof(line));
    require(n < sizeof(line), "a line without an end");
    Arguments again(split_words(std::string(line, n)));
    fc_table read;
    require(parse(again, read) == 0, "a printed line is refused");
    require(!std::strcmp(read.disk_path, "8:16") && !std::strcmp(read.ssd_path, "8:32"), "devices");
    require(!std::strcmp(read.name, table.name) && !std::strcmp(read.origin_id, table.origin_id), "a printed text differs");
    require(fc_table_mode(&read) == fc_table_mode(&table) && read.persistence == FC_PERSIST_LOAD, "a printed mode differs");
    require(read.options_given == table.options_given &&
                !std::memcmp(read.option, table.option, sizeof(read.option)), "a printed option differs");
    check_truncation(target, std::string(line, n), room);
}

void module_line(Input &input) {
    const unsigned room = 1 + input.byte();
    Arguments arguments(split_words(input.bytes(input.left())));
    fc_table table;
    if (parse(arguments, table) == 0)
        round_trip(table, room);
}

// No text that the tools take may mean something else to the module.
void tools_line(Input &input) {
    tools::Table line;
    line.mode = 1 + input.byte() % 4;
    line.cache_name = input.until('\n');
    line.ssd_path = "/" + input.until('\n');
    line.disk_path = "/" + input.bytes(input.left());
    for (const std::string &text : {line.cache_name, line.ssd_path, line.disk_path})
        if (text.find('\0') != std::string::npos)
            return; // arguments and file names have none
    try {
        tools::check_cache_name(line.cache_name);
    } catch (const tools::Error &) {
        return;
    }
    Arguments arguments(split_words(tools::table_arguments(line)));
    fc_table table;
    require(parse(arguments, table) == 0, "the module refuses the tools' line");
    require(table.disk_path == line.disk_path && table.ssd_path == line.ssd_path && table.name == line.cache_name,
            "the module reads the tools' line otherwise");
    require(fc_table_mode(&table) == static_cast<int>(line.mode) && table.persistence == FC_PERSIST_LOAD, "mode");
}

template <typename Parser> void command_line(Input &input, Parser parser) {
    std::vector<std::string> words = {"tool"};
    while (!input.empty())
        words.push_back(input.until('\n'));
    for (std::string &word : words)
        word = word.substr(0, word.find('\0'));
    Arguments arguments(words);
    try {
        parser(static_cast<int>(arguments.argc()), arguments.argv());
    } catch (const tools::Error &error) {
        require(*error.what() != '\0' && error.exit_status() == tools::kExitUsage, "a refusal without a reason");
    } catch (const tools::Answer &) {
    }
}

bool is_power_or_0(std::uint64_t value) {
    return (value & (value - 1)) == 0;
}

void create_command(int argc, const char *const *argv) {
    const tools::CreateOptions options = tools::parse_create_options(argc, argv);
    require(is_power_or_0(options.block_sectors) && options.block_sectors <= 128, "-b");
    require(is_power_or_0(options.associativity) && options.associativity <= 8192, "-a");
    require(is_power_or_0(options.disk_associativity_sectors), "-d");
    require(options.cache_sectors <= ~0ull >> 9, "-s");
    require(options.mode >= FC_MODE_WRITE_BACK && options.mode <= FC_MODE_WRITE_ONLY, "-p");
    tools::check_cache_name(options.cache_name);
}

void load_command(int argc, const char *const *argv) {
    const tools::LoadOptions options = tools::parse_load_options(argc, argv);
    require(options.mode <= FC_MODE_WRITE_ONLY, "-p");
}

void kernel_log_record(Input &input) {
    const std::string found = tools::complaint_in_record(input.bytes(input.left()), "flashcache");
    for (const char c : found)
        require(c >= 0x20 && c < 0x7f, "not fit for a terminal");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input(data, size);
    switch (input.byte()) {
    case 't':
        tools_line(input);
        break;
    case 'c':
        command_line(input, create_command);
        break;
    case 'l':
        command_line(input, load_command);
        break;
    case 'k':
        kernel_log_record(input);
        break;
    default:
        module_line(input);
        break;
    }
    return 0;
}
