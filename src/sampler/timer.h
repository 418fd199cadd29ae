/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The one timer of the main loop: when the next sample is due. */
typedef struct MnTimer MnTimer;

/* about_to_sleep() is called whenever the loop is about to sleep, and may set or stop the timer;
 * expired() when it is due, again and again until it is set anew or stopped. */
MnTimer *mn_timer_new(void (*about_to_sleep)(gpointer data), void (*expired)(gpointer data), gpointer data);
void mn_timer_free(MnTimer *self);

/* Due period_ms after from_us (CLOCK_MONOTONIC). */
void mn_timer_set(MnTimer *self, gint64 from_us, guint64 period_ms);
void mn_timer_stop(MnTimer *self);
