/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asked for a signal, for as long as it is the same program.
 *
 * A pidfd stays with its process, so that a reused number does no harm. That the process has
 * executed another program is seen by its memory: an open /proc/PID/pagemap belongs to the address
 * space that the process had when it was opened, and reads as empty once no process uses that any
 * more. A read of one byte is wrong for this file and so gives EINVAL while the address space is
 * alive, before the kernel takes any lock or looks at a page.
 *
 * (The start time of a process does not change when it executes, and its executable may be the same
 * one again.) A child of vfork() that shares its parent's memory is taken for alive until the parent
 * ends, also when it has executed; and so is a program in the microsecond between that look and the
 * signal. Neither lends anybody rights, since the signal is sent with those of who has asked. */
#include "program.h"

#include "kernel/client.h"
#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* "/proc/", a number, "/pagemap" */
#define PATH_BYTES 40
static int open_memory(pid_t pid) {
    char path[PATH_BYTES];
    int fd;

    g_snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    return errno == EACCES || errno == EPERM ? -EPERM : errno == ENOENT ? -EOPNOTSUPP : -errno;
}

static gboolean is_same_program(const MnProgram *self) {
    char byte;

    return pread(self->memory_fd, &byte, 1, 0) < 0 && errno == EINVAL;
}

static int open_program(MnProgram *self, pid_t tid) {
    pid_t pid;
    int r;

    if (!mn_process_proc_is_ours())
        return -EOPNOTSUPP;
    r = mn_client_find_process(tid, self->uid, &pid);
    if (r < 0)
        return r;
    r = mn_process_open(pid, &self->pidfd);
    if (r < 0)
        return r;
    self->memory_fd = open_memory(pid);
    if (self->memory_fd < 0)
        return self->memory_fd;

    r = mn_client_find_process(tid, self->uid, &pid); /* still there, so none of the numbers was reused */
    return r < 0 ? r : mn_program_signal(self, 0);
}

int mn_program_open(pid_t tid, uid_t uid, MnProgram *ret) {
    MnProgram self = { -1, -1, uid };
    int r;

    r = tid > 0 ? open_program(&self, tid) : -ESRCH;
    if (r < 0)
        mn_program_close(&self);
    else
        *ret = self;
    return r;
}

void mn_program_close(MnProgram *self) {
    if (self->pidfd >= 0)
        close(self->pidfd);
    if (self->memory_fd >= 0)
        close(self->memory_fd);
    self->pidfd = self->memory_fd = -1;
}

int mn_program_signal(const MnProgram *self, int number) {
    if (!is_same_program(self))
        return -ESRCH;
    return mn_process_signal_as(self->pidfd, self->uid, number);
}

/* --- asked for from the main loop --- */

typedef struct Question {
    pid_t tid;
    uid_t uid;
    int number;
} Question;

static int run_open(MnParcel *question, MnParcel *answer) {
    const Question *asked = (const Question *)(void *)question->bytes->data;
    MnProgram program;
    int r;

    r = mn_program_open(asked->tid, asked->uid, &program);
    if (r < 0)
        return r;
    mn_parcel_add_fd(answer, program.pidfd);
    mn_parcel_add_fd(answer, program.memory_fd);
    return 0;
}

static int run_signal(MnParcel *question, MnParcel *answer G_GNUC_UNUSED) {
    const Question *asked = (const Question *)(void *)question->bytes->data;
    MnProgram program = { mn_parcel_get_fd(question, 0), mn_parcel_get_fd(question, 1), asked->uid };

    return mn_program_signal(&program, asked->number);
}

static const MnTask open_task = { .name = "find the program that asks for a signal",
                                  .limit_ms = MN_HELPER_LIMIT_MS,
                                  .run = run_open };
static const MnTask signal_task = { .name = "signal a program", .limit_ms = MN_HELPER_LIMIT_MS, .run = run_signal };

int mn_program_ask_open(MnHelper *helper, pid_t tid, uid_t uid, MnAnswered answered, gpointer data) {
    const Question question = { .tid = tid, .uid = uid };
    MnHelperJob *job;

    return mn_helper_ask(helper, &open_task, uid, &question, sizeof question, NULL, 0, answered, data, &job);
}

int mn_program_ask_signal(const MnProgram *self, MnHelper *helper, int number, MnAnswered answered, gpointer data,
                          MnHelperJob **ret) {
    const Question question = { .uid = self->uid, .number = number };
    const int fds[] = { self->pidfd, self->memory_fd };

    return mn_helper_ask(helper, &signal_task, self->uid, &question, sizeof question, fds, 2, answered, data, ret);
}

void mn_program_take(MnProgram *ret, uid_t uid, MnParcel *answer) {
    *ret = (MnProgram){ mn_parcel_steal_fd(answer, 0), mn_parcel_steal_fd(answer, 1), uid };
}
