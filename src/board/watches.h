/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/subscriber.h"
#include "core/crossing.h"
#include "core/fill.h"
#include "probe/probe.h"

/* All limits that somebody waits for: one subscriber, which tells each watch what it has crossed. Those that are
 * parked are in their order, too, and count while they are followed. Part of the board. */
typedef struct MnWatches {
    MnSubscriber subscriber; /* a subscriber of the board's while there is a limit to follow */
    const MnProbe *probe;
    const MnParameters *parameters;
    MnCrossing *waiting;
    MnCrossing *parked;
    gboolean follows_parked;
    MnFill fill;         /* how fast memory was seen to fill up towards limits */
    MnReading step_from; /* what was measured when the present step of `fill` began */
    gint64 step_from_us; /* 0: none has begun */
    guint step_meters;   /* the sources it was made of */
} MnWatches;

void mn_watches_init(MnWatches *self, const MnProbe *probe, const MnParameters *parameters);
void mn_watches_clear(MnWatches *self);

gboolean mn_watches_is_empty(const MnWatches *self); /* of what is followed */

/* A meter that moves less than this may be trembling. */
guint64 mn_watches_space_pages(const MnWatches *self, const MnReading *reading);

/* See mn_board_watch(), and mn_board_park() for one that is_parked; mn_watches_advance() is to follow. The reading has to
 * be made of the sources of the watch. */
void mn_watches_add(MnWatches *self, MnWatch *watch, const MnReading *reading);
void mn_watches_remove(MnWatches *self, MnWatch *watch, const MnReading *reading);

/* See mn_board_follow_parked(). To be advanced after the first. */
void mn_watches_follow_parked(MnWatches *self);
void mn_watches_leave_parked(MnWatches *self, const MnReading *reading);

/* The sources that the meters of a watch are made of. */
guint mn_watches_sources(const MnWatches *self, const MnWatch *watch);

/* What is measured from now on has nothing to do with what was measured before. */
void mn_watches_forget_step(MnWatches *self);

/* The reading has changed, or the parameters have: puts the limits to scale and tells who is concerned. */
void mn_watches_advance(MnWatches *self, const MnReading *reading);
