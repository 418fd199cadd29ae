/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "figures.h"
#include "place.h"
#include "server.h"
#include "sight.h"

typedef enum CmdSeverity {
    CMD_FAULT, /* it hinders */
    CMD_HINT,  /* it is good to know */
} CmdSeverity;

/* Something that is not as it could be. */
typedef struct CmdFinding {
    const char *id; /* the same in all versions, for programs */
    CmdSeverity severity;
    char *text;
    char *remedy;
} CmdFinding;

/* What could be seen of one server and its machine before it is judged, and what was found. */
typedef struct CmdExam {
    const char *named;    /* the place that somebody has named; NULL: the usual ones were looked at */
    const char *named_by; /* "--at" or "$MEMNOTIFYFS"; NULL */
    CmdSight sights[PLACES_MAX];
    guint n_sights;
    const CmdSight *served; /* the one that programs find, NULL for none */
    CmdServer server;       /* of that, or of the one that does not answer */
    gboolean has_figures;   /* it has files */
    CmdFigures figures;
    GPtrArray *findings; /* of CmdFinding, in the order of the checks */
} CmdExam;

/* Looks at everything. -ENAMETOOLONG. To be cleared in any case. */
int cmd_exam_init(CmdExam *self, const char *place);
void cmd_exam_clear(CmdExam *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CmdExam, cmd_exam_clear)

/* Both strings are the exam's from now on. */
void cmd_exam_add(CmdExam *self, const char *id, CmdSeverity severity, char *text, char *remedy);

/* How to call memnotify for the same server: "'memnotify simulate reset'"; to be freed. */
char *cmd_exam_command(const CmdExam *self, const char *words);

/* Whether somebody is there who does not answer. */
gboolean cmd_exam_is_silent(const CmdSight *sight);
