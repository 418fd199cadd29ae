/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/mountinfo.h"

#include <sys/types.h>

/* The files of a mount that tell how it is with it. */
typedef enum CmdFile {
    CMD_FILE_METRICS,
    CMD_FILE_SOCKET,
    CMD_FILE_SIMULATE,
    CMD_FILE_USERS,
    CMD_N_FILES
} CmdFile;

/* A text, or why there is none: -errno; -ETIMEDOUT: nobody has answered. */
typedef struct CmdText {
    int error;
    GString *text; /* "" with an error */
} CmdText;

/* What could be seen at a place where a server may be. */
typedef struct CmdSight {
    char *path;    /* absolute, without links */
    mode_t kind;   /* S_IFDIR and others; 0: not known */
    int error;     /* of asking for that; -ENOTCONN: a mount whose server has ended */
    MnMount mount; /* what is mounted there; all zero: nothing is */
    CmdText files[CMD_N_FILES];
    char *socket;     /* the path of its socket, or where it would be */
    int socket_error; /* of connecting to it */
    int client_error; /* of what a program finds there that has the library: 0 by a socket alone, too */
} CmdSight;

/* Looks at a place; never takes much longer than two seconds, whatever hangs there. To be cleared. */
void cmd_sight_init(CmdSight *self, const char *place);
void cmd_sight_clear(CmdSight *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CmdSight, cmd_sight_clear)

/* Whether a server is mounted there, and answers. */
gboolean cmd_sight_is_served(const CmdSight *self);

/* Whether one was mounted there, and it has ended. */
gboolean cmd_sight_is_dead(const CmdSight *self);

/* Whether what is mounted there is ours, alive or not. */
gboolean cmd_sight_is_ours(const CmdSight *self);

/* The user who has mounted it; -1: not known. */
long cmd_sight_get_owner(const CmdSight *self);

/* The absolute path of it, without links; to be freed. Asks nothing of what is at the path itself. */
char *cmd_sight_resolve(const char *place);
