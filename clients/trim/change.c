/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who changes what it is, or may, has no second thread meanwhile: these functions stand before the C library's.
 *
 * Users and groups are those of a thread, for the kernel: the C library changes them in each, and aborts where it may in one and
 * not in another, as when only the first has kept its capabilities. Capabilities it changes in the caller only: a thread
 * that has kept those that the program has given up would be a way to have them back. And into a new user namespace no
 * process with threads can go.
 *
 * Who confines itself, by seccomp(2) or landlock(7), or whose first thread ends while others go on, is left alone from then on: a
 * thread of ours would be one that is not confined, or would be killed, or would keep the process from ending. */
#include "thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

/* The C library's, or that of another library of this kind. */
static void *find_next(void **found, const char *name) {
    if (!*found)
        *found = dlsym(RTLD_NEXT, name);
    if (!*found)
        abort(); /* it was called by this name */
    return *found;
}

#define PAUSED(function, parameters, arguments)                                                                        \
    EXPORTED int function parameters {                                                                                 \
        static union {                                                                                                 \
            void *symbol;                                                                                              \
            int(*call) parameters;                                                                                     \
        } next;                                                                                                        \
        bool is_paused;                                                                                                \
        int r, error;                                                                                                  \
                                                                                                                       \
        find_next(&next.symbol, #function);                                                                            \
        is_paused = thread_pause();                                                                                    \
        r = next.call arguments;                                                                                       \
        error = errno;                                                                                                 \
        if (is_paused)                                                                                                 \
            thread_resume();                                                                                           \
        errno = error;                                                                                                 \
        return r;                                                                                                      \
    }

int capset(cap_user_header_t header, const cap_user_data_t data);

PAUSED(setuid, (uid_t uid), (uid))
PAUSED(setgid, (gid_t gid), (gid))
PAUSED(seteuid, (uid_t uid), (uid))
PAUSED(setegid, (gid_t gid), (gid))
PAUSED(setreuid, (uid_t ruid, uid_t euid), (ruid, euid))
PAUSED(setregid, (gid_t rgid, gid_t egid), (rgid, egid))
PAUSED(setresuid, (uid_t ruid, uid_t euid, uid_t suid), (ruid, euid, suid))
PAUSED(setresgid, (gid_t rgid, gid_t egid, gid_t sgid), (rgid, egid, sgid))
PAUSED(setgroups, (size_t n, const gid_t *groups), (n, groups))
PAUSED(initgroups, (const char *user, gid_t group), (user, group))
PAUSED(capset, (cap_user_header_t header, const cap_user_data_t data), (header, data))
PAUSED(unshare, (int flags), (flags))
PAUSED(setns, (int fd, int type), (fd, type))

/* The kernel takes no more, and none that is missing has a meaning. */
#define N_ARGUMENTS 6

static bool is_paused_for(long number) {
    switch (number) {
    case SYS_setuid:
    case SYS_setgid:
    case SYS_setreuid:
    case SYS_setregid:
    case SYS_setresuid:
    case SYS_setresgid:
    case SYS_setgroups:
    case SYS_capset:
    case SYS_unshare:
    case SYS_setns:
        return true;
    default:
        return false;
    }
}

EXPORTED long syscall(long number, ...) {
    static union {
        void *symbol;
        long (*call)(long number, ...);
    } next;
    long a[N_ARGUMENTS], r;
    bool is_paused;
    va_list arguments;
    int error;

    va_start(arguments, number);
    for (int i = 0; i < N_ARGUMENTS; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);

    find_next(&next.symbol, "syscall");
    if ((number == SYS_seccomp && a[0] != SECCOMP_GET_ACTION_AVAIL && a[0] != SECCOMP_GET_NOTIF_SIZES) ||
        number == SYS_landlock_restrict_self)
        thread_end();
    is_paused = is_paused_for(number) && thread_pause();
    r = next.call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    error = errno;
    if (is_paused)
        thread_resume();
    errno = error;
    return r;
}

EXPORTED int prctl(int option, ...) {
    static union {
        void *symbol;
        int (*call)(int option, ...);
    } next;
    unsigned long a[4];
    va_list arguments;

    va_start(arguments, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(arguments, unsigned long);
    va_end(arguments);

    find_next(&next.symbol, "prctl");
    if (option == PR_SET_SECCOMP)
        thread_end();
    return next.call(option, a[0], a[1], a[2], a[3]);
}

EXPORTED void pthread_exit(void *value) {
    static union {
        void *symbol;
        void (*call)(void *value);
    } next;

    find_next(&next.symbol, "pthread_exit");
    if (gettid() == getpid())
        thread_end();
    next.call(value);
    abort(); /* it does not return */
}
