/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heap MIB: a program that knows nothing of memory's end. It has had MIB of small blocks from malloc(), of which it has
 * freed three quarters, so that the allocator has as much, in holes between those that are left. These it checks again and
 * again. */
#include "facts.h"

#include <stdlib.h>

#define BLOCK 1024
#define WORDS (BLOCK / sizeof(uint64_t))
#define RUN 32  /* blocks: they live and die in company, as parts of one thing do; holes have whole pages */
#define KEEPS 4 /* one run of so many is kept */
#define LOOK_US 100000
#define LOOKS 64 /* after so many it has checked everything */

/* A quarter of it is noise, as in facts_fill(). */
static uint64_t word(size_t block, size_t i) {
    return i < WORDS / 4 ? (block * WORDS + i) * UINT64_C(0x9e3779b97f4a7c15) : block;
}

static void fill(uint64_t *words, size_t block) {
    for (size_t i = 0; i < WORDS; i++)
        words[i] = word(block, i);
}

static bool is_intact(const uint64_t *words, size_t block) {
    for (size_t i = 0; i < WORDS; i++)
        if (words[i] != word(block, i))
            return false;
    return true;
}

static uint64_t **make_holes(size_t n) {
    uint64_t **blocks = calloc(n, sizeof *blocks);

    if (!blocks)
        facts_die("no memory");
    for (size_t i = 0; i < n; i++) {
        blocks[i] = malloc(BLOCK);
        if (!blocks[i])
            facts_die("no memory");
        fill(blocks[i], i);
    }
    for (size_t i = 0; i < n - 1; i++) /* the last one is at the top, which free() would give back */
        if (i / RUN % KEEPS != 0) {
            free(blocks[i]);
            blocks[i] = NULL;
        }
    return blocks;
}

int main(int argc, char **argv) {
    uint64_t **blocks;
    size_t n, look = 0;
    int64_t next;

    facts_init("heap");
    if (argc != 2)
        facts_die("usage: heap MIB");
    n = facts_number(argv[1]) * FACTS_MIB / BLOCK;
    blocks = make_holes(n);
    facts_ready();

    for (next = facts_now_us(); !facts_is_over(); look++) {
        for (size_t i = look % LOOKS; i < n; i += LOOKS)
            if (blocks[i] && !is_intact(blocks[i], i)) {
                facts_say("damaged");
                return EXIT_FAILURE;
            }
        facts_sleep_until_us(next += LOOK_US);
    }
    facts_say("intact, checked %zu times", look / LOOKS);
    return 0;
}
