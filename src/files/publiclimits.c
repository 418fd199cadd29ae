/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which limits are shown to everybody beside the files that they are in. */
#include "publiclimits.h"

/* While they are listed: how many of whom. */
typedef struct Listing {
    MnPublicLimits *result;
    const MnQuota *quota;
    GHashTable *n_by_uid; /* of who pays, if a share applies to him */
} Listing;

static gboolean has_room(const Listing *self, uid_t uid, gboolean is_free, guint n) {
    guint n_of_user = GPOINTER_TO_UINT(g_hash_table_lookup(self->n_by_uid, GUINT_TO_POINTER(uid)));

    if (self->result->limits->len + n > MN_PUBLIC_LIMITS_MAX || (!is_free && n_of_user + n > MN_PUBLIC_LIMITS_PER_USER))
        return FALSE;
    if (!is_free)
        g_hash_table_insert(self->n_by_uid, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(n_of_user + n));
    return TRUE;
}

static void list_threshold(const Listing *self, const MnThreshold *threshold, uid_t uid, gboolean is_free) {
    guint n = mn_threshold_get_n_limits(threshold);

    if (!has_room(self, uid, is_free, n)) {
        self->result->n_left_out += n;
        return;
    }
    for (guint i = 0; i < n; i++) {
        MnPublicLimit limit = { .threshold = threshold, .i = i };

        g_array_append_val(self->result->limits, limit);
    }
}

/* Those of root and of the owner, or all others. */
static void list_all(const Listing *self, const MnNode *dir, gboolean is_free) {
    for (guint i = 0; i < dir->children->len; i++) {
        const MnNode *node = g_ptr_array_index(dir->children, i);
        const MnThreshold *threshold = mn_node_get_threshold(node);
        uid_t uid = mn_threshold_get_payer(threshold);

        if ((node->mode & S_IROTH) && mn_quota_is_free(self->quota, uid) == is_free)
            list_threshold(self, threshold, uid, is_free);
    }
}

void mn_public_limits_init(MnPublicLimits *ret, const MnNode *dir) {
    g_autoptr(GHashTable) n_by_uid = g_hash_table_new(NULL, NULL);
    Listing listing = { .result = ret, .quota = mn_tree_get_quota(dir->tree), .n_by_uid = n_by_uid };

    *ret = (MnPublicLimits){ .limits = g_array_new(FALSE, FALSE, sizeof(MnPublicLimit)) };
    if (!(dir->mode & S_IXOTH))
        return;
    list_all(&listing, dir, TRUE);
    list_all(&listing, dir, FALSE);
}

void mn_public_limits_clear(MnPublicLimits *self) {
    g_clear_pointer(&self->limits, g_array_unref);
}
