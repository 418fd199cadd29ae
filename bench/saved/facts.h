/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs of the load have in common: they take memory, and say what happens to them as facts, a line each:
 * "SECONDS NAME WHAT...", by CLOCK_BOOTTIME, so that the lines of all can be put in order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACTS_MIB (1UL << 20)
#define FACTS_PAGE 4096UL

/* `name` is what facts are told of. SIGUSR2 asks for the end from now on; whoever else ends us does so by killing. */
void facts_init(const char *name);
bool facts_is_over(void);

/* One line, in one piece. */
void facts_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says "ready", also to saved-inside, which waits for the file /tmp/ready.NAME. */
void facts_ready(void);
__attribute__((noreturn)) void facts_die(const char *what);

int64_t facts_now_us(void);
void facts_sleep_until_us(int64_t time);

/* A whole number that is an argument. */
long facts_number(const char *text);

/* Memory in small pages, not taken yet. */
char *facts_map(size_t size);

/* Takes it. A quarter of each page is noise, so that it can be compressed to about a third, as memory of programs often can. */
void facts_fill(char *start, size_t size);
