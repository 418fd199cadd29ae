/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* monitor: what the machine looks like, from a process that is kept in memory and that nobody kills. Twice a second it says
 * "beat" with totals: without them for some seconds the machine is dead, whatever comes later. It says "exhausted" once:
 * when the kernel has killed for lack of memory, or when free memory and free swap together have come below the sum of the
 * zones' min watermarks, from which on only those who free memory get any. */
#include "facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOOK_US 20000
#define LOOKS_PER_BEAT 25

typedef struct Machine {
    long free_kib, available_kib, swap_free_kib;
    long swapped_in, swapped_out, oom_kills, major_faults;
    long some_us, full_us;
} Machine;

static char text[65536];

static const char *contents(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : 0, n;

    while (len >= 0 && (n = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += n;
    if (len < 0)
        facts_die(path);
    text[len] = '\0';
    close(fd);
    return text;
}

/* The number after `key`, which begins a line. */
static long number_after(const char *lines, const char *key) {
    for (size_t len = strlen(key); lines; lines = strchr(lines, '\n'), lines = lines ? lines + 1 : NULL)
        if (strncmp(lines, key, len) == 0)
            return strtol(lines + len, NULL, 10);
    facts_die(key);
}

static long stall(const char *lines, const char *kind) {
    const char *line = strstr(lines, kind), *total = line ? strstr(line, "total=") : NULL;

    if (!total)
        facts_die(kind);
    return atol(total + strlen("total="));
}

/* "        min      1234" of each zone, in pages. */
static long min_watermarks_kib(void) {
    long sum = 0;

    for (const char *at = contents("/proc/zoneinfo"); (at = strstr(at, "\n        min ")); at++)
        sum += atol(at + strlen("\n        min "));
    return sum * (long)(FACTS_PAGE / 1024);
}

static Machine look(void) {
    Machine self;
    const char *lines = contents("/proc/meminfo");

    self.free_kib = number_after(lines, "MemFree:");
    self.available_kib = number_after(lines, "MemAvailable:");
    self.swap_free_kib = number_after(lines, "SwapFree:");
    lines = contents("/proc/vmstat");
    self.swapped_in = number_after(lines, "pswpin ");
    self.swapped_out = number_after(lines, "pswpout ");
    self.major_faults = number_after(lines, "pgmajfault ");
    self.oom_kills = number_after(lines, "oom_kill ");
    lines = contents("/proc/pressure/memory");
    self.some_us = stall(lines, "some ");
    self.full_us = stall(lines, "full ");
    return self;
}

static void keep_ourselves(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "-1000", 5) != 5 || mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        facts_die("cannot stay in memory");
    close(fd);
}

int main(void) {
    bool is_exhausted = false;
    long min_kib, memory_kib, swap_kib;
    int64_t next;

    facts_init("monitor");
    keep_ourselves();
    min_kib = min_watermarks_kib();
    memory_kib = number_after(contents("/proc/meminfo"), "MemTotal:");
    swap_kib = number_after(text, "SwapTotal:");
    facts_say("min watermarks %ld KiB, memory %ld KiB, swap %ld KiB", min_kib, memory_kib, swap_kib);
    facts_ready();
    next = facts_now_us();
    for (int n = 0; !facts_is_over(); n++) {
        Machine now = look();

        if (!is_exhausted && (now.oom_kills > 0 || now.free_kib + now.swap_free_kib < min_kib)) {
            is_exhausted = true;
            facts_say("exhausted %s", now.oom_kills > 0 ? "kill" : "watermarks");
        }
        if (n % LOOKS_PER_BEAT == 0)
            facts_say("beat available %ld swap_free %ld swapped_in %ld swapped_out %ld major_faults %ld some_us %ld "
                      "full_us %ld oom_kills %ld",
                      now.available_kib, now.swap_free_kib, now.swapped_in, now.swapped_out, now.major_faults,
                      now.some_us, now.full_us, now.oom_kills);
        facts_sleep_until_us(next += LOOK_US);
    }
    return 0;
}
