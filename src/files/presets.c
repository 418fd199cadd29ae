/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Presets are ordinary files, of which is remembered what was asked for and by which number they are known: so whoever
 * may remove or rename them may do that here, too. */
#include "presets.h"

#include "core/preset.h"
#include "files/thresholds.h"

#include <errno.h>

struct MnPresets {
    MnTree *tree;
    MnNode *dir;
    MnBoard *board;
    MnCaller owner;
    GHashTable *made; /* name -> Made; both owned */
};

/* A file that was made for a preset. */
typedef struct Made {
    guint64 ino;
    MnLimitSet limits; /* that were asked for */
} Made;

MnPresets *mn_presets_new(MnTree *tree, MnBoard *board, const MnCaller *owner) {
    MnPresets *self = g_new0(MnPresets, 1);

    self->tree = tree;
    self->dir = mn_node_find_child(mn_tree_get_root(tree), MEMNOTIFYFS_THRESHOLDS);
    self->board = board;
    self->owner = *owner;
    self->made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void mn_presets_free(MnPresets *self) {
    if (!self)
        return;
    g_hash_table_unref(self->made);
    g_free(self);
}

/* The file that was made under that name; NULL when there is none any more. */
static MnNode *find_made(const MnPresets *self, const char *name) {
    const Made *made = g_hash_table_lookup(self->made, name);
    MnNode *node = mn_node_find_child(self->dir, name);

    return made && node && node->ino == made->ino ? node : NULL;
}

static gboolean is_unchanged(const MnPresets *self, const MnPreset *preset) {
    const Made *made = g_hash_table_lookup(self->made, preset->name);

    return find_made(self, preset->name) && mn_limit_set_is_same(&made->limits, &preset->limits);
}

/* The names of those that are not wanted any more. */
static GPtrArray *find_gone(const MnPresets *self, const GPtrArray *wanted) {
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *gone = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;

    for (guint i = 0; i < wanted->len; i++)
        g_hash_table_add(names, ((MnPreset *)g_ptr_array_index(wanted, i))->name);
    g_hash_table_iter_init(&iter, self->made);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(names, name))
            g_ptr_array_add(gone, name);
    return gone;
}

/* Whether there is room for all; what is given back of limits is not counted. */
static int check(const MnPresets *self, const GPtrArray *wanted, const GPtrArray *gone) {
    g_autoptr(MnAccount) account = mn_quota_get_account(mn_tree_get_quota(self->tree), self->owner.uid);
    gint64 more_thresholds = 0;
    guint64 n_limits = 0;
    int r;

    for (guint i = 0; i < wanted->len; i++) {
        const MnPreset *preset = g_ptr_array_index(wanted, i);

        more_thresholds += mn_node_find_child(self->dir, preset->name) ? 0 : 1;
        n_limits += is_unchanged(self, preset) ? 0 : preset->limits.n;
    }
    for (guint i = 0; i < gone->len; i++)
        more_thresholds -= find_made(self, g_ptr_array_index(gone, i)) ? 1 : 0;

    if (mn_board_is_gone(self->board))
        return -ENODEV;
    r = mn_account_check(account, MN_RESOURCE_THRESHOLDS, (guint64)MAX(more_thresholds, 0));
    return r < 0 ? r : mn_account_check(account, MN_RESOURCE_LIMITS, n_limits);
}

static void remove_gone(MnPresets *self, const GPtrArray *gone) {
    for (guint i = 0; i < gone->len; i++) {
        const char *name = g_ptr_array_index(gone, i);
        MnNode *node = find_made(self, name);

        if (node)
            mn_tree_unlink(self->tree, node);
        g_hash_table_remove(self->made, name);
    }
}

static int make(MnPresets *self, const char *name, MnNode **ret) {
    MnNode *foreign = mn_node_find_child(self->dir, name);

    if (foreign)
        mn_tree_unlink(self->tree, foreign);
    return mn_tree_create(self->tree, self->dir, name, 0644, &self->owner, ret);
}

static int apply_one(MnPresets *self, const MnPreset *preset) {
    MnNode *node = find_made(self, preset->name);
    Made *made;
    int r = 0;

    if (is_unchanged(self, preset))
        return 0;
    if (!node)
        r = make(self, preset->name, &node);
    if (r == 0)
        r = mn_threshold_set_limits(mn_node_get_threshold(node), &preset->limits);
    if (r < 0)
        return r;

    made = g_new(Made, 1);
    *made = (Made){ .ino = node->ino, .limits = preset->limits };
    g_hash_table_replace(self->made, g_strdup(preset->name), made);
    return 0;
}

int mn_presets_apply(MnPresets *self, const GPtrArray *wanted) {
    g_autoptr(GPtrArray) gone = find_gone(self, wanted);
    int r;

    r = check(self, wanted, gone);
    if (r < 0)
        return r;
    remove_gone(self, gone);
    for (guint i = 0; i < wanted->len && r == 0; i++)
        r = apply_one(self, g_ptr_array_index(wanted, i));
    return r;
}
