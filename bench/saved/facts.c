/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *who;
static volatile sig_atomic_t is_over;

static void end(int number) {
    (void)number;
    is_over = 1;
}

void facts_init(const char *name) {
    struct sigaction action = { .sa_handler = end };

    who = name;
    sigaction(SIGUSR2, &action, NULL);
}

bool facts_is_over(void) {
    return is_over;
}

void facts_say(const char *format, ...) {
    char line[512];
    int64_t now = facts_now_us();
    int len = snprintf(line, sizeof line, "%.3f %s ", now / 1e6, who);
    va_list arguments;

    va_start(arguments, format);
    len += vsnprintf(line + len, sizeof line - len - 1, format, arguments);
    va_end(arguments);
    line[len++] = '\n';
    if (write(STDOUT_FILENO, line, len) < 0)
        exit(EXIT_FAILURE);
}

void facts_ready(void) {
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/tmp/ready.%s", who);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        facts_die(path);
    close(fd);
    facts_say("ready");
}

void facts_die(const char *what) {
    facts_say("fails: %s: %s", what, strerror(errno));
    exit(EXIT_FAILURE);
}

int64_t facts_now_us(void) {
    struct timespec time;

    clock_gettime(CLOCK_BOOTTIME, &time);
    return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

void facts_sleep_until_us(int64_t time) {
    struct timespec until = { time / 1000000, time % 1000000 * 1000 };

    clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL);
}

long facts_number(const char *text) {
    char *end_of_number;
    long number = strtol(text, &end_of_number, 10);

    if (*text == '\0' || *end_of_number != '\0' || number < 0) {
        errno = EINVAL;
        facts_die(text);
    }
    return number;
}

char *facts_map(size_t size) {
    char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        facts_die("cannot map memory");
    madvise(start, size, MADV_NOHUGEPAGE);
    return start;
}

void facts_fill(char *start, size_t size) {
    static uint64_t noise = 88172645463325252;

    for (size_t page = 0; page < size; page += FACTS_PAGE)
        for (size_t i = 0; i < FACTS_PAGE / 4; i += sizeof noise) {
            noise ^= noise << 13; /* Marsaglia's xorshift: emulated CPUs are slow */
            noise ^= noise >> 7;
            noise ^= noise << 17;
            memcpy(start + page + i, &noise, sizeof noise);
        }
}
