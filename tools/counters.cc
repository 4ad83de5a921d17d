// SPDX-License-Identifier: GPL-2.0-only
#include "counters.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "error.h"
#include "text.h"

namespace tools {

Counters::Counters(const std::string &text) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos)
            continue;
        std::uint64_t value = 0;
        const char *const end = word.data() + word.size();
        const auto [stop, error] = std::from_chars(word.data() + equals + 1, end, value);
        if (error == std::errc() && stop == end)
            values_[word.substr(0, equals)] = value;
    }
}

std::uint64_t Counters::operator[](const std::string &name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? 0 : found->second;
}

std::vector<std::string> running_caches(const std::string &root) {
    std::vector<std::string> caches;
    std::error_code error;
    for (const auto &entry : std::filesystem::directory_iterator(root, error))
        if (entry.is_directory(error))
            caches.push_back(entry.path().filename());
    std::sort(caches.begin(), caches.end());
    return caches;
}

Counters read_counters(const std::string &root, const std::string &cache) {
    std::ifstream file(root + "/" + cache + "/flashcache_stats");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.empty())
        refuse("the cache {} does not run (any more)", printable(cache));
    return Counters(text);
}

} // namespace tools
