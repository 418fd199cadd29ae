/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores and their record. What is changed is on record before it is: a record that was never carried out does no
 * harm, because a score is put back only where it is the one that was set. */
#include "scores.h"

#include "kernel/process.h"

#include <errno.h>

/* What is going to be done to a process. */
typedef struct Change {
    MnVictim *victim;
    int old_score;
    int set_score; /* 0: it gets its own back */
} Change;

void mn_scores_init(MnScores *self, MnStateFile *state) {
    *self = (MnScores){ .state = state };
}

void mn_scores_clear(MnScores *self) {
    if (self->has_state)
        mn_state_file_remove(self->state);
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

/* --- the record --- */

static void add_adjustment(GArray *adjustments, const MnVictim *victim, int old_score, int set_score) {
    MnAdjustment adjustment = { victim->target.pid, victim->target.start_ticks, old_score, set_score };

    g_array_append_val(adjustments, adjustment);
}

static void add_adjusted(GArray *adjustments, const GPtrArray *victims) {
    for (guint i = 0; victims && i < victims->len; i++) {
        const MnVictim *victim = g_ptr_array_index(victims, i);

        if (victim->is_adjusted)
            add_adjustment(adjustments, victim, victim->old_score, victim->set_score);
    }
}

static void add_planned(GArray *adjustments, const GArray *changes) {
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = &g_array_index(changes, Change, i);

        if (change->set_score > 0)
            add_adjustment(adjustments, change->victim, change->old_score, change->set_score);
    }
}

static void save(MnScores *self, const GArray *adjustments) {
    const char *path = mn_state_file_get_path(self->state);
    int r;

    r = mn_state_file_save(self->state, adjustments);
    if (r < 0 && !self->state_failed)
        g_warning("cannot record changes of oom_score_adj in '%s': %s; if the daemon is killed they stay",
                  path ? path : "$XDG_RUNTIME_DIR", r == -EBUSY ? "another daemon uses it" : g_strerror(-r));
    self->state_failed = r < 0;
    self->has_state = r == 0 && adjustments->len > 0;
}

/* All that is adjusted, and what is going to be. */
static void save_before(MnScores *self, const GPtrArray *victims, const GPtrArray *leaving, const GArray *changes) {
    g_autoptr(GArray) adjustments = g_array_new(FALSE, FALSE, sizeof(MnAdjustment));

    add_adjusted(adjustments, victims);
    add_adjusted(adjustments, leaving);
    add_planned(adjustments, changes);
    save(self, adjustments);
}

static void save_after(MnScores *self, const GPtrArray *victims) {
    g_autoptr(GArray) adjustments = g_array_new(FALSE, FALSE, sizeof(MnAdjustment));

    add_adjusted(adjustments, victims);
    save(self, adjustments);
}

/* --- the scores --- */

/* Chooses the score of a process, changing nothing yet. Who has it already is asked nothing of. */
static void plan(GArray *changes, MnVictim *victim) {
    Change change = { .victim = victim, .set_score = mn_score_for(victim->place) };
    int score;

    if (victim->place_score == change.set_score)
        return;
    victim->place_score = change.set_score;
    if (change.set_score == 0 && !victim->is_adjusted)
        return;
    if (mn_process_get_score(victim->target.score_fd, &score) < 0)
        return; /* it has just ended */

    /* What somebody else has set meanwhile is what is put back. */
    change.old_score = victim->is_adjusted && victim->set_score == score ? victim->old_score : score;
    g_array_append_val(changes, change);
}

static void plan_all(GArray *changes, const GPtrArray *victims) {
    for (guint i = 0; victims && i < victims->len; i++)
        plan(changes, g_ptr_array_index(victims, i));
}

static void carry_out(const Change *change) {
    MnVictim *victim = change->victim;

    /* Below its floor it keeps a higher one than its place has. */
    if (change->set_score == 0 || mn_process_set_score(victim->target.score_fd, change->set_score) < 0) {
        restore(victim);
        return;
    }
    victim->is_adjusted = TRUE;
    victim->old_score = change->old_score;
    victim->set_score = change->set_score;
}

void mn_scores_follow(MnScores *self, const GPtrArray *victims, const GPtrArray *leaving) {
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(Change));

    plan_all(changes, victims);
    plan_all(changes, leaving);
    if (changes->len == 0)
        return;

    save_before(self, victims, leaving, changes);
    for (guint i = 0; i < changes->len; i++)
        carry_out(&g_array_index(changes, Change, i));
    save_after(self, victims);
}

/* --- what another has left --- */

static void on_found_again(int r, MnParcel *answer, gpointer data) {
    g_autofree MnAdjustment *adjustment = data;
    MnVictim victim = { .is_adjusted = TRUE, .old_score = adjustment->old_score, .set_score = adjustment->set_score };

    if (r == 0) {
        mn_target_take(&victim.target, 0, answer);
        restore(&victim);
        mn_target_close(&victim.target);
    } else if (r != -ESRCH) {
        warn_of_score(adjustment->old_score, adjustment->pid, r);
    }
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

void mn_scores_recover(MnStateFile *state, MnHelper *helper) {
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
