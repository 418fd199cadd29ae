/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refusals are kept as they are shown, since what is shown is short and the text that was refused may be long. */
#include "refusals.h"

#include "core/text.h"

typedef struct User {
    uid_t uid;
    GList link; /* in `by_time` */
    guint n;    /* how many he has had */
    char *shown[MN_REFUSALS_OF_USER];
} User;

struct MnRefusals {
    GHashTable *users; /* uid -> User; owned */
    GQueue by_time;    /* of them, who was refused longest ago at the head */
};

static void user_free(gpointer data) {
    User *user = data;

    for (guint i = 0; i < MN_REFUSALS_OF_USER; i++)
        g_free(user->shown[i]);
    g_free(user);
}

MnRefusals *mn_refusals_new(void) {
    MnRefusals *self = g_new0(MnRefusals, 1);

    self->users = g_hash_table_new_full(NULL, NULL, NULL, user_free);
    g_queue_init(&self->by_time);
    return self;
}

void mn_refusals_free(MnRefusals *self) {
    if (!self)
        return;
    g_hash_table_unref(self->users);
    g_free(self);
}

static User *find_user(const MnRefusals *self, uid_t uid) {
    return g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid));
}

static User *add_user(MnRefusals *self, uid_t uid) {
    User *user = g_new0(User, 1);

    user->uid = uid;
    user->link.data = user;
    g_hash_table_insert(self->users, GUINT_TO_POINTER(uid), user);
    return user;
}

static void forget_oldest(MnRefusals *self) {
    User *oldest = self->by_time.head->data;

    g_queue_unlink(&self->by_time, &oldest->link);
    g_hash_table_remove(self->users, GUINT_TO_POINTER(oldest->uid));
}

/* He is the last in the queue then. */
static User *take_user(MnRefusals *self, uid_t uid) {
    User *user = find_user(self, uid);

    if (user)
        g_queue_unlink(&self->by_time, &user->link);
    else if (self->by_time.length == MN_REFUSALS_USERS)
        forget_oldest(self);
    if (!user)
        user = add_user(self, uid);
    g_queue_push_tail_link(&self->by_time, &user->link);
    return user;
}

static void append_shown(GString *text, const char *name) {
    char character[MN_TEXT_SHOWN_BYTES];

    while (*name) {
        gsize n = mn_text_show_next(&name, character);

        g_string_append_len(text, character, (gssize)n);
    }
}

/* 3086.214406 thresholds/low: there is no meter of that name
 *     usd 80%
 *     ^
 */
static char *show(const MnRefusal *refusal) {
    g_autoptr(GString) text = g_string_new(NULL);
    const MnFault *fault = refusal->fault;

    g_string_append_printf(text, "%" G_GINT64_FORMAT ".%06d ", refusal->time_us / G_USEC_PER_SEC,
                           (int)(refusal->time_us % G_USEC_PER_SEC));
    append_shown(text, refusal->path);
    g_string_append_printf(text, ": %s\n", fault->reason[0] ? fault->reason : g_strerror(-refusal->error));
    mn_fault_show(fault, refusal->text, refusal->len, text);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void mn_refusals_add(MnRefusals *self, uid_t payer, const MnRefusal *refusal) {
    User *user = take_user(self, payer);
    char **place = &user->shown[user->n++ % MN_REFUSALS_OF_USER];

    g_free(*place);
    *place = show(refusal);
}

void mn_refusals_render(const MnRefusals *self, uid_t payer, GString *text) {
    const User *user = find_user(self, payer);

    for (guint i = 0; user && i < MN_REFUSALS_OF_USER; i++) {
        const char *shown = user->shown[(user->n + i) % MN_REFUSALS_OF_USER];

        if (shown)
            g_string_append(text, shown);
    }
}
