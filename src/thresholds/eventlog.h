/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/event.h"

#include <sys/types.h>

/* How many events of one user are kept, if all his limits do not need more. */
#define MN_EVENT_LOG_LINES 1024

/* When all users have room for so many together, whoever comes next gets what his limits need, and no
 * fewer than MN_EVENT_LOG_LINES_AT_LEAST: a bound for memory, however many users there are. 8 MB, and as
 * much again until what is lost is cleared away. */
#define MN_EVENT_LOG_LINES_OF_ALL (64 * MN_EVENT_LOG_LINES)
#define MN_EVENT_LOG_LINES_AT_LEAST 32
#define MN_EVENT_LOG_LINES_FOR_ALL 32

/* The last events of each user's thresholds, in one order for all, for any number of readers. A reader
 * is one number, its cursor: who does not read costs nothing and holds nothing up.
 *
 * Of one user as many events are kept as all his limits make in two samples, so that a reader that was up
 * to date loses nothing when they are all crossed at once, and no fewer than MN_EVENT_LOG_LINES, whatever
 * others do. Room is given when limits are written, and kept; that of users who have no limits any more
 * is given to others when MN_EVENT_LOG_LINES_OF_ALL is reached, who left first going first.
 *
 * A reader wants what comes from when it begins. So while there is none nothing is kept. */
typedef struct MnEventLog MnEventLog;

MnEventLog *mn_event_log_new(void);
void mn_event_log_free(MnEventLog *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnEventLog, mn_event_log_free)

/* There is a reader from now on; and there is none any more, which the cursors do not outlive. */
void mn_event_log_begin(MnEventLog *self);
void mn_event_log_end(MnEventLog *self);

/* The user has this many limits more than before, or fewer if it is negative. With the last of them he
 * has left: what is kept of him stays until another needs the room, or he comes back. */
void mn_event_log_add_limits(MnEventLog *self, uid_t uid, gint n_limits);

/* An event of a threshold of a user who has limits. Without allocation; his oldest makes room. */
void mn_event_log_append(MnEventLog *self, uid_t uid, const MnEvent *event, const char *name);

/* An event of the memory that is shown, which is everybody's. The last MN_EVENT_LOG_LINES_FOR_ALL are kept. */
void mn_event_log_append_for_all(MnEventLog *self, const MnEvent *event);

/* The cursor of a reader that wants what comes from now on. */
guint64 mn_event_log_get_end(const MnEventLog *self);

/* Puts the next line for the reader at *cursor into `line` and moves the cursor on. Returns its
 * length, 0 when there is none. Where events are gone that the reader has not had, it gets a line
 * that says how many: core/event.h. */
gsize mn_event_log_next(const MnEventLog *self, guint64 *cursor, char line[MEMNOTIFYFS_EVENT_LINE_MAX]);
