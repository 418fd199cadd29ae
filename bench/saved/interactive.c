/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* interactive ANON_MIB FILE: a program that a person works with. Every 30 ms it is asked for something, and for the answer
 * it needs an eighth of its working set: of ANON_MIB of memory, and of FILE, which it has mapped as programs have their
 * code. How late each answer was it keeps in mind, and says at the end; those later than 100 ms, which a person notices,
 * it also says at once. Who is late is asked again 30 ms after his answer. */
#include "facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PERIOD_US 30000
#define NOTICED_US 100000
#define PARTS 8
#define MOST_ANSWERS 65536

typedef struct Part {
    volatile char *start;
    size_t size;
} Part;

static int32_t delays[MOST_ANSWERS];

static Part map_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    char *start = size <= 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (start == MAP_FAILED)
        facts_die(path);
    return (Part){ start, size };
}

static void use(const Part *set, unsigned part, bool writes) {
    size_t size = set->size / PARTS / FACTS_PAGE * FACTS_PAGE;

    for (size_t at = part * size; at < (part + 1) * size; at += FACTS_PAGE)
        if (writes)
            set->start[at]++;
        else
            (void)set->start[at];
}

static int compare(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int n = 0, n_noticed = 0;
    Part file, memory;
    int64_t due;

    facts_init("interactive");
    if (argc != 3)
        facts_die("usage: interactive ANON_MIB FILE");
    file = map_file(argv[2]);
    memory.size = facts_number(argv[1]) * FACTS_MIB;
    memory.start = facts_map(memory.size);
    facts_fill((char *)memory.start, memory.size);
    for (unsigned part = 0; part < PARTS; part++)
        use(&file, part, false);
    facts_ready();

    due = facts_now_us();
    while (!facts_is_over() && n < MOST_ANSWERS) {
        facts_sleep_until_us(due += PERIOD_US);
        if (facts_is_over())
            break;
        use(&memory, n % PARTS, true);
        use(&file, n % PARTS, false);
        delays[n] = facts_now_us() - due;
        if (delays[n] > NOTICED_US) {
            n_noticed++;
            facts_say("late %d us", delays[n]);
        }
        if (delays[n++] > PERIOD_US)
            due = facts_now_us();
    }
    qsort(delays, n, sizeof *delays, compare);
    facts_say("answers %d noticed %d median %d p99 %d worst %d us", n, n_noticed, delays[n / 2], delays[n * 99L / 100],
              delays[n - 1]);
    return 0;
}
