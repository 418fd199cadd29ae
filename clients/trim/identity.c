/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who changes its user, group, capabilities or namespaces has no second thread meanwhile. Users and groups are those of a
 * thread, for the kernel: the C library changes them in each, and aborts where it may in one and not in another, as when
 * only the first has kept its capabilities. Capabilities it changes in the caller only: a thread that has kept those that
 * the program has given up would be a way to have them back. And into a new user namespace no process with threads can go. */
#include "thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <unistd.h>

/* A function of the C library, in the place of which it is called. */
#define PAUSED(function, parameters, arguments)                                                                        \
    __attribute__((visibility("default"))) int function parameters {                                                   \
        typedef int Function parameters;                                                                               \
        union {                                                                                                        \
            void *symbol;                                                                                              \
            Function *call;                                                                                            \
        } next = { dlsym(RTLD_NEXT, #function) };                                                                      \
        bool is_paused;                                                                                                \
        int r, error;                                                                                                  \
                                                                                                                       \
        if (!next.symbol) {                                                                                            \
            errno = ENOSYS;                                                                                            \
            return -1;                                                                                                 \
        }                                                                                                              \
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
