/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"
#include "loop/clock.h"
#include "script/script.h"

/* A script that is played: what its texts say at the present moment, as files, and the clock that belongs to them. */
typedef struct MnReplay MnReplay;

/* How fast: times as fast as it was; 0: as fast as it goes. */
#define MN_REPLAY_PRESET_SPEED 1.0
#define MN_REPLAY_UNBOUNDED 0.0

/* Stands at the first moment of the script, which is the replay's in any case. -EBADMSG when there is none, -errno. */
int mn_replay_new(MnScript *script, MnReplay **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_replay_free(MnReplay *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnReplay, mn_replay_free)

MnScript *mn_replay_get_script(const MnReplay *self);

/* Of the machine that is shown: ours without a replay. */
guint mn_replay_page_bytes(const MnReplay *self);

/* Opens a text to be read by pread(2), which shows what it says at each time: the descriptor, or -errno; -ENOENT where
 * there is none at present. */
int mn_replay_open(MnReplay *self, const char *name) G_GNUC_WARN_UNUSED_RESULT;
gboolean mn_replay_has(const MnReplay *self, const char *name);

/* What meminfo says of the machine, in pages; 0 where it says nothing. */
void mn_replay_read_machine(const MnReplay *self, guint64 *ret_total_pages, guint64 *ret_swap_pages);

/* Moves on to the next moment. From the last one of the script on there is one each second, in which nothing changes. */
void mn_replay_step(MnReplay *self);

/* Whether the script has no further one. */
gboolean mn_replay_has_ended(const MnReplay *self);

/* Moves on as far as it has come by now, for whoever did not wait. Where it goes as fast as it can it does not while
 * nobody does. Whether it has moved. */
gboolean mn_replay_catch_up(MnReplay *self);

/* --- time --- */

void mn_replay_set_speed(MnReplay *self, double speed);

/* The clock goes from now on. It does not before. */
void mn_replay_start(MnReplay *self);

/* Where it goes as fast as it can: somebody was told, and is to have the time to take notice. */
void mn_replay_pause(MnReplay *self);

/* The time as those know it who live in it: that of the present moment, so that it does not depend on when somebody
 * asks. */
const MnClock *mn_replay_get_clock(const MnReplay *self);

/* By which it is 1 when the next moment has come. */
const MnClock *mn_replay_get_pacemaker(const MnReplay *self);
