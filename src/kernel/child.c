/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child has no descriptor of the daemon's (above all no /dev/fuse, or the connection would not end with the daemon), and
 * is locked in memory as it is. */
#include "child.h"

#include "kernel/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_FD 3

/* Who looks for the daemon by its name, as with pidof(1), finds no other. */
static void take_name(const char *name) {
    gsize room = strlen(program_invocation_name);

    prctl(PR_SET_NAME, name);
    memset(program_invocation_name, 0, room); /* argv[0] */
    g_strlcpy(program_invocation_name, name, room + 1);
}

/* A service manager or a terminal signals all processes of a service when the daemon ends, or is to end. */
static void ignore_signals(void) {
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static G_NORETURN void begin(const char *name, gboolean outlives_us, MnChildRun run, gpointer data, int socket,
                             pid_t parent) {
    if (outlives_us)
        ignore_signals();
    else
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    take_name(name);
    if (getppid() != parent || dup2(socket, SOCKET_FD) < 0)
        _exit(1);
    if (syscall(SYS_close_range, SOCKET_FD + 1, ~0U, 0) < 0) /* before 5.9 */
        for (int fd = getdtablesize() - 1; fd > SOCKET_FD; fd--)
            close(fd);
    (void)mlockall(MCL_CURRENT | MCL_ONFAULT);
    run(SOCKET_FD, data);
    _exit(0);
}

int mn_child_start(const char *name, gboolean outlives_us, MnChildRun run, gpointer data, MnChild *ret) {
    pid_t pid, parent = getpid();
    int sockets[2], pidfd, r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        begin(name, outlives_us, run, data, sockets[1], parent);
    r = pid < 0 ? -errno : mn_process_open(pid, &pidfd);
    close(sockets[1]);
    if (r < 0) {
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        close(sockets[0]);
        return r == -ESRCH ? -EIO : r; /* somebody was quick to kill it */
    }

    *ret = (MnChild){ .pid = pid, .pidfd = pidfd, .socket = sockets[0] };
    return 0;
}

void mn_child_kill(const MnChild *self) {
    syscall(SYS_pidfd_send_signal, self->pidfd, SIGKILL, NULL, 0);
}
