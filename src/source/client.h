/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/descriptor.h"

#include <sys/types.h>

/* The process of a thread. -ESRCH when there is no such thread, -EPERM for 0: one that cannot be
 * seen from our pid namespace. */
int mn_client_find_process(pid_t tid, pid_t *ret_pid) G_GNUC_WARN_UNUSED_RESULT;

/* A descriptor that becomes readable when the process ends. */
int mn_client_open(pid_t pid, int *ret_pidfd) G_GNUC_WARN_UNUSED_RESULT;

/* What descriptor `number` of a process is. Nothing is asked of the file behind it, which may be
 * one of our own or anybody's. -EBADF when it is not open, -EPERM when we may not look. */
int mn_client_look(pid_t pid, guint64 number, MnDescriptor *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The st_dev of the filesystem behind a descriptor that mn_client_look() has shown. -ENOENT when
 * neither the process nor we see its mount. */
int mn_client_find_device(pid_t pid, const MnDescriptor *descriptor, dev_t *ret)
    G_GNUC_WARN_UNUSED_RESULT;

/* The name under which the file of a descriptor was opened, without its directory, as far as it
 * fits. */
int mn_client_find_name(pid_t pid, guint64 number, char *name, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* The st_dev of our filesystem mounted at `mountpoint`, found without touching it. -ENOENT when
 * nothing is mounted there. */
int mn_client_find_own_device(const char *mountpoint, dev_t *ret) G_GNUC_WARN_UNUSED_RESULT;

/* A copy of descriptor `number`, which mn_client_look() has shown to be the eventfd
 * `eventfd_id`. -EINVAL when it is another by now; -EPERM when the kernel does not allow it
 * (pidfd_getfd(2): the rules of ptrace). */
int mn_client_take_eventfd(int pidfd, guint64 number, guint64 eventfd_id, int *ret_fd)
    G_GNUC_WARN_UNUSED_RESULT;

/* Another descriptor of the process that is the eventfd `eventfd_id`. -ENOENT when it has none
 * among its first 128: looking at one costs 5 us, and a client may have very many. -EPERM when
 * we may not look, another -errno when we cannot: only -ENOENT says that it is gone. */
int mn_client_find_eventfd(pid_t pid, guint64 eventfd_id, guint64 *ret_number)
    G_GNUC_WARN_UNUSED_RESULT;
