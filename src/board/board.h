/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/simulate.h"
#include "board/subscriber.h"
#include "core/crossing.h"
#include "loop/clock.h"
#include "loop/outbox.h"
#include "probe/probe.h"

/* Makes moments when somebody needs them and tells them to who waits: to watches when one of their limits was crossed,
 * to subscribers each. */
typedef struct MnBoard MnBoard;

/* Takes the probe, as soon as it is called, and makes a first moment. The clock and the outbox stay the caller's and
 * outlive the board. -errno when the meters cannot be had. */
int mn_board_new(MnProbe *probe, const MnClock *clock, MnOutbox *outbox, const MnParameters *parameters, MnBoard **ret)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_board_free(MnBoard *self); /* after the last watch and subscriber; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnBoard, mn_board_free)

MnProbe *mn_board_get_probe(const MnBoard *self);
MnOutbox *mn_board_get_outbox(const MnBoard *self);
const MnMachine *mn_board_get_machine(const MnBoard *self);

/* The time by the clock that the moments have. */
gint64 mn_board_now_us(const MnBoard *self);
const MnClock *mn_board_get_clock(const MnBoard *self);

/* Somebody has a file open that shows these meters' sources (MN_SOURCE_… bits): moments include them until
 * as many releases. Costs nothing by itself. */
void mn_board_hold(MnBoard *self, guint sources);
void mn_board_release(MnBoard *self, guint sources);

/* What has to be held while a file shows this meter, or all that can be named. */
guint mn_board_meter_sources(const MnBoard *self, MnMeterId meter);
#define MN_BOARD_ALL_METERS (MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO | MN_SOURCE_ARC)

/* The present values, at most update_period old; making a new moment tells the watches and the
 * subscribers. When the kernel's texts are damaged these are the last good ones, and so they are while the group of the
 * meters is gone. Holds until the next. */
const MnReading *mn_board_read(MnBoard *self);

/* Whether that group is gone, as mn_board_read() finds it. No limit is compared then, and each goes on from its state
 * when there is a group again. */
gboolean mn_board_is_gone(MnBoard *self);

/* Somebody who is told when the group has gone and when it is back, when there is more memory or less than in the
 * moment before, and of all that is shown: each moment, and each change of what is simulated. The same holds for these as
 * for told() of a subscriber; each may be NULL. It stays as long as the board, and has nothing measured. */
typedef struct MnWitness MnWitness;
struct MnWitness {
    void (*presence_changed)(MnWitness *self, const MnMoment *moment);
    void (*total_changed)(MnWitness *self, const MnMoment *moment, guint64 pages_before);
    void (*shown)(MnWitness *self, const MnMoment *moment);
    MnWitness *next;
};

void mn_board_add_witness(MnBoard *self, MnWitness *witness);

/* The last moment, as it was when it was made. */
const MnMoment *mn_board_get_moment(const MnBoard *self);

/* Makes a new moment in any case, and tells it. */
void mn_board_refresh(MnBoard *self);

/* How often the probe has looked since the start, and how often of these the meters could not be had. */
typedef struct MnLooks {
    guint64 all;
    guint64 failed;
} MnLooks;

const MnLooks *mn_board_get_looks(const MnBoard *self);

/* Waits for the limits of the watch: from now on until it is removed, crossed() is called as soon as its state
 * changes. A limit of which nothing is known as yet begins as it is at this moment; one that goes on from an
 * earlier state may have been crossed meanwhile, which is told before this returns. Removing a watch that is
 * not there has no effect. */
void mn_board_watch(MnBoard *self, MnWatch *watch);
void mn_board_unwatch(MnBoard *self, MnWatch *watch);

/* As mn_board_watch(), for limits that are of interest only at times and all together: they are told while the parked
 * are followed, and go on from the state that they had. Following takes no longer for there being many of them. */
void mn_board_park(MnBoard *self, MnWatch *watch);
void mn_board_follow_parked(MnBoard *self, gboolean follow);

/* Tells the parked what they have crossed up to now, as if they were followed for this moment. Neither does that take
 * longer for there being many of them, but for those that are told. */
void mn_board_update_parked(MnBoard *self);

/* From now on until it is removed the subscriber is told, the first moment before this returns. It is left out when
 * what it needs cannot be had. Removing one that is not there has no effect. */
void mn_board_subscribe(MnBoard *self, MnSubscriber *subscriber);
void mn_board_unsubscribe(MnBoard *self, MnSubscriber *subscriber);

const MnParameters *mn_board_get_parameters(const MnBoard *self);
void mn_board_set_parameters(MnBoard *self, const MnParameters *parameters);

/* What is simulated. Setting it tells the watches at once, and where the machine looks another all subscribers. */
const MnSimulate *mn_board_get_simulate(const MnBoard *self);
void mn_board_override(MnBoard *self, const MnOverride *override);

/* As mn_probe_read_reclaim() and mn_probe_read_ooms(), with what is simulated: what the moments go on from. */
int mn_board_read_reclaim(const MnBoard *self, MnVmpressureCounters *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_board_read_ooms(const MnBoard *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
