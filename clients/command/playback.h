/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/event.h"
#include "board/board.h"

/* A recording or a scenario that is gone through here, by the server's own rooms, so that the same happens in it as where a
 * server plays it. */
typedef struct CmdPlayback CmdPlayback;

/* Stands at its first moment. The meters show the memory of the machine if `is_of_machine`, else that of the group that was
 * recorded, if there is one. NULL: it was said why not. */
CmdPlayback *cmd_playback_new(const char *path, gboolean is_of_machine);
void cmd_playback_free(CmdPlayback *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdPlayback, cmd_playback_free)

/* What happens to these limits from the present moment on is told, and that there is more memory or less, or that the group
 * was removed or is there again. NULL: those that were recorded, else CMD_PLAYBACK_LIMITS. CMD_OK; else it was said why
 * not. Once. */
int cmd_playback_watch(CmdPlayback *self, const char *limits, void (*told)(const MnEvent *event, gpointer data),
                       gpointer data);
#define CMD_PLAYBACK_LIMITS "available<10%"

/* Those that are watched. */
const MnLimitSet *cmd_playback_get_limits(const CmdPlayback *self);

/* From the present moment on each is made of all that the meters show, and of the stalls, whatever the limits need. Once. */
void cmd_playback_want_all(CmdPlayback *self);

/* Goes on to the next moment. FALSE: there is none; where it was cut that is warned of. */
gboolean cmd_playback_step(CmdPlayback *self);

/* What there is at the present moment. */
const MnMoment *cmd_playback_get_moment(const CmdPlayback *self);
const MnMachine *cmd_playback_get_machine(const CmdPlayback *self);
gboolean cmd_playback_has_group(const CmdPlayback *self); /* whose memory the meters show */
MnScript *cmd_playback_get_script(const CmdPlayback *self);
