/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "thresholds/eventlog.h"
#include "board/board.h"
#include "quota/quota.h"

#include <sys/types.h>

/* All named thresholds, and the log of their events. */
typedef struct MnThresholds MnThresholds;

/* A set of limits that has a name and outlives its writer. It follows the memory while somebody
 * waits for it, and otherwise is brought up to date when somebody looks. */
typedef struct MnThreshold MnThreshold;

/* Board and quota stay the caller's and outlive it. */
MnThresholds *mn_thresholds_new(MnBoard *board, MnQuota *quota);
void mn_thresholds_free(MnThresholds *self); /* after the last threshold */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnThresholds, mn_thresholds_free)

/* Somebody reads the events of all thresholds, from now on until as many calls of unlisten. */
void mn_thresholds_listen(MnThresholds *self);
void mn_thresholds_unlisten(MnThresholds *self);
const MnEventLog *mn_thresholds_get_log(const MnThresholds *self);

/* Brings all thresholds up to date, also those for which nobody waits. */
void mn_thresholds_update(MnThresholds *self);

/* appended() is called when the log has new events, perhaps while they are told of a moment: it may only put notices
 * into the outbox. `data` is passed to it. */
void mn_thresholds_set_appended(MnThresholds *self, void (*appended)(gpointer data), gpointer data);

/* An empty threshold, charged to user `uid`. -ENAMETOOLONG, -EINVAL: mn_name_check(). -EDQUOT: too many.
 * That the name is free is the caller's care. */
int mn_threshold_new(MnThresholds *thresholds, const char *name, uid_t uid, MnThreshold **ret)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_threshold_free(MnThreshold *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnThreshold, mn_threshold_free)

/* Gives it another name, from now on also in the log. Errors as mn_name_check(). */
int mn_threshold_rename(MnThreshold *self, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* changed() is called when the limits, or which of them are reached, have changed, and when the group has gone or come
 * back; as appended(). */
void mn_threshold_set_changed(MnThreshold *self, void (*changed)(gpointer data), gpointer data);

/* Whether the group whose memory is shown is gone, see mn_board_is_gone(). */
gboolean mn_threshold_is_gone(const MnThreshold *self);

/* Sets the limits: `text` is the whole set, or with `add` replaces or adds those that it names and
 * leaves the others. A limit reached already is no event. -EINVAL as mn_limit_set_parse(), with
 * `fault`; -EDQUOT for more limits
 * than the user may have, -ENODEV while the group is gone; then nothing has changed. */
int mn_threshold_write(MnThreshold *self, const char *text, gsize len, gboolean add, MnFault *fault)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same with a whole set that was parsed before. */
int mn_threshold_set_limits(MnThreshold *self, const MnLimitSet *limits) G_GNUC_WARN_UNUSED_RESULT;

/* Whether either was ever done. */
gboolean mn_threshold_was_written(const MnThreshold *self);

const char *mn_threshold_get_name(const MnThreshold *self);

/* Who is charged for it. */
uid_t mn_threshold_get_payer(const MnThreshold *self);

/* One of its limits, as it was when the threshold was brought up to date last. */
typedef struct MnThresholdLimit {
    MnMeterId meter;
    MnOp op;
    guint64 pages; /* per cent resolved */
    gboolean is_reached;
    guint64 n_crossings; /* since it was written */
} MnThresholdLimit;

guint mn_threshold_get_n_limits(const MnThreshold *self);
MnThresholdLimit mn_threshold_get_limit(const MnThreshold *self, guint i);

/* Appends one line a limit: "used value=5123456 op=>= limit=4945632 reached=1 crossings=3\n". -ENODEV
 * while the group is gone. */
int mn_threshold_render(MnThreshold *self, GString *text) G_GNUC_WARN_UNUSED_RESULT;

/* Grows whenever the limits, or which of them are reached, have changed; never 0. */
guint64 mn_threshold_get_generation(const MnThreshold *self);

/* Somebody waits for changed(), from now on until as many calls of unwait. */
void mn_threshold_wait(MnThreshold *self);
void mn_threshold_unwait(MnThreshold *self);
