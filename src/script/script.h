/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What the kernel's texts say from moment to moment: what was recorded, or what is described by a scenario.
 *
 * Names are those below /proc, as "meminfo" and "pressure/memory"; "cgroup/N/FILE" for the group whose memory is shown
 * (N = 0) and those above it; "processes", which has a line `PID RSS SWAP NAME` for each (bytes); and "limits", those that
 * were waited for. */
typedef struct MnScript MnScript;

#define MN_SCRIPT_CGROUP "cgroup/%d/%s" /* as printf() has it */
#define MN_SCRIPT_PROCESSES "processes"
#define MN_SCRIPT_LIMITS "limits"

/* Bounds for what others have written. */
#define MN_SCRIPT_TEXTS_MAX 256
#define MN_SCRIPT_NAME_BYTES_MAX 255
#define MN_SCRIPT_TEXT_BYTES_MAX 4194304U /* 4 MiB */

typedef struct MnScriptText {
    const char *name;
    const char *text; /* NULL while there is none; else `len` bytes and a NUL */
    gsize len;
    guint64 serial; /* another with each text */
} MnScriptText;

/* Opens a recording, or a scenario where it is text; it stands before its first moment. FALSE with an error that says what
 * is wrong, and where. */
gboolean mn_script_open(const char *path, MnScript **ret, GError **error);
void mn_script_free(MnScript *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnScript, mn_script_free)

/* Whether more moments can be appended to the file. */
gboolean mn_script_is_recording(const MnScript *self);

/* Of the machine that it is of. */
guint mn_script_get_page_bytes(const MnScript *self);

/* When the next moment is, in microseconds since the first, which is at 0; never earlier than the one before. FALSE
 * and *ret_time_us is untouched, when there is no further one. */
gboolean mn_script_peek(const MnScript *self, gint64 *ret_time_us);

/* Moves on to it. The texts hold until the next. -EBADMSG when it is damaged: then there is no further one. */
int mn_script_next(MnScript *self) G_GNUC_WARN_UNUSED_RESULT;

/* Of the moment that it is at: microseconds since the first, and the date, since 1970, 0 where it has none. */
gint64 mn_script_get_time_us(const MnScript *self);
gint64 mn_script_get_date_us(const MnScript *self);

/* All texts that there have been so far, in the order in which they came; `name` stays. */
guint mn_script_get_n_texts(const MnScript *self);
const MnScriptText *mn_script_get_text(const MnScript *self, guint i);

/* One of them as it is now, or NULL. */
const MnScriptText *mn_script_find(const MnScript *self, const char *name);

/* When there is no further moment: what is wrong with how it ends, or NULL, as when it was cut. */
const char *mn_script_get_fault(const MnScript *self);
