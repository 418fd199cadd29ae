/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of processes to sacrifice.
 *
 * Each is held by a pidfd, so that a pid that is used again is never taken for it, and is told when it ends. However
 * many users list a process, it is one victim, and stays the same as long as anybody does.
 *
 * A write is prepared whole (victims opened and checked, by the helper) before anything is changed. */
#include "oomlist.h"

#include "core/pidlist.h"
#include "kernel/ends.h"
#include "kernel/process.h"
#include "oom/roster.h"
#include "oom/scores.h"

#include <errno.h>
#include <unistd.h>

/* Has room for more pids than a user may list; more is not even looked at. */
#define TEXT_OF_USER_MAX 4096

struct MnOomList {
    MnOomMode mode;
    MnHelper *helper;
    MnRoster *roster;
    MnScores scores;
    GHashTable *known;  /* of MnVictim, owned, by its target */
    GPtrArray *victims; /* the same, in their order */
    MnEnds *ends;
    void (*changed)(gpointer data);
    gpointer changed_data;
};

static guint target_hash(gconstpointer key) {
    return g_direct_hash(GINT_TO_POINTER(((const MnTarget *)key)->pid));
}

static gboolean target_equal(gconstpointer a, gconstpointer b) {
    const MnTarget *one = a, *other = b;

    return one->pid == other->pid && one->start_ticks == other->start_ticks;
}

static void victim_free(gpointer data) {
    MnVictim *victim = data;

    if (victim->ends)
        mn_ends_remove(victim->ends, victim->target.pidfd, victim);
    mn_target_close(&victim->target);
    g_free(victim);
}

static void forget(MnOomList *self, MnVictim *victim) {
    g_hash_table_remove(self->known, &victim->target);
}

static void forget_all(MnOomList *self, const GPtrArray *victims) {
    for (guint i = 0; i < victims->len; i++)
        forget(self, g_ptr_array_index(victims, i));
}

/* Puts the list in order after somebody's has changed; returns those that nobody lists any more. */
static GPtrArray *merge(MnOomList *self) {
    g_autoptr(GPtrArray) before = g_steal_pointer(&self->victims);
    GPtrArray *leaving = g_ptr_array_new();

    for (guint i = 0; i < before->len; i++)
        ((MnVictim *)g_ptr_array_index(before, i))->place = MN_NO_PLACE;
    self->victims = g_ptr_array_new();
    mn_roster_merge(self->roster, self->victims);

    for (guint i = 0; i < before->len; i++)
        if (((MnVictim *)g_ptr_array_index(before, i))->place == MN_NO_PLACE)
            g_ptr_array_add(leaving, g_ptr_array_index(before, i));
    return leaving;
}

static void note_changed(MnOomList *self) {
    if (self->changed)
        self->changed(self->changed_data);
}

static void on_ended(gpointer process, gpointer data G_GNUC_UNUSED) {
    ((MnVictim *)process)->has_ended = TRUE;
}

/* Those that have ended leave together. The scores of the others stay until somebody writes. */
static void on_all_told(gpointer data) {
    MnOomList *self = data;
    g_autoptr(GPtrArray) leaving = NULL;

    mn_roster_drop_ended(self->roster);
    leaving = merge(self);
    forget_all(self, leaving);
    note_changed(self);
}

int mn_oom_list_new(MnOomMode mode, MnStateFile *state, MnQuota *quota, MnHelper *helper, MnOomList **ret) {
    g_autoptr(MnOomList) self = g_new0(MnOomList, 1);
    int r;

    self->mode = mode;
    self->helper = helper;
    self->roster = mn_roster_new(quota);
    mn_scores_init(&self->scores, state);
    self->known = g_hash_table_new_full(target_hash, target_equal, NULL, victim_free);
    self->victims = g_ptr_array_new();
    r = mn_ends_new(on_ended, on_all_told, self, &self->ends);
    if (r < 0)
        return r;

    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_oom_list_free(MnOomList *self) {
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    if (!self)
        return;
    for (guint i = 0; i < self->victims->len; i++)
        ((MnVictim *)g_ptr_array_index(self->victims, i))->place = MN_NO_PLACE;
    mn_scores_follow(&self->scores, none, self->victims);
    mn_scores_clear(&self->scores);
    g_ptr_array_unref(self->victims);
    g_hash_table_unref(self->known);
    mn_roster_free(self->roster);
    mn_ends_free(self->ends);
    g_free(self);
}

/* The process as one of the list, new unless somebody has listed it already. */
static int find_or_add(MnOomList *self, MnTarget *target, MnVictim **ret) {
    MnVictim *victim = g_hash_table_lookup(self->known, target);
    int r;

    if (victim) {
        mn_target_close(target);
        *ret = victim;
        return 0;
    }
    victim = g_new0(MnVictim, 1);
    victim->target = *target;
    victim->place = MN_NO_PLACE;
    g_hash_table_insert(self->known, &victim->target, victim);
    r = mn_ends_add(self->ends, victim->target.pidfd, victim);
    if (r < 0) {
        forget(self, victim);
        return r;
    }
    victim->ends = self->ends;
    *ret = victim;
    return 0;
}

/* A write that waits for the helper. */
typedef struct Writing {
    MnOomList *list;
    MnWriter writer;
    GArray *pids; /* as they were written */
    void (*written)(int r, gpointer data);
    gpointer data;
} Writing;

static void writing_free(Writing *writing) {
    g_array_unref(writing->pids);
    g_free(writing);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Writing, writing_free)

/* Those that nobody had listed before. */
static void forget_new(MnOomList *self, const GArray *listings) {
    for (guint i = 0; i < listings->len; i++) {
        MnVictim *victim = g_array_index(listings, MnListing, i).victim;

        if (victim->place == MN_NO_PLACE)
            forget(self, victim);
    }
}

/* What the answer has, as the writer's listings. On an error nothing is left of it. */
static int take_listings(Writing *writing, MnParcel *answer, GArray **ret) {
    g_autoptr(GArray) listings = g_array_new(FALSE, FALSE, sizeof(MnListing));
    int r = 0;

    for (guint i = 0; r == 0 && i < mn_target_count(answer); i++) {
        MnListing listing = { .writer = writing->writer, .number = g_array_index(writing->pids, pid_t, i) };
        MnTarget target;

        mn_target_take(&target, i, answer);
        r = find_or_add(writing->list, &target, &listing.victim);
        if (r == 0)
            g_array_append_val(listings, listing);
    }
    if (r < 0) {
        forget_new(writing->list, listings);
        return r;
    }

    *ret = g_steal_pointer(&listings);
    return 0;
}

static int replace(MnOomList *self, uid_t uid, const GArray *listings) {
    g_autoptr(GPtrArray) leaving = NULL;
    int r;

    r = mn_roster_replace(self->roster, uid, listings);
    if (r < 0) {
        forget_new(self, listings);
        return r;
    }
    for (guint i = 0; i < listings->len; i++)
        g_array_index(listings, MnListing, i).victim->place_score = MN_SCORE_UNKNOWN;
    leaving = merge(self);
    if (self->mode == MN_OOM_ADJUST)
        mn_scores_follow(&self->scores, self->victims, leaving);
    forget_all(self, leaving);
    note_changed(self);
    return 0;
}

static void on_opened(int r, MnParcel *answer, gpointer data) {
    g_autoptr(Writing) writing = data;
    g_autoptr(GArray) listings = NULL;

    mn_oom_list_refresh(writing->list);
    if (r == 0)
        r = take_listings(writing, answer, &listings);
    if (r == 0)
        r = replace(writing->list, writing->writer.opener_uid, listings);
    writing->written(r, writing->data);
}

static int read_pids(const char *text, gsize len, MnFault *fault, GArray **ret) {
    g_autoptr(GArray) pids = NULL;
    int r;

    r = mn_pid_list_parse(text, len, fault, &pids);
    if (r < 0)
        return r;
    for (guint i = 0; i < pids->len; i++)
        if (g_array_index(pids, pid_t, i) == 1) /* of whatever namespace */
            return -EPERM;

    *ret = g_steal_pointer(&pids);
    return 0;
}

int mn_oom_list_write(MnOomList *self, const char *text, gsize len, MnFault *fault, const MnWriter *writer,
                      void (*written)(int r, gpointer data), gpointer data) {
    g_autoptr(Writing) writing = NULL;
    g_autoptr(GArray) pids = NULL;
    int r;

    if (self->mode == MN_OOM_OFF)
        return -EROFS;
    if (len > TEXT_OF_USER_MAX && !mn_roster_is_privileged(self->roster, writer->opener_uid))
        return -EDQUOT;
    r = read_pids(text, len, fault, &pids);
    if (r == 0)
        r = mn_roster_check(self->roster, writer->opener_uid, pids->len);
    if (r < 0)
        return r;

    writing = g_new0(Writing, 1);
    *writing =
        (Writing){ .list = self, .writer = *writer, .pids = g_steal_pointer(&pids), .written = written, .data = data };
    r = mn_target_ask_all(self->helper, writer, self->mode == MN_OOM_ADJUST, writing->pids, on_opened, writing);
    if (r == 0)
        g_steal_pointer(&writing);
    return r;
}

void mn_oom_list_refresh(MnOomList *self) {
    mn_ends_look(self->ends);
}

void mn_oom_list_render(MnOomList *self, uid_t uid, GString *text) {
    gboolean sees_all = mn_roster_is_privileged(self->roster, uid);
    const GArray *own;

    mn_oom_list_refresh(self);
    for (guint i = 0; sees_all && i < self->victims->len; i++)
        mn_pid_list_append(text, ((MnVictim *)g_ptr_array_index(self->victims, i))->target.pid);
    own = sees_all ? NULL : mn_roster_get(self->roster, uid);
    for (guint i = 0; own && i < own->len; i++)
        mn_pid_list_append(text, g_array_index(own, MnListing, i).number);
    g_string_append_c(text, '\n');
}

void mn_oom_list_set_changed(MnOomList *self, void (*changed)(gpointer data), gpointer data) {
    self->changed = changed;
    self->changed_data = data;
}

MnVictim *mn_oom_list_find(MnOomList *self, const MnTarget *target) {
    return g_hash_table_lookup(self->known, target);
}

GPtrArray *mn_oom_list_get_victims(MnOomList *self) {
    return self->victims;
}
