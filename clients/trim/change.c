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
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

/* The C library's, or that of another library of this kind. */
static void find_next(void **found, const char *name) {
    if (!*found)
        *found = dlsym(RTLD_NEXT, name);
    if (!*found)
        abort(); /* it was called by this name */
}

/* A function of that name, and the next of it, which it calls. */
#define NEXT(type, parameters)                                                                                         \
    typedef type Function parameters;                                                                                  \
    static union {                                                                                                     \
        void *symbol;                                                                                                  \
        Function *call;                                                                                                \
    } next

#define PAUSED(function, parameters, arguments)                                                                        \
    EXPORTED int function parameters {                                                                                 \
        NEXT(int, parameters);                                                                                         \
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

/* Those that take what their callers give have as many parameters here as the kernel has: what was not given has no
 * meaning for it. C knows them by names of our own. */
EXPORTED long pass_syscall(long number, long a, long b, long c, long d, long e, long f) __asm__("syscall");
EXPORTED int pass_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                        unsigned long d) __asm__("prctl");
EXPORTED void pass_pthread_exit(void *value) __asm__("pthread_exit");

long pass_syscall(long number, long a, long b, long c, long d, long e, long f) {
    NEXT(long, (long number, long a, long b, long c, long d, long e, long f));
    bool is_paused;
    long r;
    int error;

    find_next(&next.symbol, "syscall");
    if ((number == SYS_seccomp && a != SECCOMP_GET_ACTION_AVAIL && a != SECCOMP_GET_NOTIF_SIZES) ||
        number == SYS_landlock_restrict_self)
        thread_end();
    is_paused = is_paused_for(number) && thread_pause();
    r = next.call(number, a, b, c, d, e, f);
    error = errno;
    if (is_paused)
        thread_resume();
    errno = error;
    return r;
}

int pass_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    NEXT(int, (int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d));

    find_next(&next.symbol, "prctl");
    if (option == PR_SET_SECCOMP)
        thread_end();
    return next.call(option, a, b, c, d);
}

void pass_pthread_exit(void *value) {
    NEXT(void, (void *value));

    find_next(&next.symbol, "pthread_exit");
    if (gettid() == getpid())
        thread_end();
    next.call(value);
    abort(); /* it does not return */
}
