/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "script/recorder.h"

/* A flight recorder: holds what was recorded last in memory, and writes it to a file when limits are reached, or when it is
 * asked to; goes on writing each moment until they have been left for a while, or the file is full. */
typedef struct CmdFlight CmdFlight;

/* What is held are the last `span_us`, in frames of CMD_FLIGHT_FRAME_US. Limits are those of the machine below
 * `proc_directory`, or of the group whose directory is `group`, "" for our own, if that is not NULL. CMD_OK; else it was said
 * why not. */
int cmd_flight_new(const char *directory, gint64 span_us, const char *limits, const char *proc_directory,
                   const char *group, CmdFlight **ret);
void cmd_flight_free(CmdFlight *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdFlight, cmd_flight_free)

#define CMD_FLIGHT_FRAME_US (30 * G_TIME_SPAN_SECOND)

/* The text of the limits, which is recorded, too. */
const char *cmd_flight_get_limits(const CmdFlight *self);

/* Whether the limits are reached, or were a while ago, so that what happens is written: looks at memory. */
gboolean cmd_flight_look(CmdFlight *self, gint64 time_us);

/* Takes what the recorder has after a moment. `wants_dump`: it is to be written in any case. FALSE: it cannot be, and it
 * was said why not. */
gboolean cmd_flight_save(CmdFlight *self, MnRecorder *recorder, gint64 time_us, gint64 date_us, gboolean wants_dump);

/* There is nothing more to come: what is being written is complete. FALSE as above. */
gboolean cmd_flight_end(CmdFlight *self, MnRecorder *recorder);
