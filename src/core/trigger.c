/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pressure-stall trigger: its text, and its window.
 *
 * The window slides as the kernel's does: what was stalled since it began, and of what was stalled in the window before
 * the share that still lies within its length. Unlike the kernel's it takes no time that is longer than its length
 * for a window. An event is due once that reaches the threshold, and comes at most once a window; what is reached in
 * between is an event when the window is over. */
#include "trigger.h"

#include <errno.h>
#include <string.h>

#define TEXT_BYTES_MAX 31

/* The kernel's isspace(), for which the no-break space of Latin-1 is one. */
static gboolean is_blank(char c) {
    return c != '\0' && strchr(" \t\n\v\f\r\xa0", c);
}

static void skip_blanks(const char **at, const char *end) {
    while (*at < end && is_blank(**at))
        ++*at;
}

/* Wraps around, as the kernel's does. */
static int parse_number(const char **at, const char *end, guint32 *ret) {
    guint32 number = 0;
    const char *digit;

    skip_blanks(at, end);
    for (digit = *at; digit < end && g_ascii_isdigit(*digit); digit++)
        number = number * 10 + (guint32)(*digit - '0');
    if (digit == *at)
        return -EINVAL;

    *at = digit;
    *ret = number;
    return 0;
}

static int parse_kind(const char **at, const char *end, MnStallKind *ret) {
    for (guint kind = 0; kind < MN_N_STALLS; kind++) {
        gsize len = strlen(mn_stall_names[kind]);

        if ((gsize)(end - *at) >= len && memcmp(*at, mn_stall_names[kind], len) == 0) {
            *at += len;
            *ret = kind;
            return 0;
        }
    }
    return -EINVAL;
}

int mn_trigger_parse(const char *text, gsize len, MnFault *fault, MnTrigger *ret) {
    const char *at = text, *end = text + MIN(len, TEXT_BYTES_MAX);
    MnTrigger parsed = { 0 };
    int r;

    r = parse_kind(&at, end, &parsed.kind);
    if (r == 0)
        r = parse_number(&at, end, &parsed.threshold_us);
    if (r == 0)
        r = parse_number(&at, end, &parsed.window_us);
    if (r < 0 || parsed.window_us < MN_TRIGGER_WINDOW_US_MIN || parsed.window_us > MN_TRIGGER_WINDOW_US_MAX ||
        parsed.threshold_us == 0 || parsed.threshold_us > parsed.window_us)
        return mn_fault_set(fault, 0,
                            "a trigger is 'some' or 'full', how many us of how many, as in 'some 150000 1000000'");

    *ret = parsed;
    return 0;
}

static void window_begin(MnTrigger *self, gint64 now_us, guint64 total_us, guint64 last_growth_us) {
    self->window_from_us = now_us;
    self->window_total_us = total_us;
    self->last_growth_us = last_growth_us;
}

/* How much was stalled in the last `window_us`. The total was at the last look what it was
 * when this was last called, so a window that was over by then was over there. */
static guint64 window_advance(MnTrigger *self, gint64 last_look_us, gint64 now_us, guint64 total_us) {
    gint64 window_us = self->window_us, ended_us = last_look_us - self->window_from_us, elapsed_us;
    guint64 growth_us;

    g_assert(window_us > 0);
    if (ended_us >= window_us)
        window_begin(self, last_look_us, self->total_us,
                     ended_us < 2 * window_us ? self->total_us - self->window_total_us : 0);
    elapsed_us = now_us - self->window_from_us;
    growth_us = MIN(total_us - self->window_total_us, G_MAXUINT32); /* a damaged text may have any total */
    if (elapsed_us >= window_us)
        return growth_us * (guint64)window_us / (guint64)elapsed_us;
    return growth_us + MIN(self->last_growth_us, (guint64)window_us) * (guint64)(window_us - elapsed_us) / window_us;
}

gboolean mn_trigger_advance(MnTrigger *self, gint64 last_look_us, gint64 now_us, guint64 total_us) {
    gboolean has_grown = total_us != self->total_us;

    if (!self->is_started || total_us < self->total_us) {
        window_begin(self, now_us, total_us, 0);
        self->is_started = TRUE;
        self->is_pending = FALSE;
        has_grown = FALSE;
    }
    if (has_grown && window_advance(self, last_look_us, now_us, total_us) >= self->threshold_us)
        self->is_pending = TRUE;
    self->total_us = total_us;
    if (!self->is_pending || now_us < self->next_event_us)
        return FALSE;

    self->is_pending = FALSE;
    self->next_event_us = now_us + self->window_us;
    return TRUE;
}
