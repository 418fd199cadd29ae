/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cache NAME MIB HOW: a program that holds results which it could compute again. While it is told that memory is short (telling.h
 * says how) it gives back a quarter of its size every 100 ms; when it has not been for two seconds it computes them again, a
 * sixty-fourth every 100 ms. In the meantime it is asked for what it has. It says when it was told, and at the end what of its work
 * was lost. */
#include "facts.h"
#include "telling.h"

#include <stdlib.h>
#include <sys/mman.h>

#define STEP_MS 100
#define QUIET_US 2000000
#define GIVES 4
#define TAKES 64
#define LOOKUPS 64

typedef struct Cache {
    char *start;
    size_t size, held;
    size_t lost, computed; /* since it was full for the first time */
} Cache;

static void give_back(Cache *self) {
    size_t part = self->size / GIVES < self->held ? self->size / GIVES : self->held;

    self->held -= part;
    self->lost += part;
    if (part > 0 && madvise(self->start + self->held, part, MADV_DONTNEED) < 0)
        facts_die("madvise");
}

static void compute(Cache *self) {
    size_t part = self->size / TAKES < self->size - self->held ? self->size / TAKES : self->size - self->held;

    facts_fill(self->start + self->held, part);
    self->held += part;
    self->computed += part;
}

static void look_up(const Cache *self) {
    size_t pages = self->held / FACTS_PAGE;

    for (int i = 0; i < LOOKUPS && pages > 0; i++)
        (void)*(volatile char *)(self->start + rand() % pages * FACTS_PAGE);
}

static void serve(Cache *self, bool is_short, int64_t since) {
    if (is_short)
        give_back(self);
    else if (facts_now_us() - since > QUIET_US && self->held < self->size)
        compute(self);
    look_up(self);
}

int main(int argc, char **argv) {
    Cache self = { 0 };
    bool is_short = false;
    int64_t since, next;

    if (argc != 4)
        facts_die("usage: cache NAME MIB HOW");
    facts_init(argv[1]);
    self.size = self.held = facts_number(argv[2]) * FACTS_MIB;
    self.start = facts_map(self.size);
    facts_fill(self.start, self.size);
    telling_init(argv[3]);
    facts_ready();

    for (since = next = facts_now_us(); !facts_is_over();) {
        int64_t now = facts_now_us();
        bool was_short = is_short;

        is_short = telling_wait(next > now ? (next - now) / 1000 : 0);
        now = facts_now_us();
        if (is_short != was_short) {
            since = now;
            facts_say(is_short ? "told" : "no longer told");
        }
        if (now >= next || (is_short && !was_short)) { /* who is told does not let that wait */
            serve(&self, is_short, since);
            next = now + STEP_MS * INT64_C(1000);
        }
    }
    facts_say("lost %zu MiB computed %zu MiB", self.lost / FACTS_MIB, self.computed / FACTS_MIB);
    return 0;
}
