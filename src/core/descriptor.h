/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What the text of /proc/PID/fdinfo/N says of a descriptor. */
typedef struct MnDescriptor {
    gboolean is_path;     /* opened with O_PATH: no operation is allowed on it */
    guint64 mount_id;
    guint64 ino;          /* 0 where the kernel does not tell (before 5.14) */
    guint64 eventfd_id;   /* 0 if it is no eventfd; as long as an eventfd lives no other has its */
    gboolean is_eventfd;
} MnDescriptor;

/* -EBADMSG, and *ret untouched, without "flags:" and "mnt_id:". */
int mn_descriptor_parse(const char *text, MnDescriptor *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The process of a thread: the "Tgid:" of the text of /proc/TID/status. -EBADMSG without one. */
int mn_process_parse(const char *status, int *ret_pid) G_GNUC_WARN_UNUSED_RESULT;
