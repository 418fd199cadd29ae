/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/crossing.h"
#include "core/parameter.h"
#include "sampler/observer.h"
#include "source/group.h"
#include "source/memcg.h"
#include "source/proc.h"
#include "source/simulate.h"

/* Owns the sources, the timer and the last sample, and tells the watches what crossed and the
 * observers what there is. */
typedef struct MnSampler MnSampler;

/* Takes a first sample below `proc_directory`. -errno when it cannot be had: *ret_name then names the
 * file at fault, or is NULL for the directory. */
int mn_sampler_new(const char *proc_directory, const MnParameters *parameters, MnSampler **ret, const char **ret_name)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_sampler_free(MnSampler *self); /* after the last watch and observer; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnSampler, mn_sampler_free)

/* From now on the meters show the memory of the group, which is the sampler's then, and not the
 * machine's. To be called before there is a watch, and once; takes a first sample, whose error is to
 * be the end of the sampler. *ret_name as above. */
int mn_sampler_set_group(MnSampler *self, MnGroup *group, const char **ret_name) G_GNUC_WARN_UNUSED_RESULT;

/* What has to be held while a file shows this meter. */
guint mn_sampler_meter_sources(const MnSampler *self, MnMeterId meter);
/* The group that the meters MN_METER_GROUP_… are measured in; it outlives the sampler. */
void mn_sampler_set_memcg(MnSampler *self, MnMemcg *memcg);

/* The kernel's texts, for those who need more of them than the meters do. */
MnProc *mn_sampler_get_proc(MnSampler *self);

const MnMachine *mn_sampler_get_machine(const MnSampler *self);

/* Somebody has a file open that shows these sources (MN_SOURCE_… bits): samples include them until
 * as many releases. Costs nothing by itself. */
void mn_sampler_hold(MnSampler *self, guint sources);
void mn_sampler_release(MnSampler *self, guint sources);

/* The present values, at most update_period old; taking a new sample tells the watches and the
 * observers. When the kernel's texts are damaged these are the last good ones. Holds until the next
 * sample. */
const MnReading *mn_sampler_read(MnSampler *self);

/* The moment of the last sample, CLOCK_MONOTONIC microseconds. */
gint64 mn_sampler_get_time_us(const MnSampler *self);

/* Another number whenever mn_sampler_read() shows other values. */
guint64 mn_sampler_get_serial(const MnSampler *self);

/* Sets a watch to the present values, silently. For a watch that was not added. */
void mn_sampler_settle(MnSampler *self, MnWatch *watch);

/* From now until it is removed, notify() of the watch is called as soon as its state changes: with
 * add, that may be before the function returns. Removing one that was not added has no effect. */
void mn_sampler_add(MnSampler *self, MnWatch *watch);
void mn_sampler_remove(MnSampler *self, MnWatch *watch);

/* From now until it is removed the observer is told every sample, the first before this returns.
 * It is left out when zoneinfo cannot be used. Removing one that was not added has no effect. */
void mn_sampler_observe(MnSampler *self, MnObserver *observer);
void mn_sampler_unobserve(MnSampler *self, MnObserver *observer);

/* One source's text as it is now, see mn_proc_read(). */
int mn_sampler_read_text(MnSampler *self, MnSource source, const char **ret_text, gsize *ret_len)
    G_GNUC_WARN_UNUSED_RESULT;

const MnParameters *mn_sampler_get_parameters(const MnSampler *self);
void mn_sampler_set_parameters(MnSampler *self, const MnParameters *parameters);

/* What is simulated. Setting it tells the watches at once. */
const MnSimulate *mn_sampler_get_simulate(const MnSampler *self);
void mn_sampler_override(MnSampler *self, const MnOverride *override);
