/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of processes to sacrifice.
 *
 * Each is held by a pidfd, so that a pid that is used again is never taken for it; one epoll
 * descriptor tells the main loop when any of them ends, however many there are.
 *
 * A write is prepared whole (victims opened and checked, by the helper) before anything is changed, and what is
 * changed is on record before it is: a record that was never carried out does no harm, because a
 * score is put back only where it is the one that was set. */
#include "oomlist.h"

#include "core/pidlist.h"
#include "kernel/process.h"
#include "kernel/ourselves.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

struct MnOomList {
    MnOomMode mode;
    MnStateFile *state;
    MnHelper *helper;
    gboolean state_failed; /* and that has been said */
    gboolean has_state;
    GPtrArray *victims; /* owned */
    int epoll_fd;
    guint source;
    void (*changed)(gpointer data);
    gpointer changed_data;
};

static void victim_free(MnVictim *victim) {
    mn_target_close(&victim->target); /* leaves the epoll set by that */
    g_free(victim);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnVictim, victim_free)

/* Removes those that have ended. */
static gboolean remove_ended(MnOomList *self) {
    struct epoll_event events[EVENTS_AT_ONCE];
    gboolean any = FALSE;
    int n;

    while ((n = epoll_wait(self->epoll_fd, events, EVENTS_AT_ONCE, 0)) > 0) {
        for (int i = 0; i < n; i++)
            g_ptr_array_remove(self->victims, events[i].data.ptr);
        any = TRUE;
    }
    return any;
}

static gboolean on_ended(gint fd, GIOCondition condition, gpointer user_data);

/* The main loop is only bothered with the descriptor while there is somebody who can end. */
static void note_changed(MnOomList *self) {
    if (self->victims->len > 0 && self->source == 0)
        self->source = g_unix_fd_add(self->epoll_fd, G_IO_IN, on_ended, self);
    else if (self->victims->len == 0 && self->source > 0)
        g_clear_handle_id(&self->source, g_source_remove);

    if (self->changed)
        self->changed(self->changed_data);
}

static gboolean on_ended(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data) {
    mn_oom_list_refresh(user_data);
    return G_SOURCE_CONTINUE;
}

int mn_oom_list_new(MnOomMode mode, MnStateFile *state, MnHelper *helper, MnOomList **ret) {
    g_autoptr(MnOomList) self = g_new0(MnOomList, 1);

    self->mode = mode;
    self->state = state;
    self->helper = helper;
    self->victims = g_ptr_array_new_with_free_func((GDestroyNotify)victim_free);
    mn_file_limit_raise(); /* each victim costs two */
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll_fd < 0)
        return -errno;

    *ret = g_steal_pointer(&self);
    return 0;
}

static void warn_of_score(int score, pid_t pid, int r) {
    g_warning("cannot put back the oom_score_adj %d of process %d: %s", score, pid, g_strerror(-r));
}

static void restore(MnVictim *victim) {
    int score, r;

    if (!victim->is_adjusted)
        return;
    victim->is_adjusted = FALSE;

    r = mn_process_get_score(victim->target.score_fd, &score);
    if (r == 0 && score == victim->set_score)
        r = mn_process_set_score(victim->target.score_fd, victim->old_score);
    if (r < 0 && r != -ESRCH)
        warn_of_score(victim->old_score, victim->target.pid, r);
}

void mn_oom_list_free(MnOomList *self) {
    if (!self)
        return;
    for (guint i = 0; i < self->victims->len; i++)
        restore(g_ptr_array_index(self->victims, i));
    if (self->has_state)
        mn_state_file_remove(self->state);
    g_clear_handle_id(&self->source, g_source_remove);
    g_ptr_array_unref(self->victims);
    if (self->epoll_fd >= 0)
        close(self->epoll_fd);
    g_free(self);
}

static void on_found_again(int r, MnParcel *answer, gpointer data) {
    g_autofree MnAdjustment *adjustment = data;
    g_autoptr(MnVictim) victim = g_new0(MnVictim, 1);

    victim->target.pidfd = victim->target.score_fd = -1;
    if (r < 0) {
        if (r != -ESRCH)
            warn_of_score(adjustment->old_score, adjustment->pid, r);
        return;
    }
    mn_target_take(&victim->target, 0, answer);
    victim->is_adjusted = TRUE;
    victim->old_score = adjustment->old_score;
    victim->set_score = adjustment->set_score;
    restore(victim);
}

static void recover_one(const MnAdjustment *adjustment, MnHelper *helper) {
    MnAdjustment *kept = g_memdup2(adjustment, sizeof *adjustment);
    g_auto(MnParcel) nothing = { 0 };
    int r;

    mn_parcel_init(&nothing);
    r = mn_target_ask_again(helper, kept->pid, kept->start_ticks, on_found_again, kept);
    if (r < 0)
        on_found_again(r, &nothing, kept);
}

void mn_oom_list_recover(MnStateFile *state, MnHelper *helper) {
    g_autoptr(GArray) adjustments = NULL;
    int r;

    r = mn_state_file_load(state, &adjustments);
    if (r == -EBUSY)
        return;
    if (r < 0 && r != -ENOENT)
        g_warning("cannot use '%s': %s; what a killed daemon has left in oom_score_adj stays",
                  mn_state_file_get_path(state), r == -EBADMSG ? "it is damaged" : g_strerror(-r));
    for (guint i = 0; r == 0 && i < adjustments->len; i++)
        recover_one(&g_array_index(adjustments, MnAdjustment, i), helper);
    mn_helper_settle(helper);
    mn_helper_dismiss(helper); /* it is not the child of who goes to the background */
    if (r == 0 || r == -ENOENT || r == -EBADMSG)
        mn_state_file_remove(state);
}

/* What the answer has, as victims. */
static GPtrArray *take_victims(MnParcel *answer, const MnWriter *writer) {
    GPtrArray *victims = g_ptr_array_new_with_free_func((GDestroyNotify)victim_free);

    for (guint i = 0; i < mn_target_count(answer); i++) {
        MnVictim *victim = g_new0(MnVictim, 1);

        victim->writer = *writer;
        mn_target_take(&victim->target, i, answer);
        g_ptr_array_add(victims, victim);
    }
    return victims;
}

static int read_pids(const char *text, gsize len, GArray **ret) {
    g_autoptr(GArray) pids = NULL;
    int r;

    r = mn_pid_list_parse(text, len, &pids);
    if (r < 0)
        return r;
    for (guint i = 0; i < pids->len; i++)
        if (g_array_index(pids, pid_t, i) == 1) /* of whatever namespace */
            return -EPERM;

    *ret = g_steal_pointer(&pids);
    return 0;
}

/* Watches for their end. */
static int watch_victims(MnOomList *self, GPtrArray *victims) {
    for (guint i = 0; i < victims->len; i++) {
        MnVictim *victim = g_ptr_array_index(victims, i);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = victim };

        if (epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, victim->target.pidfd, &event) < 0)
            return -errno; /* those that are in leave when they are freed */
    }
    return 0;
}

static void add_adjustments(GArray *adjustments, GPtrArray *victims) {
    for (guint i = 0; i < victims->len; i++) {
        const MnVictim *victim = g_ptr_array_index(victims, i);
        MnAdjustment adjustment = { victim->target.pid, victim->target.start_ticks, victim->old_score,
                                    victim->set_score };

        if (victim->is_adjusted)
            g_array_append_val(adjustments, adjustment);
    }
}

/* Records what is adjusted in the list and in `others`, which may be NULL. */
static void save_state(MnOomList *self, GPtrArray *victims, GPtrArray *others) {
    g_autoptr(GArray) adjustments = g_array_new(FALSE, FALSE, sizeof(MnAdjustment));
    const char *path = mn_state_file_get_path(self->state);
    int r;

    add_adjustments(adjustments, victims);
    if (others)
        add_adjustments(adjustments, others);

    r = mn_state_file_save(self->state, adjustments);
    if (r < 0 && !self->state_failed)
        g_warning("cannot record changes of oom_score_adj in '%s': %s; if the daemon is killed they stay",
                  path ? path : "$XDG_RUNTIME_DIR", r == -EBUSY ? "another daemon uses it" : g_strerror(-r));
    self->state_failed = r < 0;
    self->has_state = r == 0 && adjustments->len > 0;
}

/* The same process in the list as it is, or NULL. */
static MnVictim *find_same(GHashTable *by_pid, const MnVictim *victim) {
    MnVictim *same = g_hash_table_lookup(by_pid, GINT_TO_POINTER(victim->target.pid));

    return same && same->target.start_ticks == victim->target.start_ticks ? same : NULL;
}

/* Chooses the score of the victim at `place`, changing nothing yet. `before` is the same process in
 * the list as it is, or NULL. */
static void plan(MnVictim *victim, guint place, const MnVictim *before) {
    int score;

    if (mn_process_get_score(victim->target.score_fd, &score) < 0)
        return; /* it has just ended */

    /* What somebody else has set meanwhile is what is put back. */
    victim->old_score = before && before->is_adjusted && before->set_score == score ? before->old_score : score;
    victim->set_score = mn_score_for(place);
    victim->is_adjusted = victim->set_score > 0;
}

static void adjust(MnVictim *victim, MnVictim *before) {
    if (victim->is_adjusted && mn_process_set_score(victim->target.score_fd, victim->set_score) < 0)
        victim->is_adjusted = FALSE; /* below its floor: it keeps a higher one than its place has */

    if (before && victim->is_adjusted)
        before->is_adjusted = FALSE; /* it is ours now to put back */
}

/* From the scores of the list as it is to those of `victims`. */
static void adjust_all(MnOomList *self, GPtrArray *victims, GHashTable *by_pid) {
    for (guint i = 0; i < victims->len; i++)
        plan(g_ptr_array_index(victims, i), i, find_same(by_pid, g_ptr_array_index(victims, i)));
    save_state(self, victims, self->victims);

    for (guint i = 0; i < victims->len; i++)
        adjust(g_ptr_array_index(victims, i), find_same(by_pid, g_ptr_array_index(victims, i)));
    for (guint i = 0; i < self->victims->len; i++)
        restore(g_ptr_array_index(self->victims, i));
    save_state(self, victims, NULL);
}

/* A process that stays is not asked to end a second time. */
static void take_over_signals(GPtrArray *victims, GHashTable *by_pid) {
    for (guint i = 0; i < victims->len; i++) {
        MnVictim *victim = g_ptr_array_index(victims, i);
        const MnVictim *before = find_same(by_pid, victim);

        if (before) {
            victim->terminated_us = before->terminated_us;
            victim->killed_us = before->killed_us;
        }
    }
}

static void replace(MnOomList *self, GPtrArray *victims) {
    g_autoptr(GHashTable) by_pid = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < self->victims->len; i++) {
        MnVictim *victim = g_ptr_array_index(self->victims, i);

        g_hash_table_insert(by_pid, GINT_TO_POINTER(victim->target.pid), victim);
    }
    if (self->mode == MN_OOM_ADJUST)
        adjust_all(self, victims, by_pid);
    else
        take_over_signals(victims, by_pid);

    g_ptr_array_unref(self->victims);
    self->victims = g_ptr_array_ref(victims);
}

/* A write that waits for the helper. */
typedef struct Writing {
    MnOomList *list;
    MnWriter writer;
    void (*written)(int r, gpointer data);
    gpointer data;
} Writing;

static void on_opened(int r, MnParcel *answer, gpointer data) {
    g_autofree Writing *writing = data;
    g_autoptr(GPtrArray) victims = NULL;

    if (r == 0) {
        victims = take_victims(answer, &writing->writer);
        r = watch_victims(writing->list, victims);
    }
    if (r == 0) {
        replace(writing->list, victims);
        note_changed(writing->list);
    }
    writing->written(r, writing->data);
}

int mn_oom_list_write(MnOomList *self, const char *text, gsize len, const MnWriter *writer,
                      void (*written)(int r, gpointer data), gpointer data) {
    g_autofree Writing *writing = g_new0(Writing, 1);
    g_autoptr(GArray) pids = NULL;
    int r;

    if (self->mode == MN_OOM_OFF)
        return -EROFS;
    r = read_pids(text, len, &pids);
    if (r < 0)
        return r;
    *writing = (Writing){ .list = self, .writer = *writer, .written = written, .data = data };
    r = mn_target_ask_all(self->helper, writer, self->mode == MN_OOM_ADJUST, pids, on_opened, writing);
    if (r == 0)
        g_steal_pointer(&writing);
    return r;
}

void mn_oom_list_refresh(MnOomList *self) {
    if (remove_ended(self))
        note_changed(self);
}

void mn_oom_list_render(MnOomList *self, GString *text) {
    mn_oom_list_refresh(self);
    for (guint i = 0; i < self->victims->len; i++)
        mn_pid_list_append(text, ((MnVictim *)g_ptr_array_index(self->victims, i))->target.pid);
    g_string_append_c(text, '\n');
}

void mn_oom_list_set_changed(MnOomList *self, void (*changed)(gpointer data), gpointer data) {
    self->changed = changed;
    self->changed_data = data;
}

MnVictim *mn_oom_list_find(MnOomList *self, const MnTarget *target) {
    for (guint i = 0; i < self->victims->len; i++) {
        MnVictim *victim = g_ptr_array_index(self->victims, i);

        if (victim->target.pid == target->pid && victim->target.start_ticks == target->start_ticks)
            return victim;
    }
    return NULL;
}

GPtrArray *mn_oom_list_get_victims(MnOomList *self) {
    return self->victims;
}
