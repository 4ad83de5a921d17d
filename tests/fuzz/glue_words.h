// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <vector>

// The words of a table line or message, as device-mapper gives them to a target.
std::vector<std::string> split_words(const std::string &line);

// Words as C has them; they may be written to, and are gone with the object.
class Arguments {
public:
    explicit Arguments(std::vector<std::string> words) : words_(std::move(words)) {
        for (std::string &word : words_)
            pointers_.push_back(word.data());
        pointers_.push_back(nullptr);
    }
    unsigned argc() const { return static_cast<unsigned>(words_.size()); }
    char **argv() { return pointers_.data(); }

private:
    std::vector<std::string> words_;
    std::vector<char *> pointers_;
};
