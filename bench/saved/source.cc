// SPDX-License-Identifier: LGPL-2.1-or-later
// What the build of the row `saved-build` compiles, again and again: an ordinary file, most of which is the standard library's.
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

int main() {
    std::map<std::string, std::vector<std::string>> words;
    std::unordered_map<int, std::function<std::string(int)>> makers;
    std::istringstream text("there is a word, and another");

    for (std::string word; text >> word;)
        words[word].push_back(word);
    makers[1] = [](int n) { return std::to_string(n); };
    for (const auto &[word, list] : words)
        std::cout << word << list.size() << makers[1](2) << "\n";
    return 0;
}
