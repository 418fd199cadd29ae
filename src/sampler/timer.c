/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer whose moment is looked up each time the loop is about to sleep: setting it costs nothing,
 * while g_source_set_ready_time() would cost a wake-up of its own. */
#include "timer.h"

#include <sys/prctl.h>

/* The driver's timer was deferrable. A sleep this long may end a little late, together with other
 * wake-ups of the machine, and is begun shorter by as much; a short one is to be punctual. */
#define FAR_MS 1000
#define FAR_SLACK_MS 25
#define NEAR_SLACK_NS 50000 /* the kernel's preset */

struct MnTimer {
    GSource source;
    void (*about_to_sleep)(gpointer data);
    void (*expired)(gpointer data);
    gpointer data;
    gint64 due_us;        /* 0 for never */
    gboolean has_expired; /* since it was set */
    gboolean is_far;      /* the timer slack is that of a far sleep */
};

static gboolean timer_prepare(GSource *source, gint *ret_timeout_ms) {
    MnTimer *self = (MnTimer *)source;
    gint64 left_us;

    self->about_to_sleep(self->data);
    if (self->due_us == 0) {
        *ret_timeout_ms = -1;
        return FALSE;
    }
    left_us = self->due_us - g_source_get_time(source);
    *ret_timeout_ms = left_us > 0 ? (gint)MIN((left_us + 999) / 1000, G_MAXINT) : 0;
    return left_us <= 0;
}

static gboolean timer_check(GSource *source) {
    const MnTimer *self = (const MnTimer *)source;

    return self->due_us != 0 && self->due_us <= g_source_get_time(source);
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED) {
    MnTimer *self = (MnTimer *)source;

    self->has_expired = TRUE;
    self->expired(self->data);
    return G_SOURCE_CONTINUE;
}

MnTimer *mn_timer_new(void (*about_to_sleep)(gpointer data), void (*expired)(gpointer data), gpointer data) {
    static GSourceFuncs functions = { timer_prepare, timer_check, timer_dispatch, NULL, NULL, NULL };
    GSource *source = g_source_new(&functions, sizeof(MnTimer));
    MnTimer *self = (MnTimer *)source;

    self->about_to_sleep = about_to_sleep;
    self->expired = expired;
    self->data = data;
    g_source_set_static_name(source, "timer");
    g_source_attach(source, NULL);
    return self;
}

void mn_timer_free(MnTimer *self) {
    g_source_destroy(&self->source);
    g_source_unref(&self->source);
}

/* Wide only after a sleep that nobody interrupted: where clients come and go, each change would cost
 * a system call. */
static void set_slack(MnTimer *self, gboolean is_far) {
    if (is_far == self->is_far || (is_far && !self->has_expired))
        return;
    self->is_far = is_far;
    prctl(PR_SET_TIMERSLACK, is_far ? FAR_SLACK_MS * 1000000UL : NEAR_SLACK_NS, 0, 0, 0);
}

void mn_timer_set(MnTimer *self, gint64 from_us, guint64 period_ms) {
    gboolean is_far = period_ms >= FAR_MS;

    self->due_us = from_us + (gint64)(period_ms - (is_far ? FAR_SLACK_MS : 0)) * 1000;
    set_slack(self, is_far);
    self->has_expired = FALSE;
}

void mn_timer_stop(MnTimer *self) {
    self->due_us = 0;
}
