/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everybody's lists. What a user writes changes his own, so that nobody takes off what another has listed; who comes
 * before whom does not depend on how often somebody writes. There is no user without a listing. */
#include "roster.h"

#define DESCRIPTORS ((guint64)2) /* of a listed process */

typedef struct User {
    uid_t uid;
    MnAccount *account;
    GArray *listings; /* of MnListing */
    GList link;       /* of the roster's users */
} User;

struct MnRoster {
    MnQuota *quota;
    GQueue users;       /* of User, in their order */
    GHashTable *by_uid; /* of User, owned */
};

static void user_set_count(User *user, guint n) {
    mn_account_refund(user->account, MN_RESOURCE_VICTIMS, user->listings->len - n);
    mn_account_refund(user->account, MN_RESOURCE_DESCRIPTORS, DESCRIPTORS * (user->listings->len - n));
    g_array_set_size(user->listings, n);
}

static void user_free(gpointer data) {
    User *user = data;

    user_set_count(user, 0);
    mn_account_give_back(user->account);
    g_array_unref(user->listings);
    g_free(user);
}

/* Charges for `n` in the place of those that there are. */
static int user_charge(User *user, guint n) {
    guint before = user->listings->len;
    int r;

    r = mn_account_change(user->account, MN_RESOURCE_VICTIMS, before, n);
    if (r < 0)
        return r;
    r = mn_account_change(user->account, MN_RESOURCE_DESCRIPTORS, DESCRIPTORS * before, DESCRIPTORS * n);
    if (r < 0)
        mn_account_refund(user->account, MN_RESOURCE_VICTIMS, n - before); /* it is more, or it were not refused */
    return r;
}

static User *find(const MnRoster *self, uid_t uid) {
    return g_hash_table_lookup(self->by_uid, GUINT_TO_POINTER(uid));
}

/* Who stands before him, or NULL. */
static GList *find_predecessor(const MnRoster *self, uid_t uid) {
    GList *link = self->users.head;

    if (!mn_roster_is_privileged(self, uid))
        return self->users.tail;
    return uid != 0 && link && ((User *)link->data)->uid == 0 ? link : NULL;
}

static User *find_or_add(MnRoster *self, uid_t uid) {
    User *user = find(self, uid);

    if (user)
        return user;
    user = g_new0(User, 1);
    user->uid = uid;
    user->account = mn_quota_get_account(self->quota, uid);
    user->listings = g_array_new(FALSE, FALSE, sizeof(MnListing));
    user->link.data = user;
    g_queue_insert_after_link(&self->users, find_predecessor(self, uid), &user->link);
    g_hash_table_insert(self->by_uid, GUINT_TO_POINTER(uid), user);
    return user;
}

static void remove_if_empty(MnRoster *self, User *user) {
    if (user->listings->len > 0)
        return;
    g_queue_unlink(&self->users, &user->link);
    g_hash_table_remove(self->by_uid, GUINT_TO_POINTER(user->uid));
}

MnRoster *mn_roster_new(MnQuota *quota) {
    MnRoster *self = g_new0(MnRoster, 1);

    self->quota = quota;
    self->by_uid = g_hash_table_new_full(NULL, NULL, NULL, user_free);
    return self;
}

void mn_roster_free(MnRoster *self) {
    if (!self)
        return;
    g_hash_table_unref(self->by_uid);
    g_free(self);
}

gboolean mn_roster_is_privileged(const MnRoster *self, uid_t uid) {
    return mn_quota_is_free(self->quota, uid);
}

const GArray *mn_roster_get(const MnRoster *self, uid_t uid) {
    const User *user = find(self, uid);

    return user ? user->listings : NULL;
}

int mn_roster_check(const MnRoster *self, uid_t uid, guint n) {
    MnAccount *account = mn_quota_get_account(self->quota, uid);
    const GArray *listings = mn_roster_get(self, uid);
    guint before = listings ? listings->len : 0;
    int r;

    r = n > before ? mn_account_charge(account, MN_RESOURCE_VICTIMS, n - before) : 0;
    if (n > before && r == 0)
        mn_account_refund(account, MN_RESOURCE_VICTIMS, n - before);
    mn_account_give_back(account);
    return r;
}

int mn_roster_replace(MnRoster *self, uid_t uid, const GArray *listings) {
    User *user = find_or_add(self, uid);
    int r;

    r = user_charge(user, listings->len);
    if (r == 0) {
        g_array_set_size(user->listings, 0);
        g_array_append_vals(user->listings, listings->data, listings->len);
    }
    remove_if_empty(self, user);
    return r;
}

static void drop_ended_of(User *user) {
    guint n_alive = 0;

    for (guint i = 0; i < user->listings->len; i++) {
        const MnListing *listing = &g_array_index(user->listings, MnListing, i);

        if (!listing->victim->has_ended)
            g_array_index(user->listings, MnListing, n_alive++) = *listing;
    }
    user_set_count(user, n_alive);
}

void mn_roster_drop_ended(MnRoster *self) {
    for (GList *link = self->users.head, *next; link; link = next) {
        User *user = link->data;

        next = link->next;
        drop_ended_of(user);
        remove_if_empty(self, user);
    }
}

void mn_roster_merge(const MnRoster *self, GPtrArray *victims) {
    for (const GList *link = self->users.head; link; link = link->next) {
        const User *user = link->data;

        for (guint i = 0; i < user->listings->len; i++) {
            const MnListing *listing = &g_array_index(user->listings, MnListing, i);

            if (listing->victim->place != MN_NO_PLACE)
                continue;
            listing->victim->place = victims->len;
            listing->victim->writer = listing->writer;
            g_ptr_array_add(victims, listing->victim);
        }
    }
}
