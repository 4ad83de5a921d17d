// SPDX-License-Identifier: GPL-2.0-only
//
// Runs a fuzzer's function on files and directories of files, with any compiler.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace {

void run(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size());
}

} // namespace

int main(int argc, char **argv) {
    unsigned runs = 0;
    for (int i = 1; i < argc; i++) {
        if (std::filesystem::is_directory(argv[i])) {
            for (const auto &entry : std::filesystem::directory_iterator(argv[i]))
                runs++, run(entry.path());
        } else if (std::filesystem::exists(argv[i])) {
            runs++, run(argv[i]);
        }
    }
    std::printf("%u inputs\n", runs);
    return runs ? 0 : 1;
}
