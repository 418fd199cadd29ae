/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What is known of a descriptor of another process. */
typedef struct MnDescriptor {
    gboolean is_path; /* opened with O_PATH: no operation is allowed on it */
    gboolean is_file; /* it has a name in a filesystem */
    gboolean is_eventfd;
    guint64 eventfd_id; /* as long as an eventfd lives no other has its */
} MnDescriptor;

/* Adds what the text of /proc/PID/fdinfo/N says. -EBADMSG, and *descriptor untouched, without "flags:". */
int mn_descriptor_parse(const char *text, MnDescriptor *descriptor) G_GNUC_WARN_UNUSED_RESULT;
