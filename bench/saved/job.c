/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* job NAME MIB MIB_PER_S: a job that is begun in the background. It takes MIB at that rate, then goes over all of it and
 * ends with 0. With 0 MIB it is a leak: it takes memory until it is stopped. What it has taken it says every 32 MiB. */
#include "facts.h"

#include <stdlib.h>

#define MOST_MIB 65536
#define SAID_MIB 32

static void *parts[MOST_MIB]; /* a MiB each */

static void go_over(long n) {
    long sum = 0;

    for (long i = 0; i < n && !facts_is_over(); i++)
        for (size_t at = 0; at < FACTS_MIB; at += FACTS_PAGE)
            sum += *((volatile char *)parts[i] + at);
    facts_say("has gone over it: %ld", sum);
}

int main(int argc, char **argv) {
    long most, rate, n = 0;
    int64_t next = facts_now_us();

    if (argc != 4)
        facts_die("usage: job NAME MIB MIB_PER_S");
    facts_init(argv[1]);
    most = facts_number(argv[2]) ? facts_number(argv[2]) : MOST_MIB;
    rate = facts_number(argv[3]);
    facts_ready();

    while (n < most && !facts_is_over()) {
        parts[n] = facts_map(FACTS_MIB);
        facts_fill(parts[n], FACTS_MIB);
        if (++n % SAID_MIB == 0)
            facts_say("has %ld MiB", n);
        next += 1000000 / rate;
        if (next < facts_now_us())
            next = facts_now_us(); /* who was held up does not hurry afterwards */
        facts_sleep_until_us(next);
    }
    go_over(n);
    facts_say("done with %ld MiB", n);
    return 0;
}
