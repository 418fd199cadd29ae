/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a kind of script is made of: private to this room. */
#pragma once

#include "script/script.h"

typedef struct MnScriptKind {
    /* Makes the texts those of the next moment, for which time_us is set already; then sets has_next and next_us. Errors as
     * mn_script_next(). */
    int (*advance)(MnScript *self);
    void (*free)(MnScript *self);
    gboolean is_recording;
} MnScriptKind;

/* The first member of each kind. */
struct MnScript {
    const MnScriptKind *kind;
    guint page_bytes;
    gint64 time_us;
    gint64 date_us;
    gboolean has_next;
    gint64 next_us;
    GPtrArray *texts; /* MnScriptText */
    char *fault;      /* NULL for none */
};

void mn_script_init(MnScript *self, const MnScriptKind *kind);

/* The text of that name, which is added where it is missing. What it says is the kind's to set: it stays the kind's. NULL
 * when there are too many, or the name is longer than it may be. */
MnScriptText *mn_script_add_text(MnScript *self, const char *name, gsize len);

/* Makes one of the text of a scenario, which has a NUL behind it. `path` is for the error. */
gboolean mn_scenario_open(const char *text, gsize len, const char *path, MnScript **ret, GError **error);

/* The most bytes of such a text. */
#define MN_SCENARIO_BYTES_MAX 1048576

/* Opens a recording, of which `fd` is taken over in any case. `path` is for the error. */
gboolean mn_recording_open(int fd, const char *path, MnScript **ret, GError **error);
