/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/pace.h"
#include "probe/moment.h"

/* Whoever waits for a zone of the kernel's is told at least this often. */
#define MN_SUBSCRIBER_LONGEST_MS 1000

/* A moment of a period may come so much before its time: see schedule.c. */
#define MN_SUBSCRIBER_EARLY_MS 25

/* Somebody to whom moments are told: all limits together, a device, a listener of memcg/. It says what a moment
 * has to be made of and when it has a use for the next. */
typedef struct MnSubscriber MnSubscriber;
struct MnSubscriber {
    MnNeeds needs;

    /* Sees a moment that has what it needs; sets what follows. It changes its own state and puts notices into the
     * outbox; it must not add or remove a subscriber or a watch. */
    void (*told)(MnSubscriber *self, const MnMoment *moment);

    guint64 period_ms; /* is told this often and not more; 0: as often as somebody looks, and by these: */

    guint64 distance_pages; /* how much has to be allocated before its event; G_MAXUINT64: no telling */
    gboolean is_reached;    /* its event is true now */
    gboolean is_approached; /* the speed that is seen is towards its event */
    guint64 shortest_ms;    /* until this has passed it has no use for another moment; 0: update_period */
    guint64 longest_ms;     /* after this it wants one in any case; 0: max_update_period */

    gint64 near_until_us; /* mn_subscriber_set_pace()'s */
    gint64 turn_us;       /* the list's: when it was last its turn; 0: never */
    gboolean is_due;      /* the list's: it is told the moment that is being made */
    MnSubscriber *next;
};

/* Sets distance, shortest_ms and longest_ms of one that waits for a zone to fall below `mark`, or for what the
 * kernel does then. `is_reclaiming`: it has reclaimed since the moment before. */
void mn_subscriber_set_pace(MnSubscriber *self, const MnMoment *moment, MnWatermark mark, gboolean is_reclaiming);

/* It is told the next moment, whatever its period. */
void mn_subscriber_hasten(MnSubscriber *self);

/* The subscribers. All zero is empty. */
typedef struct MnSubscribers {
    MnSubscriber *first;
} MnSubscribers;

void mn_subscribers_add(MnSubscribers *self, MnSubscriber *subscriber);
void mn_subscribers_remove(MnSubscribers *self, MnSubscriber *subscriber); /* no effect on one not added */
gboolean mn_subscribers_is_empty(const MnSubscribers *self);

/* Makes it everybody's turn, also of those who are told in periods. */
void mn_subscribers_make_due(MnSubscribers *self);

/* Finds out who is to be told at `now_us`, and adds what they need. */
void mn_subscribers_prepare(MnSubscribers *self, gint64 now_us, MnNeeds *needs);

/* Tells those the moment, if it has what they need. */
void mn_subscribers_tell(MnSubscribers *self, const MnMoment *moment);

/* When the next moment is due, counted from the last one, which was at `last_us`: as the first of them wants it.
 * `pace` says what does not depend on who it is. G_MAXUINT64 without subscribers. */
guint64 mn_subscribers_next_ms(const MnSubscribers *self, gint64 last_us, const MnPace *pace,
                               const MnParameters *parameters);
