/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/clock.h"

/* A moment at which the main loop is to do something. */
typedef struct MnAlarm MnAlarm;

/* rings() is called once each time that the alarm was set. `name` is for who looks at the loop's sources. */
MnAlarm *mn_alarm_new(const MnClock *clock, const char *name, void (*rings)(gpointer data), gpointer data);
void mn_alarm_free(MnAlarm *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnAlarm, mn_alarm_free)

/* Rings when it is `time_us`, at the next turn if that has passed; no more when it was set to before. Of no
 * cost. */
void mn_alarm_set(MnAlarm *self, gint64 time_us);
void mn_alarm_stop(MnAlarm *self);
