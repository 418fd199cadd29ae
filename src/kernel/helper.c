/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main loop's side of the helper: jobs that wait for their turn, and processes that work at one each.
 *
 * Users take turns, and each has one job at a time that is worked at. A process that is not done within a short patience
 * is set aside: it goes on, and another takes the next job, of another user. So whatever one user asks for, it costs each
 * of the others one patience for each turn, at most. What is not done within its limit is given up. How many processes
 * work aside or were left behind is limited, but root is not kept out. */
#include "helper.h"

#include "core/turns.h"
#include "kernel/leftbehind.h"
#include "loop/alarm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Hundreds of times what a job takes; starting another process takes 0.5 ms. */
#define PATIENCE_US (50 * G_TIME_SPAN_MILLISECOND)
#define PROCESSES_MAX 32 /* but for the one that is within its patience */
#define FDS_MAX 2

struct MnHelperJob {
    MnHelper *helper;
    MnTurn turn;
    const MnTask *task;
    GBytes *question;
    int fds[FDS_MAX]; /* copies, while it waits for its turn */
    guint n_fds;
    MnHelperProcess *process; /* NULL: waits */
    gint64 began_us;
    MnAnswered answered; /* NULL: forgotten */
    gpointer data;
};

struct MnHelper {
    const MnClock *clock;
    const MnQuota *quota;
    MnTurns turns;         /* of jobs that wait */
    GQueue working;        /* of MnHelperJob: those with a process; all but the last are out of patience */
    MnHelperProcess *idle; /* NULL: there is none that has nothing to do */
    MnLeftBehind left_behind;
    MnAlarm *alarm;     /* when patience, limit or waiting for a share is over */
    gboolean is_wanted; /* a process, before it is asked */
    gboolean is_ending;
};

static gint64 now_us(const MnHelper *self) {
    return mn_clock_now_us(self->clock);
}

/* Root and the owner are not kept from anything by what others do. */
static gboolean may_ask(MnHelper *self, const MnTask *task, uid_t uid) {
    return mn_quota_is_free(self->quota, uid) || (!mn_left_behind_blames(&self->left_behind, task, uid) &&
                                                  mn_left_behind_count(&self->left_behind) < PROCESSES_MAX);
}

/* --- jobs --- */

static MnHelperJob *job_of(MnTurn *turn) {
    return turn ? (MnHelperJob *)(void *)((char *)turn - G_STRUCT_OFFSET(MnHelperJob, turn)) : NULL;
}

static void close_copies(MnHelperJob *job) {
    while (job->n_fds > 0)
        close(job->fds[--job->n_fds]);
}

static void job_free(MnHelperJob *job) {
    close_copies(job);
    g_bytes_unref(job->question);
    g_free(job);
}

static int copy_fds(MnHelperJob *job, const int *fds, guint n) {
    g_assert(n <= FDS_MAX);
    while (job->n_fds < n) {
        int fd = fcntl(fds[job->n_fds], F_DUPFD_CLOEXEC, 0);

        if (fd < 0)
            return -errno;
        job->fds[job->n_fds++] = fd;
    }
    return 0;
}

static gint64 limit_of(const MnHelperJob *job) {
    return job->began_us + job->task->limit_ms * G_TIME_SPAN_MILLISECOND;
}

/* Takes it off, and only then tells. */
static void job_end(MnHelperJob *job, MnOutcome outcome, MnParcel *answer) {
    MnHelper *self = job->helper;

    if (job->process) {
        g_queue_remove(&self->working, job);
        mn_turns_end(&self->turns, &job->turn, now_us(self), outcome.spent_us);
    } else
        mn_turns_drop(&self->turns, &job->turn);
    if (job->answered)
        job->answered(outcome.r, answer, job->data);
    job_free(job);
}

static void job_fail(MnHelperJob *job, int r) {
    g_auto(MnParcel) nothing = { 0 };

    mn_parcel_init(&nothing);
    job_end(job, (MnOutcome){ .r = r }, &nothing);
}

static void on_heard(MnHelperProcess *process, gboolean is_alive, MnOutcome outcome, MnParcel *answer, gpointer data);

static int start(MnHelper *self) {
    return self->idle ? 0 : mn_helper_process_new(on_heard, self, &self->idle);
}

/* Gives it to the process that has nothing to do. */
static int job_begin(MnHelperJob *job, const int *fds, guint n_fds) {
    MnHelper *self = job->helper;
    MnHelperProcess *process = g_steal_pointer(&self->idle);
    int r;

    r = mn_helper_process_ask(process, job->task, job->question, fds, n_fds);
    if (r < 0) {
        mn_left_behind_add(&self->left_behind, process, NULL, 0);
        return r == -EPIPE ? -EIO : r == -EAGAIN ? -ENOMEM : r;
    }
    job->process = process;
    job->began_us = now_us(self);
    mn_turns_begin(&self->turns, &job->turn);
    g_queue_push_tail(&self->working, job);
    return 0;
}

/* --- turns --- */

/* When patience with the last that was begun is over; 0: nobody waits for it. */
static gint64 patience_ends_us(const MnHelper *self) {
    const MnHelperJob *last = g_queue_peek_tail((GQueue *)&self->working);

    return last ? last->began_us + PATIENCE_US : 0;
}

static MnHelperJob *find_next(const MnHelper *self) {
    guint n_working = self->working.length;
    gboolean has_room = n_working == 0 || n_working + mn_left_behind_count(&self->left_behind) < PROCESSES_MAX;
    gint64 now = now_us(self);

    return patience_ends_us(self) <= now ? job_of(mn_turns_next(&self->turns, now, !has_room)) : NULL;
}

/* Begins what can be begun. Where no process can be had, one of those that are working will have time. */
static void begin_next(MnHelper *self) {
    MnHelperJob *job;

    while ((job = find_next(self))) {
        int r = may_ask(self, job->task, job->turn.uid) ? start(self) : -EBUSY;

        if (r < 0 && r != -EBUSY && !g_queue_is_empty(&self->working))
            return;
        if (r == 0)
            r = job_begin(job, job->fds, job->n_fds);
        if (r < 0)
            job_fail(job, r);
        else
            close_copies(job);
    }
}

static void set_alarm(MnHelper *self) {
    gint64 now = now_us(self), patience_us = patience_ends_us(self), time_us;

    time_us = mn_turns_wake_us(&self->turns, now);
    if (mn_turns_first(&self->turns) && patience_us > now)
        time_us = MIN(time_us, patience_us);
    for (const GList *link = self->working.head; link; link = link->next)
        time_us = MIN(time_us, limit_of(link->data));
    mn_alarm_set(self->alarm, time_us);
}

static void go_on(MnHelper *self) {
    begin_next(self);
    if (self->is_wanted && g_queue_is_empty(&self->working))
        (void)start(self); /* or when it is asked */
    set_alarm(self);
}

static MnHelperJob *find_job(const MnHelper *self, const MnHelperProcess *process) {
    for (const GList *link = self->working.head; link; link = link->next)
        if (((MnHelperJob *)link->data)->process == process)
            return link->data;
    return NULL;
}

/* One that has nothing to do is kept. */
static void put_back(MnHelper *self, MnHelperProcess *process) {
    if (self->idle)
        mn_left_behind_add(&self->left_behind, process, NULL, 0);
    else
        self->idle = process;
}

static void on_heard(MnHelperProcess *process, gboolean is_alive, MnOutcome outcome, MnParcel *answer, gpointer data) {
    MnHelper *self = data;
    MnHelperJob *job = find_job(self, process);

    if (self->idle == process)
        self->idle = NULL;
    if (is_alive)
        put_back(self, process);
    else {
        g_warning("the helper process %d was ended by somebody; the next request starts another",
                  mn_helper_process_get_pid(process));
        mn_left_behind_add(&self->left_behind, process, NULL, 0);
    }
    if (job)
        job_end(job, outcome, answer);
    go_on(self);
}

static MnHelperJob *find_overdue(const MnHelper *self) {
    gint64 now = now_us(self);

    for (const GList *link = self->working.head; link; link = link->next)
        if (limit_of(link->data) <= now)
            return link->data;
    return NULL;
}

static void on_alarm(gpointer data) {
    MnHelper *self = data;
    MnHelperJob *job;

    while ((job = find_overdue(self))) {
        g_message("to %s for user %u took more than %u ms; given up", job->task->name, job->turn.uid,
                  job->task->limit_ms);
        mn_left_behind_add(&self->left_behind, job->process, job->task, job->turn.uid);
        job_fail(job, -EBUSY);
    }
    go_on(self);
}

/* --- the helper --- */

MnHelper *mn_helper_new(const MnClock *clock, const MnQuota *quota) {
    MnHelper *self = g_new0(MnHelper, 1);

    self->clock = clock;
    self->quota = quota;
    mn_turns_init(&self->turns);
    mn_left_behind_init(&self->left_behind, clock);
    self->alarm = mn_alarm_new(clock, "helper", on_alarm, self);
    return self;
}

void mn_helper_dismiss(MnHelper *self) {
    g_clear_pointer(&self->idle, mn_helper_process_dismiss);
}

void mn_helper_free(MnHelper *self) {
    MnHelperJob *job;

    if (!self)
        return;
    self->is_ending = TRUE;
    mn_helper_dismiss(self);
    while ((job = g_queue_peek_head(&self->working))) {
        mn_helper_process_free(job->process);
        job_fail(job, -ENOTCONN);
    }
    while ((job = job_of(mn_turns_first(&self->turns))))
        job_fail(job, -ENOTCONN);
    mn_left_behind_clear(&self->left_behind);
    mn_turns_clear(&self->turns);
    mn_alarm_free(self->alarm);
    g_free(self);
}

int mn_helper_prepare(MnHelper *self) {
    self->is_wanted = TRUE;
    return g_queue_is_empty(&self->working) ? start(self) : 0;
}

/* Begins it at once, with the caller's descriptors, where it is its turn and a process can be had. */
static int begin_or_wait(MnHelperJob *job, const int *fds, guint n_fds) {
    MnHelper *self = job->helper;
    int r;

    if (find_next(self) != job)
        return copy_fds(job, fds, n_fds);
    r = start(self);
    if (r == 0)
        return job_begin(job, fds, n_fds);
    return g_queue_is_empty(&self->working) ? r : copy_fds(job, fds, n_fds);
}

int mn_helper_ask(MnHelper *self, const MnTask *task, uid_t uid, gconstpointer question, gsize len, const int *fds,
                  guint n_fds, MnAnswered answered, gpointer data, MnHelperJob **ret) {
    uid_t payer = mn_quota_find_payer(self->quota, uid);
    MnHelperJob *job;
    int r;

    if (self->is_ending)
        return -ENOTCONN;
    if (!may_ask(self, task, payer))
        return -EBUSY;

    job = g_new0(MnHelperJob, 1);
    *job = (MnHelperJob){
        .helper = self,
        .turn = { .uid = payer, .is_free = mn_quota_is_free(self->quota, payer), .is_urgent = task->is_urgent },
        .task = task,
        .question = g_bytes_new(question, len),
        .answered = answered,
        .data = data
    };
    mn_turns_add(&self->turns, &job->turn, now_us(self));
    r = begin_or_wait(job, fds, n_fds);
    if (r < 0) {
        mn_turns_drop(&self->turns, &job->turn);
        job_free(job);
    } else
        *ret = job;
    if (find_next(self)) /* whose time has come, though the alarm has not rung yet */
        mn_alarm_set(self->alarm, now_us(self));
    else
        set_alarm(self);
    return r;
}

void mn_helper_forget(MnHelperJob *job) {
    job->answered = NULL;
    if (!job->process)
        job_fail(job, -ECANCELED);
}

void mn_helper_settle(MnHelper *self) {
    while (mn_turns_first(&self->turns) || !g_queue_is_empty(&self->working))
        g_main_context_iteration(NULL, TRUE);
}
