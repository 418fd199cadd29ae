// SPDX-License-Identifier: LGPL-2.1-or-later
// The life of a C++ program: churn MIB THREADS. Each thread fills a std::map with strings of many lengths, replaces as many
// at random, and erases all but one in fifty. Then it says "ready" and ends with its standard input. What is left lies
// scattered over the heap, with free memory in between. The same numbers in each run.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr size_t MEAN_BYTES = 700; // of a string; with the tree's node and the allocator's part of it about 800
constexpr unsigned KEPT_ONE_IN = 50;

class Life {
  public:
    explicit Life(unsigned seed) : random_(seed) {
    }

    void fill(size_t n) {
        for (size_t i = 0; i < n; i++)
            map_[i] = text();
        for (size_t i = 0; i < n; i++)
            map_[random_() % n] = text();
    }

    void shrink() {
        for (auto it = map_.begin(); it != map_.end();)
            it = random_() % KEPT_ONE_IN ? map_.erase(it) : std::next(it);
    }

  private:
    // Most are short, some long: as names, lines and documents are.
    std::string text() {
        size_t bytes = static_cast<size_t>(std::exponential_distribution<>(1.0 / MEAN_BYTES)(random_));
        return std::string(bytes + 1, 'x');
    }

    std::mt19937 random_;
    std::map<size_t, std::string> map_;
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 3) {
        std::fputs("usage: churn MIB THREADS\n", stderr);
        return 2;
    }

    size_t n_threads = std::strtoul(argv[2], nullptr, 10);
    size_t n = (std::strtoul(argv[1], nullptr, 10) << 20) / (MEAN_BYTES + 100) / n_threads;
    std::vector<Life> lives;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < n_threads; i++)
        lives.emplace_back(i);
    for (auto &life : lives)
        threads.emplace_back([&life, n] { life.fill(n); });
    for (auto &thread : threads)
        thread.join();
    for (auto &life : lives)
        life.shrink();

    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF)
        ;
    return 0;
}
