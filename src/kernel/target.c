/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that somebody wants ended: found, opened and signalled by the helper.
 *
 * Rights are looked at when a process is listed, and again when it is signalled. Between the first and a change of its
 * score there is the moment in which the answer travels. What executes a set-user-id program in it gets a score that
 * its user could have given it before. */
#include "target.h"

#include "kernel/namespace.h"
#include "kernel/process.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SIGNAL_LIMIT_MS 3000 /* memory is short, and until then no other process is ended */

void mn_target_close(MnTarget *self) {
    if (self->pidfd >= 0)
        close(self->pidfd);
    if (self->score_fd >= 0)
        close(self->score_fd);
    self->pidfd = self->score_fd = -1;
}

static int signal_for(int pidfd, const MnWriter *writer, int number) {
    int r;

    r = mn_process_signal_as(pidfd, writer->opener_uid, 0);
    return r < 0 ? r : mn_process_signal_as(pidfd, writer->uid, number);
}

static int open_target(MnTarget *self, gboolean wants_score) {
    MnProcessStat stat;
    int r;

    r = mn_process_open(self->pid, &self->pidfd);
    if (r == 0)
        r = mn_process_read_stat(self->pid, &stat);
    if (r < 0)
        return r;
    if (self->pid == 1 || stat.is_kernel_thread || mn_process_is_ourselves(stat.pid, stat.ppid))
        return -EPERM;
    self->start_ticks = stat.start_ticks;
    if (wants_score)
        r = mn_process_open_score(self->pid, self->pidfd, &self->score_fd);
    return r == -EACCES ? -EPERM : r;
}

/* An ended one is told last: then what was read may have been another's. */
int mn_target_open(pid_t pid, const MnWriter *writer, gboolean wants_score, MnTarget *ret) {
    MnTarget self = { .pid = pid, .pidfd = -1, .score_fd = -1 };
    int r;

    r = open_target(&self, wants_score);
    if (r == 0)
        r = signal_for(self.pidfd, writer, 0);
    if (r == 0 && mn_process_has_ended(self.pidfd))
        r = -ESRCH;
    if (r < 0)
        mn_target_close(&self);
    else
        *ret = self;
    return r;
}

/* --- asked for from the main loop --- */

/* All of them use some. */
typedef struct Question {
    MnWriter writer;
    gboolean wants_scores;
    pid_t pid;
    guint64 start_ticks;
    int number;
} Question;

static const Question *question_of(const MnParcel *parcel) {
    return (const Question *)(void *)parcel->bytes->data;
}

static void add_target(MnParcel *answer, const MnTarget *target) {
    mn_parcel_add(answer, target, sizeof *target);
    mn_parcel_add_fd(answer, target->pidfd);
    if (target->score_fd >= 0)
        mn_parcel_add_fd(answer, target->score_fd);
}

static int run_all(MnParcel *parcel, MnParcel *answer) {
    const Question *question = question_of(parcel);
    pid_t *pids = (pid_t *)(void *)(parcel->bytes->data + sizeof *question);
    guint n = (parcel->bytes->len - sizeof *question) / sizeof *pids;
    int r;

    r = mn_namespace_translate(question->writer.tid, pids, n);
    for (guint i = 0; r == 0 && i < n; i++) {
        MnTarget target;

        if (pids[i] == 0) /* not in the writer's namespace */
            return -ESRCH;
        r = mn_target_open(pids[i], &question->writer, question->wants_scores, &target);
        if (r == 0)
            add_target(answer, &target);
    }
    return r;
}

static int run_again(MnParcel *parcel, MnParcel *answer) {
    const Question *question = question_of(parcel);
    MnTarget target = { .pid = question->pid, .pidfd = -1, .score_fd = -1 };
    int r;

    r = open_target(&target, TRUE);
    if (r == 0 && target.start_ticks != question->start_ticks)
        r = -ESRCH;
    if (r < 0)
        mn_target_close(&target);
    else
        add_target(answer, &target);
    return r;
}

static int run_signal(MnParcel *parcel, MnParcel *answer) {
    const Question *question = question_of(parcel);
    char comm[MN_COMM_MAX + 1] = "";
    int pidfd = mn_parcel_get_fd(parcel, 0);

    if (mn_process_read_comm(question->pid, comm) < 0 || mn_process_has_ended(pidfd))
        return -ESRCH;
    mn_parcel_add(answer, comm, strlen(comm) + 1);
    return signal_for(pidfd, &question->writer, question->number);
}

static const MnTask all_task = { .name = "open the listed processes", .limit_ms = MN_HELPER_LIMIT_MS, .run = run_all };
static const MnTask again_task = { .name = "open a process that was listed before",
                                   .limit_ms = MN_HELPER_LIMIT_MS,
                                   .run = run_again };
static const MnTask signal_task = {
    .name = "signal a listed process", .limit_ms = SIGNAL_LIMIT_MS, .run = run_signal, .is_urgent = TRUE
};

int mn_target_ask_all(MnHelper *helper, const MnWriter *writer, gboolean wants_scores, const GArray *pids,
                      MnAnswered answered, gpointer data) {
    const Question question = { .writer = *writer, .wants_scores = wants_scores };
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    MnHelperJob *job;

    g_byte_array_append(bytes, (const guint8 *)&question, sizeof question);
    g_byte_array_append(bytes, (const guint8 *)pids->data, pids->len * sizeof(pid_t));
    return mn_helper_ask(helper, &all_task, writer->uid, bytes->data, bytes->len, NULL, 0, answered, data, &job);
}

int mn_target_ask_again(MnHelper *helper, pid_t pid, guint64 start_ticks, MnAnswered answered, gpointer data) {
    const Question question = { .pid = pid, .start_ticks = start_ticks };
    MnHelperJob *job;

    return mn_helper_ask(helper, &again_task, 0, &question, sizeof question, NULL, 0, answered, data, &job);
}

guint mn_target_count(const MnParcel *answer) {
    return answer->bytes->len / sizeof(MnTarget);
}

void mn_target_take(MnTarget *ret, guint place, MnParcel *answer) {
    const MnTarget *targets = (const MnTarget *)(void *)answer->bytes->data;
    gboolean has_scores = targets[place].score_fd >= 0; /* the numbers were the helper's */

    *ret = targets[place];
    ret->pidfd = mn_parcel_steal_fd(answer, has_scores ? 2 * place : place);
    ret->score_fd = has_scores ? mn_parcel_steal_fd(answer, 2 * place + 1) : -1;
}

int mn_target_ask_signal(const MnTarget *self, MnHelper *helper, const MnWriter *writer, int number,
                         MnAnswered answered, gpointer data, MnHelperJob **ret) {
    const Question question = { .writer = *writer, .pid = self->pid, .number = number };

    return mn_helper_ask(helper, &signal_task, writer->uid, &question, sizeof question, &self->pidfd, 1, answered, data,
                         ret);
}
