/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "figures.h"

/* Where figures come from. */
typedef enum CmdWay {
    CMD_WAY_FILES,  /* a mount */
    CMD_WAY_SOCKET, /* a server without files; it does not tell of named thresholds, nor of stalls */
    CMD_WAY_PROC,   /* no server: the kernel's own texts; there are no thresholds */
} CmdWay;

/* Looks at memory, as often as it is asked to. */
typedef struct CmdReader CmdReader;

/* `place` is that of the server; NULL: the usual ones, and /proc where there is none at any of them. Says on stderr what is
 * wrong, and returns the exit status. */
int cmd_reader_new(const char *place, CmdReader **ret);

/* The same, but says nothing, and is of a server alone. -errno: why there is none. */
int cmd_reader_find(const char *place, CmdReader **ret) G_GNUC_WARN_UNUSED_RESULT;

/* The other half: from /proc, as there is no server, for which `error` is the reason. */
int cmd_reader_new_without_server(int error, CmdReader **ret);

void cmd_reader_free(CmdReader *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdReader, cmd_reader_free)

CmdWay cmd_reader_get_way(const CmdReader *self);

/* The mount point, or that by which the socket was found; /proc. */
const char *cmd_reader_get_place(const CmdReader *self);

/* Why there is no server, where figures come from /proc: -ENOENT; -ENOTCONN: it has ended; or another -errno. */
int cmd_reader_get_error(const CmdReader *self);

/* The same as the beginning of a sentence; NULL where there is one. */
const char *cmd_reader_get_lack(const CmdReader *self);

/* -errno: -ENOTCONN and others say that the server is away. The result is to be cleared. */
int cmd_reader_look(CmdReader *self, CmdFigures *ret) G_GNUC_WARN_UNUSED_RESULT;
