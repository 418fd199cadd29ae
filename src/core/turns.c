/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue for each user, a queue of those whose queue is not empty, and one number for each account: the moment at which
 * all that the user has taken is a tenth of the time that has passed. He may be ahead of it by what a burst takes to
 * even out.
 *
 * One turn counts for a burst at most, however long it was: where others did not have to wait for its end either, its
 * user is not to wait longer than ten seconds for the next. */
#include "turns.h"

#define BURST_US G_TIME_SPAN_SECOND
#define SHARE 10 /* one in so many */

typedef struct MnTurnUser {
    uid_t uid;
    GQueue turns; /* of MnTurn that wait */
    GList link;
    gboolean is_served;
    guint64 served_as; /* the how-manieth turn of all his last was; 0: he has had none */
    gint64 even_us;
} User;

void mn_turns_init(MnTurns *self) {
    self->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_queue_init(&self->waiting);
    self->n_served = 0;
}

void mn_turns_clear(MnTurns *self) {
    g_assert(g_queue_is_empty(&self->waiting));
    g_clear_pointer(&self->users, g_hash_table_unref);
}

static gboolean is_forgettable(gpointer uid G_GNUC_UNUSED, gpointer value, gpointer now_us) {
    const User *user = value;

    return !user->is_served && user->turns.length == 0 && user->even_us <= *(const gint64 *)now_us;
}

static User *get_user(MnTurns *self, uid_t uid, gint64 now_us) {
    User *user = g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));

    if (!user) {
        g_hash_table_foreach_remove(self->users, is_forgettable, &now_us);
        user = g_new0(User, 1);
        user->uid = uid;
        user->link.data = user;
        g_hash_table_insert(self->users, GUINT_TO_POINTER(uid), user);
    }
    return user;
}

/* Behind those who were served earlier. Who comes now and then is before all whose turns never end. */
static void start_waiting(MnTurns *self, User *user) {
    GList *before = self->waiting.tail;

    while (before && ((const User *)before->data)->served_as > user->served_as)
        before = before->prev;
    g_queue_insert_after_link(&self->waiting, before, &user->link);
}

void mn_turns_add(MnTurns *self, MnTurn *turn, gint64 now_us) {
    User *user = get_user(self, turn->uid, now_us);

    turn->user = user;
    if (g_queue_is_empty(&user->turns))
        start_waiting(self, user);
    g_queue_push_tail_link(&user->turns, &turn->link);
}

void mn_turns_drop(MnTurns *self, MnTurn *turn) {
    User *user = turn->user;

    g_queue_unlink(&user->turns, &turn->link);
    if (g_queue_is_empty(&user->turns))
        g_queue_unlink(&self->waiting, &user->link);
}

static MnTurn *turn_of(const GList *link) {
    return link ? (MnTurn *)(void *)((char *)link - G_STRUCT_OFFSET(MnTurn, link)) : NULL;
}

/* The first of a user, and when he has enough of his share for it. */
static MnTurn *first_of(const User *user, gint64 *ret_from_us) {
    MnTurn *turn = turn_of(user->turns.head);

    g_assert(turn); /* he waits */
    *ret_from_us = turn->is_free || turn->is_urgent ? 0 : user->even_us - SHARE * BURST_US;
    return turn;
}

MnTurn *mn_turns_next(const MnTurns *self, gint64 now_us, gboolean only_free) {
    for (const GList *link = self->waiting.head; link; link = link->next) {
        const User *user = link->data;
        gint64 from_us;
        MnTurn *turn = first_of(user, &from_us);

        if (!user->is_served && from_us <= now_us && (!only_free || turn->is_free))
            return turn;
    }
    return NULL;
}

MnTurn *mn_turns_first(const MnTurns *self) {
    const User *user = g_queue_peek_head((GQueue *)&self->waiting);

    return user ? turn_of(user->turns.head) : NULL;
}

gint64 mn_turns_wake_us(const MnTurns *self, gint64 now_us) {
    gint64 wake_us = G_MAXINT64;

    for (const GList *link = self->waiting.head; link; link = link->next) {
        gint64 from_us;

        (void)first_of(link->data, &from_us);
        if (from_us > now_us)
            wake_us = MIN(wake_us, from_us);
    }
    return wake_us;
}

void mn_turns_begin(MnTurns *self, MnTurn *turn) {
    mn_turns_drop(self, turn);
    turn->user->is_served = TRUE;
}

void mn_turns_end(MnTurns *self, MnTurn *turn, gint64 now_us, gint64 spent_us) {
    User *user = turn->user;

    user->is_served = FALSE;
    user->served_as = ++self->n_served;
    user->even_us = MAX(user->even_us, now_us) + SHARE * MIN(spent_us, BURST_US);
    if (!g_queue_is_empty(&user->turns)) {
        g_queue_unlink(&self->waiting, &user->link);
        start_waiting(self, user);
    }
}
