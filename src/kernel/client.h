/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/descriptor.h"

#include <sys/types.h>

/* For the helper only: these may wait. */

/* The process of a thread that waits for our answer to user `uid`. -ESRCH when there is no such thread, -EPERM for
 * 0: one that cannot be seen from our pid namespace, or for one that is not the user's any more (any is root's). */
int mn_client_find_process(pid_t tid, uid_t uid, pid_t *ret_pid) G_GNUC_WARN_UNUSED_RESULT;

/* What descriptor `number` of a process is. Nothing is asked of the file behind it, which may be
 * one of our own or anybody's. -EBADF when it is not open, -EPERM when we may not look. */
int mn_client_look(pid_t pid, guint64 number, MnDescriptor *ret) G_GNUC_WARN_UNUSED_RESULT;

/* st_dev and st_ino of the file behind a descriptor, as far as the kernel knows them without asking
 * the file's server. -EINVAL when it does not tell. */
int mn_client_find_file(pid_t pid, guint64 number, dev_t *ret_device, guint64 *ret_ino) G_GNUC_WARN_UNUSED_RESULT;

/* A copy of descriptor `number`, which mn_client_look() has shown to be the eventfd
 * `eventfd_id`. -EINVAL when it is another by now; -EPERM when the kernel does not allow it
 * (pidfd_getfd(2): the rules of ptrace). */
int mn_client_take_eventfd(int pidfd, guint64 number, guint64 eventfd_id, int *ret_fd) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the process still has the eventfd: under *number, which is brought up to date, or elsewhere among its
 * first 128 descriptors: looking at one costs 5 us, and a client may have very many. -ENOENT when it has not; another
 * -errno when we cannot know. */
int mn_client_look_again(pid_t pid, guint64 eventfd_id, guint64 *number) G_GNUC_WARN_UNUSED_RESULT;
