/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accounts, and the sums over all of them.
 *
 * /etc/subuid and /etc/passwd are read at the start, and again when they have changed and somebody comes who has no
 * account. Users whom only a directory service knows are charged together for each of their ranges, beside what they
 * have under their own ids; nobody is asked who could make us wait. */
#include "quota.h"

#include "core/subid.h"

#include <errno.h>
#include <sys/stat.h>

#define SUBUID "/etc/subuid"
#define PASSWD "/etc/passwd"
#define MUCH_PART 16 /* more than one part of the share of a user is much, and would be of root's */
#define ROOT_PART 8  /* of all that there is one part is kept for root and the owner */

typedef struct Allowance {
    const char *name;
    guint64 of_user;
    guint64 of_all; /* with the reserve; 0: to be found out */
    int short_error;
} Allowance;

static const Allowance allowances[MN_N_RESOURCES] = {
    [MN_RESOURCE_OPENS] = { "opens", MN_OPENS_PER_USER_MAX, 131072, -ENFILE },
    [MN_RESOURCE_BYTES] = { "bytes", MN_BYTES_PER_USER_MAX, 32 * MN_BYTES_PER_USER_MAX, -ENFILE },
    [MN_RESOURCE_LIMITS] = { "limits", MN_LIMITS_PER_USER_MAX, 131072, -EDQUOT },
    [MN_RESOURCE_THRESHOLDS] = { "thresholds", MEMNOTIFYFS_THRESHOLDS_PER_USER_MAX, MEMNOTIFYFS_THRESHOLDS_MAX,
                                 -EDQUOT },
    [MN_RESOURCE_REGISTRATIONS] = { "registrations", MN_REGISTRATIONS_PER_USER_MAX, 65536, -EDQUOT },
    [MN_RESOURCE_VICTIMS] = { "victims", MN_VICTIMS_PER_USER_MAX, 16384, -EDQUOT },
    [MN_RESOURCE_SIGNALS] = { "signals", MN_SIGNALS_PER_USER_MAX, 65536, -EDQUOT },
    [MN_RESOURCE_DESCRIPTORS] = { "descriptors", MN_DESCRIPTORS_PER_USER_MAX, 0, -ENFILE },
    [MN_RESOURCE_REQUESTS] = { "requests", MN_REQUESTS_PER_USER_MAX, 65536, -ENFILE },
    [MN_RESOURCE_TRIGGERS] = { "triggers", MN_TRIGGERS_PER_USER_MAX, 8192, -EDQUOT },
};

struct MnAccount {
    MnQuota *quota;
    uid_t uid;
    gboolean is_free; /* root's or the owner's: no share applies */
    gboolean had_much;
    guint n_keepers;
    guint64 used[MN_N_RESOURCES];
};

struct MnQuota {
    uid_t owner;
    GHashTable *accounts; /* uid -> MnAccount */
    guint64 of_all[MN_N_RESOURCES];
    guint64 used[MN_N_RESOURCES];        /* of all users */
    guint64 used_freely[MN_N_RESOURCES]; /* of root and the owner */
    guint64 refused[MN_N_RESOURCES];     /* how many charges */
    MnSubids *subids;
    struct timespec subuid_changed_at;
    struct timespec passwd_changed_at;
    void (*left)(gpointer data);
    gpointer left_data;
};

/* --- users --- */

static struct timespec changed_at(const char *path) {
    struct stat st;

    return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){ 0 };
}

static gboolean has_changed(const char *path, struct timespec *known) {
    struct timespec now = changed_at(path);
    gboolean has = now.tv_sec != known->tv_sec || now.tv_nsec != known->tv_nsec;

    *known = now;
    return has;
}

static void read_subids(MnQuota *self) {
    g_autofree char *subuid = NULL, *passwd = NULL;
    gboolean is_news = has_changed(SUBUID, &self->subuid_changed_at);

    is_news = has_changed(PASSWD, &self->passwd_changed_at) || is_news;
    if (!is_news && self->subids)
        return;
    (void)g_file_get_contents(SUBUID, &subuid, NULL, NULL);
    (void)g_file_get_contents(PASSWD, &passwd, NULL, NULL);
    g_clear_pointer(&self->subids, mn_subids_free);
    self->subids = mn_subids_new(subuid ? subuid : "", passwd ? passwd : "");
}

gboolean mn_quota_is_free(const MnQuota *self, uid_t uid) {
    return uid == 0 || uid == self->owner;
}

/* What runs under root's subordinate ids is not root. */
uid_t mn_quota_find_payer(const MnQuota *self, uid_t uid) {
    uid_t user = mn_subids_find_user(self->subids, uid);

    return user != uid && mn_quota_is_free(self, user) ? mn_subids_find_first(self->subids, uid) : user;
}

MnQuota *mn_quota_new(uid_t owner, guint n_descriptors) {
    MnQuota *self = g_new0(MnQuota, 1);

    self->owner = owner;
    self->accounts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    for (guint resource = 0; resource < MN_N_RESOURCES; resource++)
        self->of_all[resource] = allowances[resource].of_all;
    self->of_all[MN_RESOURCE_DESCRIPTORS] = n_descriptors;
    read_subids(self);
    return self;
}

void mn_quota_free(MnQuota *self) {
    if (!self)
        return;
    g_assert(g_hash_table_size(self->accounts) == 0);
    g_hash_table_unref(self->accounts);
    mn_subids_free(self->subids);
    g_free(self);
}

void mn_quota_set_left(MnQuota *self, void (*left)(gpointer data), gpointer data) {
    self->left = left;
    self->left_data = data;
}

static MnAccount *find_account(const MnQuota *self, uid_t uid) {
    return g_hash_table_lookup(self->accounts, GUINT_TO_POINTER(mn_quota_find_payer(self, uid)));
}

static MnAccount *add_account(MnQuota *self, uid_t uid) {
    MnAccount *account = g_new0(MnAccount, 1);

    *account = (MnAccount){ .quota = self, .uid = uid, .is_free = mn_quota_is_free(self, uid) };
    g_hash_table_insert(self->accounts, GUINT_TO_POINTER(uid), account);
    return account;
}

MnAccount *mn_quota_get_account(MnQuota *self, uid_t uid) {
    MnAccount *account = find_account(self, uid);

    if (!account) {
        read_subids(self);
        account = find_account(self, uid);
    }
    return mn_account_keep(account ? account : add_account(self, mn_quota_find_payer(self, uid)));
}

MnAccount *mn_account_keep(MnAccount *self) {
    self->n_keepers++;
    return self;
}

void mn_account_give_back(MnAccount *self) {
    const MnQuota *quota = self->quota;
    gboolean had_much = self->had_much;

    if (--self->n_keepers > 0)
        return;
    for (guint resource = 0; resource < MN_N_RESOURCES; resource++)
        g_assert(self->used[resource] == 0);
    g_hash_table_remove(quota->accounts, GUINT_TO_POINTER(self->uid));
    if (quota->left && had_much)
        quota->left(quota->left_data);
}

uid_t mn_account_get_uid(const MnAccount *self) {
    return self->uid;
}

/* --- charges --- */

/* What is left to those for whom nothing is kept. */
static guint64 left_to_others(const MnQuota *self, MnResource resource) {
    guint64 kept = self->of_all[resource] / ROOT_PART, used_freely = self->used_freely[resource];
    guint64 taken = self->used[resource] + kept - MIN(kept, used_freely);

    return self->of_all[resource] - MIN(self->of_all[resource], taken);
}

/* After a charge a user has no more than is left to the others. */
int mn_account_check(const MnAccount *self, MnResource resource, guint64 n) {
    const MnQuota *quota = self->quota;
    guint64 left = self->is_free ? quota->of_all[resource] - quota->used[resource] : left_to_others(quota, resource);

    if (!self->is_free && self->used[resource] + n > allowances[resource].of_user)
        return -EDQUOT;
    if (n > left || (!self->is_free && self->used[resource] + n > left - n))
        return allowances[resource].short_error;
    return 0;
}

int mn_account_charge(MnAccount *self, MnResource resource, guint64 n) {
    int r;

    r = mn_account_check(self, resource, n);
    if (r < 0) {
        self->quota->refused[resource]++;
        return r;
    }
    self->used[resource] += n;
    self->had_much = self->had_much || self->used[resource] > allowances[resource].of_user / MUCH_PART;
    self->quota->used[resource] += n;
    if (self->is_free)
        self->quota->used_freely[resource] += n;
    return 0;
}

void mn_account_refund(MnAccount *self, MnResource resource, guint64 n) {
    g_assert(n <= self->used[resource]);
    self->used[resource] -= n;
    self->quota->used[resource] -= n;
    if (self->is_free)
        self->quota->used_freely[resource] -= n;
}

int mn_account_change(MnAccount *self, MnResource resource, guint64 from, guint64 to) {
    if (to > from)
        return mn_account_charge(self, resource, to - from);
    mn_account_refund(self, resource, from - to);
    return 0;
}

guint64 mn_account_get_used(const MnAccount *self, MnResource resource) {
    return self->used[resource];
}

const char *mn_resource_get_name(MnResource resource) {
    return allowances[resource].name;
}

guint64 mn_quota_get_refused(const MnQuota *self, MnResource resource) {
    return self->refused[resource];
}

/* --- for the owner to read --- */

static gint compare(gconstpointer left, gconstpointer right) {
    const MnAccount *a = left, *b = right;

    return a->uid < b->uid ? -1 : a->uid > b->uid;
}

void mn_quota_render(const MnQuota *self, GString *text) {
    g_autoptr(GList) accounts = g_list_sort(g_hash_table_get_values(self->accounts), compare);

    g_string_append(text, "uid");
    for (guint resource = 0; resource < MN_N_RESOURCES; resource++)
        g_string_append_printf(text, " %s", allowances[resource].name);
    g_string_append_c(text, '\n');

    for (const GList *link = accounts; link; link = link->next) {
        const MnAccount *account = link->data;

        g_string_append_printf(text, "%u", account->uid);
        for (guint resource = 0; resource < MN_N_RESOURCES; resource++)
            g_string_append_printf(text, " %" G_GUINT64_FORMAT, account->used[resource]);
        g_string_append_c(text, '\n');
    }
}
