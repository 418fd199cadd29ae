/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main loop's side of the helper: a queue of jobs, of which the first is being done.
 *
 * A helper that takes too long is killed, and since that may have no effect before the client lets go of what it
 * waits for, it is left to itself; another one takes its place for the next job. How many may be left like that is
 * limited, and for the user on whose behalf it happened the same is done again only when it has ended, and ten
 * times the limit later: so nobody can take more than a tenth of the helper's time from others by it, or more than
 * one process from the machine. */
#include "helper.h"

#include "kernel/process.h"
#include "loop/alarm.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEFT_BEHIND_MAX 32
#define PENANCE 10 /* times the limit */
#define SOCKET_FD 3
#define NAME "mn-helper"
#define FDS_MAX 2

struct MnHelperJob {
    const MnTask *task;
    uid_t uid;
    GBytes *question;
    int fds[FDS_MAX]; /* copies, while it waits for its turn */
    guint n_fds;
    MnAnswered answered; /* NULL: forgotten */
    gpointer data;
};

/* A helper that was given up, until it has ended and its user is forgiven. */
typedef struct LeftBehind {
    MnHelper *helper;
    pid_t pid;
    int pidfd; /* -1 when it has ended */
    guint source;
    const MnTask *task; /* NULL: nobody is to blame */
    uid_t uid;
} LeftBehind;

struct MnHelper {
    GQueue jobs; /* of MnHelperJob; the process works at the first */
    gboolean is_working;
    MnParcel answer; /* as far as it has come */
    pid_t pid;       /* 0: there is no process */
    int pidfd;
    int socket;
    guint socket_source;
    MnAlarm *limit;
    GQueue left_behind; /* of LeftBehind */
    gboolean is_wanted; /* before it is asked */
    gboolean is_ending;
};

/* --- the process --- */

/* Who looks for the daemon by its name, as with pidof(1), finds no other. */
static void take_name(void) {
    gsize room = strlen(program_invocation_name);

    prctl(PR_SET_NAME, NAME);
    memset(program_invocation_name, 0, room); /* argv[0] */
    g_strlcpy(program_invocation_name, NAME, room + 1);
}

/* With the parent's privileges and memory, and nothing of what it has open. */
static G_NORETURN void serve(int socket, pid_t parent) {
    gint64 word;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    take_name();
    if (getppid() != parent || dup2(socket, SOCKET_FD) < 0)
        _exit(1);
    if (syscall(SYS_close_range, SOCKET_FD + 1, ~0U, 0) < 0) /* before 5.9 */
        for (int fd = getdtablesize() - 1; fd > SOCKET_FD; fd--)
            close(fd);
    (void)mlockall(MCL_CURRENT | MCL_ONFAULT);

    for (;;) {
        g_auto(MnParcel) question = { 0 }, answer = { 0 };
        const MnTask *task;
        int r;

        mn_parcel_init(&question);
        mn_parcel_init(&answer);
        do
            r = mn_parcel_receive(&question, SOCKET_FD, 0, &word);
        while (r == 0);
        if (r < 0)
            _exit(0); /* the parent has closed its end */

        task = (const MnTask *)(gsize)word; /* its memory is ours */
        r = question.is_cut ? -EMFILE : task->run(&question, &answer);
        if (mn_parcel_send(SOCKET_FD, r, answer.bytes->data, answer.bytes->len, (const int *)(void *)answer.fds->data,
                           answer.fds->len, 0) < 0)
            _exit(1);
    }
}

static gboolean on_socket(gint fd, GIOCondition condition, gpointer data);

static int start(MnHelper *self) {
    pid_t parent = getpid();
    int sockets[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return -errno;
    self->pid = fork();
    if (self->pid == 0)
        serve(sockets[1], parent);
    r = self->pid < 0 ? -errno : mn_process_open(self->pid, &self->pidfd);
    close(sockets[1]);
    if (r < 0) {
        close(sockets[0]); /* by which it ends */
        if (self->pid > 0)
            waitpid(self->pid, NULL, 0);
        self->pid = 0;
        return r == -ESRCH ? -EIO : r; /* somebody was quick to kill it */
    }

    self->socket = sockets[0];
    self->socket_source = g_unix_fd_add(self->socket, G_IO_IN | G_IO_HUP, on_socket, self);
    return 0;
}

/* --- those that were given up --- */

static void left_behind_free(LeftBehind *left) {
    g_queue_remove(&left->helper->left_behind, left);
    if (left->source > 0)
        g_source_remove(left->source);
    if (left->pidfd >= 0)
        close(left->pidfd);
    g_free(left);
}

static gboolean on_forgiven(gpointer data) {
    LeftBehind *left = data;

    left->source = 0;
    left_behind_free(left);
    return G_SOURCE_REMOVE;
}

static gboolean on_left_behind_ended(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    LeftBehind *left = data;

    waitpid(left->pid, NULL, 0);
    close(left->pidfd);
    left->pidfd = -1;
    left->source = g_timeout_add(left->task ? PENANCE * left->task->limit_ms : 0, on_forgiven, left);
    return G_SOURCE_REMOVE;
}

static void leave_behind(MnHelper *self, const MnTask *task, uid_t uid) {
    LeftBehind *left = g_new0(LeftBehind, 1);

    syscall(SYS_pidfd_send_signal, self->pidfd, SIGKILL, NULL, 0);
    *left = (LeftBehind){ .helper = self, .pid = self->pid, .pidfd = self->pidfd, .task = task, .uid = uid };
    left->source = g_unix_fd_add(left->pidfd, G_IO_IN, on_left_behind_ended, left);
    g_queue_push_tail(&self->left_behind, left);

    g_clear_handle_id(&self->socket_source, g_source_remove);
    close(self->socket);
    self->pid = 0;
}

/* Root is not kept from anything by what others do. */
static gboolean may_ask(const MnHelper *self, const MnTask *task, uid_t uid) {
    guint n = 0;

    for (const GList *link = self->left_behind.head; link; link = link->next) {
        const LeftBehind *left = link->data;

        if (left->uid == uid && left->task == task)
            return uid == 0;
        n += left->pidfd >= 0;
    }
    return uid == 0 || n < LEFT_BEHIND_MAX;
}

/* --- jobs --- */

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

/* Gives the first job to the process. */
static int job_begin(MnHelper *self, const int *fds, guint n_fds) {
    const MnHelperJob *job = g_queue_peek_head(&self->jobs);
    gconstpointer bytes;
    gsize len;
    int r;

    r = self->pid > 0 ? 0 : start(self);
    if (r < 0)
        return r;

    bytes = g_bytes_get_data(job->question, &len);
    r = mn_parcel_send(self->socket, (gsize)job->task, bytes, len, fds, n_fds, MSG_DONTWAIT);
    if (r < 0) {
        leave_behind(self, NULL, 0);
        return r == -EPIPE ? -EIO : r == -EAGAIN ? -ENOMEM : r;
    }
    self->is_working = TRUE;
    mn_alarm_set(self->limit, mn_clock_now_us(&mn_machine_clock) + job->task->limit_ms * G_TIME_SPAN_MILLISECOND);
    return 0;
}

/* Takes the first job off, and only then tells. */
static void job_end(MnHelper *self, int r) {
    g_auto(MnParcel) answer = self->answer;
    MnHelperJob *job = g_queue_pop_head(&self->jobs);

    mn_parcel_init(&self->answer);
    self->is_working = FALSE;
    mn_alarm_stop(self->limit);
    if (job->answered)
        job->answered(r >= 0 && answer.is_cut ? -EMFILE : r, &answer, job->data);
    job_free(job);
}

static void drop_forgotten(MnHelper *self) {
    for (MnHelperJob *job; (job = g_queue_peek_head(&self->jobs)) && !job->answered;)
        job_free(g_queue_pop_head(&self->jobs));
}

/* Until there is one that has begun, or none. */
static void begin_next(MnHelper *self) {
    while (!self->is_working) {
        MnHelperJob *job;
        int r;

        drop_forgotten(self);
        job = g_queue_peek_head(&self->jobs);
        if (!job)
            return;
        r = job_begin(self, job->fds, job->n_fds);
        if (r < 0)
            job_end(self, r);
        else
            close_copies(job);
    }
}

static void go_on(MnHelper *self) {
    begin_next(self);
    if (self->is_wanted && self->pid == 0)
        (void)start(self); /* or when it is asked */
}

static gboolean on_socket(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnHelper *self = data;
    gint64 word;
    int r;

    r = mn_parcel_receive(&self->answer, fd, MSG_DONTWAIT, &word);
    if (r == 0 || r == -EAGAIN)
        return G_SOURCE_CONTINUE;
    if (r < 0) {
        g_warning("the helper process %d was ended by somebody; the next request starts another", self->pid);
        leave_behind(self, NULL, 0);
    }
    if (self->is_working)
        job_end(self, r < 0 ? -EIO : (int)word);
    go_on(self);
    return G_SOURCE_CONTINUE; /* or it has been removed */
}

static void on_limit(gpointer data) {
    MnHelper *self = data;
    const MnHelperJob *job = g_queue_peek_head(&self->jobs);

    g_message("to %s for user %u took more than %u ms; given up", job->task->name, job->uid, job->task->limit_ms);
    leave_behind(self, job->task, job->uid);
    job_end(self, -EBUSY);
    go_on(self);
}

MnHelper *mn_helper_new(void) {
    MnHelper *self = g_new0(MnHelper, 1);

    mn_parcel_init(&self->answer);
    self->limit = mn_alarm_new(&mn_machine_clock, "helper", on_limit, self);
    return self;
}

/* An idle one ends at once, and is waited for. */
void mn_helper_dismiss(MnHelper *self) {
    pid_t pid = self->pid;

    if (pid == 0)
        return;
    leave_behind(self, NULL, 0);
    if (!self->is_working)
        waitpid(pid, NULL, 0);
    left_behind_free(g_queue_peek_tail(&self->left_behind));
}

void mn_helper_free(MnHelper *self) {
    if (!self)
        return;
    self->is_ending = TRUE;
    mn_helper_dismiss(self);
    while (!g_queue_is_empty(&self->jobs))
        job_end(self, -ENOTCONN);
    while (!g_queue_is_empty(&self->left_behind))
        left_behind_free(g_queue_peek_head(&self->left_behind));
    mn_alarm_free(self->limit);
    mn_parcel_clear(&self->answer);
    g_free(self);
}

int mn_helper_prepare(MnHelper *self) {
    self->is_wanted = TRUE;
    return self->pid > 0 ? 0 : start(self);
}

int mn_helper_ask(MnHelper *self, const MnTask *task, uid_t uid, gconstpointer question, gsize len, const int *fds,
                  guint n_fds, MnAnswered answered, gpointer data, MnHelperJob **ret) {
    MnHelperJob *job;
    int r;

    if (self->is_ending)
        return -ENOTCONN;
    if (!may_ask(self, task, uid))
        return -EBUSY;

    job = g_new0(MnHelperJob, 1);
    *job = (MnHelperJob){ .task = task, .uid = uid, .answered = answered, .data = data };
    job->question = g_bytes_new(question, len);
    g_queue_push_tail(&self->jobs, job);
    r = self->is_working || self->jobs.length > 1 ? copy_fds(job, fds, n_fds) : job_begin(self, fds, n_fds);
    if (r < 0) {
        job_free(g_queue_pop_tail(&self->jobs));
        return r;
    }
    *ret = job;
    return 0;
}

void mn_helper_forget(MnHelperJob *job) {
    job->answered = NULL;
}

void mn_helper_settle(MnHelper *self) {
    while (!g_queue_is_empty(&self->jobs))
        g_main_context_iteration(NULL, TRUE);
}
