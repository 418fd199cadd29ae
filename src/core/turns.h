/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* What waits for its turn: part of whoever waits. All zero but for the first three. */
typedef struct MnTurn {
    uid_t uid;
    gboolean is_free;   /* no share applies to that user */
    gboolean is_urgent; /* is not kept waiting for what its user has used up */
    GList link;
    struct MnTurnUser *user;
} MnTurn;

/* Users who take turns at something. Each is served one turn at a time and in his own order, and those of whom
 * something waits go round: the one served longest ago is next. A user who has used up his share (a second at once, and
 * a tenth of the time after that) is served when that has evened out; those to whom no share applies always.
 *
 * Moments are in microseconds, by any clock. */
typedef struct MnTurns {
    GHashTable *users; /* uid -> MnTurnUser */
    GQueue waiting;    /* of MnTurnUser: the one served longest ago is first */
    guint64 n_served;
} MnTurns;

void mn_turns_init(MnTurns *self);
void mn_turns_clear(MnTurns *self); /* when nothing waits and nothing is served */

/* From now on it waits, until it is begun or dropped. */
void mn_turns_add(MnTurns *self, MnTurn *turn, gint64 now_us);
void mn_turns_drop(MnTurns *self, MnTurn *turn);

/* Whose turn it is, if one is to be served now, or NULL. With `only_free` the others are passed over. */
MnTurn *mn_turns_next(const MnTurns *self, gint64 now_us, gboolean only_free);

/* The first of those that wait, be it its turn or not. NULL: nothing waits. */
MnTurn *mn_turns_first(const MnTurns *self);

/* The moment after `now_us` at which the first user has his share again of those who wait for that; G_MAXINT64: there is
 * none. */
gint64 mn_turns_wake_us(const MnTurns *self, gint64 now_us);

/* It is served from now on, and until mn_turns_end() nothing else of the same user. It has taken `spent_us` then. */
void mn_turns_begin(MnTurns *self, MnTurn *turn);
void mn_turns_end(MnTurns *self, MnTurn *turn, gint64 now_us, gint64 spent_us);
