/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command is, as far as it matters to whoever wants to preload something into it. */
#pragma once

#include <stdbool.h>

typedef enum ProgramKind {
    PROGRAM_LIKE_US, /* has the dynamic loader that we have */
    PROGRAM_STATIC,  /* has none */
    PROGRAM_FOREIGN, /* has another: of another C library, or for another kind of processor */
    PROGRAM_UNKNOWN, /* cannot be read, or is nothing that is known here */
} ProgramKind;

typedef struct Program {
    ProgramKind kind;
    bool
        has_rights; /* gets, when it is executed, rights that its user does not have: set-user-ID, set-group-ID, capabilities */
} Program;

/* The one that execvp(3) would start for `name`; for a script it is its interpreter. PROGRAM_UNKNOWN where there is none. */
Program program_look(const char *name);
