/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source of the main loop whose moment is looked up each time the loop is about to sleep: setting it costs
 * nothing, while g_source_set_ready_time() would cost a wake-up of its own. */
#include "alarm.h"

#define NEVER G_MAXINT64

struct MnAlarm {
    GSource source;
    const MnClock *clock;
    void (*rings)(gpointer data);
    gpointer data;
    gint64 time_us;
};

static gint64 wait_us(const MnAlarm *self) {
    return self->time_us == NEVER ? NEVER : mn_clock_wait_us(self->clock, self->time_us);
}

static gboolean alarm_prepare(GSource *source, gint *ret_timeout_ms) {
    gint64 left_us = wait_us((MnAlarm *)source);

    if (left_us == NEVER)
        *ret_timeout_ms = -1;
    else
        *ret_timeout_ms = left_us > 0 ? (gint)MIN((left_us - 1) / 1000 + 1, G_MAXINT) : 0;
    return left_us <= 0;
}

static gboolean alarm_check(GSource *source) {
    return wait_us((MnAlarm *)source) <= 0;
}

static gboolean alarm_dispatch(GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED) {
    MnAlarm *self = (MnAlarm *)source;

    self->time_us = NEVER;
    self->rings(self->data);
    return G_SOURCE_CONTINUE;
}

MnAlarm *mn_alarm_new(const MnClock *clock, const char *name, void (*rings)(gpointer data), gpointer data) {
    static GSourceFuncs functions = { alarm_prepare, alarm_check, alarm_dispatch, NULL, NULL, NULL };
    GSource *source = g_source_new(&functions, sizeof(MnAlarm));
    MnAlarm *self = (MnAlarm *)source;

    self->clock = clock;
    self->rings = rings;
    self->data = data;
    self->time_us = NEVER;
    g_source_set_static_name(source, name);
    g_source_attach(source, NULL);
    return self;
}

void mn_alarm_free(MnAlarm *self) {
    if (!self)
        return;
    g_source_destroy(&self->source);
    g_source_unref(&self->source);
}

void mn_alarm_set(MnAlarm *self, gint64 time_us) {
    self->time_us = time_us;
}

void mn_alarm_stop(MnAlarm *self) {
    self->time_us = NEVER;
}
