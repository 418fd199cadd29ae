/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refusal.h"

#include "scan.h"

#include <string.h>

#define INDENT "    "

/* Moves *at behind the line, and returns its length without the newline. */
static size_t skip_line(const char **at) {
    size_t len = strcspn(*at, "\n");

    *at += len;
    *at += **at == '\n';
    return len;
}

/* "3086.214406 memnotify: there is no meter of that name" */
static int take_reason(const char **at, const char *name, struct refusal *refusal) {
    const char *reason = *at, *line = *at;
    size_t len = skip_line(at);
    int64_t time_us;

    if (scan_seconds(&reason, &time_us) < 0 || !scan_text(&reason, " ") || !scan_text(&reason, name) ||
        !scan_text(&reason, ": "))
        return -1;
    len -= (size_t)(reason - line);
    if (len >= sizeof refusal->reason)
        len = sizeof refusal->reason - 1;
    memset(refusal, 0, sizeof *refusal);
    memcpy(refusal->reason, reason, len);
    return 0;
}

/* The line that shows the text, if all of it, and the one that points there. */
static void take_column(const char **at, const char *text, struct refusal *refusal) {
    if (!scan_text(at, INDENT) || !scan_text(at, text) || !scan_text(at, "\n" INDENT))
        return;
    refusal->column = (unsigned)strspn(*at, " ") + 1;
}

void refusal_find(const char *shown, const char *name, const char *text, struct refusal *ret) {
    memset(ret, 0, sizeof *ret);
    while (*shown)
        if (take_reason(&shown, name, ret) == 0)
            take_column(&shown, text, ret);
}
