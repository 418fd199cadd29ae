/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "probe/group.h"
#include "probe/memcg.h"
#include "probe/moment.h"
#include "probe/proc.h"
#include "probe/replay.h"

/* Turns the world into moments: the texts of a machine, and the control groups whose memory is asked for. */
typedef struct MnProbe MnProbe;

/* For the machine below `proc_directory`. -errno when it cannot be probed: *ret_name then names the file at
 * fault, or is NULL for the directory. */
int mn_probe_new(const char *proc_directory, MnProbe **ret, const char **ret_name) G_GNUC_WARN_UNUSED_RESULT;
void mn_probe_free(MnProbe *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnProbe, mn_probe_free)

/* For the machine that a script is of, which is the probe's in any case; what the script lacks is not offered. With
 * `with_group` the meters show the memory of the group that it has, if it has one; memcg/ is of that in any case. Errors as above. */
int mn_probe_new_replay(MnScript *script, gboolean with_group, MnProbe **ret, const char **ret_name)
    G_GNUC_WARN_UNUSED_RESULT;

/* What is played; NULL where the probe looks at the world. Each look is at its present moment. */
MnReplay *mn_probe_get_replay(const MnProbe *self);

/* From now on the meters show the memory of the group, which is the probe's then, and not the machine's. An
 * error is to be the end of the probe. *ret_name as above. */
int mn_probe_set_group(MnProbe *self, MnGroup *group, const char **ret_name) G_GNUC_WARN_UNUSED_RESULT;

/* The group that the meters MN_METER_GROUP_… and reclaim and OOMs are measured in, which is the probe's then; NULL
 * for the whole system. */
void mn_probe_set_memcg(MnProbe *self, MnMemcg *memcg);
MnMemcg *mn_probe_get_memcg(const MnProbe *self);

const MnMachine *mn_probe_get_machine(const MnProbe *self);

/* Whether it is the machine that we run on, which goes on by itself. */
gboolean mn_probe_is_live(const MnProbe *self);

/* The sources that a meter is made of. */
guint mn_probe_meter_sources(const MnProbe *self, MnMeterId meter);

/* Looks now. -errno when the meters cannot be had: *ret is untouched then, and the values of last time are the
 * best there are; not so when the group of the meters is gone, which is a moment like others. Warns when something
 * goes bad, and says when all is good again. time_us, serial and reading are the caller's to set. Allocates only when
 * a text has grown beyond any before, or the group is made anew. */
int mn_probe_look(MnProbe *self, const MnNeeds *needs, MnMoment *ret) G_GNUC_WARN_UNUSED_RESULT;

/* One of the machine's texts as it is now, see mn_proc_read(). */
int mn_probe_read_text(MnProbe *self, MnSource source, const char **ret_text, gsize *ret_len) G_GNUC_WARN_UNUSED_RESULT;

/* Of the group of memcg/, or the whole system: what was reclaimed, how often memory ran out, how many processes the
 * OOM killer has killed for it. -errno, and *ret untouched, where that cannot be told. */
int mn_probe_read_reclaim(MnProbe *self, MnVmpressureCounters *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_probe_read_ooms(MnProbe *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_probe_read_oom_kills(MnProbe *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the kernel's word that memory is short, see mn_psi_open(); -ENOTSUP where it would be about another
 * machine, -ENODEV while the group is gone. */
int mn_probe_open_pressure(const MnProbe *self, int *ret_fd) G_GNUC_WARN_UNUSED_RESULT;

/* A descriptor that becomes readable when a text has changed, or -1 where none is told of; see
 * mn_proc_drain_changes(). */
int mn_probe_get_changes_fd(MnProbe *self);
void mn_probe_drain_changes(MnProbe *self);

/* Whether the meters show a group, which may go and come back. From the one to the other the descriptor becomes readable
 * when it may have, see mn_place_watch_start(); -errno where nobody tells. */
gboolean mn_probe_has_group(const MnProbe *self);
int mn_probe_watch_group(MnProbe *self);
void mn_probe_unwatch_group(MnProbe *self);
gboolean mn_probe_drain_group(MnProbe *self);
