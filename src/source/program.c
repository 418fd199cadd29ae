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
 * signal. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* "/proc/", a number, "/pagemap" */
#define PATH_BYTES 40

/* The line that we look for is among the first of /proc/PID/status. */
#define STATUS_BYTES 1024

struct MnProgram {
    int pidfd;
    int memory_fd;
};

/* Whether the numbers in /proc are those of our pid namespace. */
static gboolean shows_our_namespace(void) {
    char target[PATH_BYTES];
    gssize len = readlink("/proc/self", target, sizeof target - 1);

    if (len < 0)
        return FALSE;
    target[len] = '\0';
    return strtol(target, NULL, 10) == getpid();
}

/* The process of a thread: "Tgid:\t4711\n" of its status. */
static int read_tgid(pid_t tid, pid_t *ret) {
    char path[PATH_BYTES], text[STATUS_BYTES];
    const char *line;
    gssize len;
    int fd;

    g_snprintf(path, sizeof path, "/proc/%d/status", tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -ESRCH;
    len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len < 0)
        return -ESRCH;

    text[len] = '\0';
    line = strstr(text, "\nTgid:");
    if (!line)
        return -ESRCH;
    *ret = (pid_t)strtol(line + strlen("\nTgid:"), NULL, 10);
    return *ret > 0 ? 0 : -ESRCH;
}

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

int mn_program_new(pid_t tid, MnProgram **ret) {
    g_autoptr(MnProgram) self = g_new0(MnProgram, 1);
    pid_t pid, again;
    int r;

    self->pidfd = self->memory_fd = -1;
    if (tid <= 0)
        return -ESRCH;
    if (!shows_our_namespace())
        return -EOPNOTSUPP;
    r = read_tgid(tid, &pid);
    if (r < 0)
        return r;

    self->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (self->pidfd < 0)
        return errno == ENOSYS ? -EOPNOTSUPP : -errno;
    self->memory_fd = open_memory(pid);
    if (self->memory_fd < 0)
        return self->memory_fd;

    r = read_tgid(tid, &again); /* still there, so none of the numbers was reused */
    if (r < 0 || again != pid)
        return -ESRCH;
    r = mn_program_signal(self, 0);
    if (r < 0)
        return r;

    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_program_free(MnProgram *self) {
    if (!self)
        return;
    if (self->pidfd >= 0)
        close(self->pidfd);
    if (self->memory_fd >= 0)
        close(self->memory_fd);
    g_free(self);
}

int mn_program_signal(const MnProgram *self, int signal_number) {
    if (!is_same_program(self))
        return -ESRCH;
    return syscall(SYS_pidfd_send_signal, self->pidfd, signal_number, NULL, 0) < 0 ? -errno : 0;
}
