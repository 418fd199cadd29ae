/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The period is chosen when a turn of the main loop ends: whoever waits for an answer or a notification has it by
 * then, and many changes in one turn are one choice. */
#include "schedule.h"

#include <sys/prctl.h>

/* The driver's timer was deferrable. A sleep this long may end a little late, together with other
 * wake-ups of the machine, and is begun shorter by as much; a short one is to be punctual. */
#define FAR_MS 1000
#define FAR_SLACK_MS MN_SUBSCRIBER_EARLY_MS
#define NEAR_SLACK_NS 50000 /* the kernel's preset */

/* Wide only after a sleep that nobody interrupted: where clients come and go, each change would cost
 * a system call. */
static void set_slack(MnSchedule *self, gboolean is_far) {
    if (is_far == self->is_far || (is_far && !self->has_rung))
        return;
    self->is_far = is_far;
    prctl(PR_SET_TIMERSLACK, is_far ? FAR_SLACK_MS * 1000000UL : NEAR_SLACK_NS, 0, 0, 0);
}

static void arm(MnSchedule *self) {
    gboolean is_far = self->period_ms >= FAR_MS;
    guint64 period_ms = self->period_ms - (is_far ? FAR_SLACK_MS : 0);

    mn_alarm_set(self->alarm, self->last_us + (gint64)period_ms * G_TIME_SPAN_MILLISECOND);
    set_slack(self, is_far);
    self->has_rung = FALSE;
}

static void choose(MnNotice *notice) {
    MnSchedule *self = MN_NOTICE_OWNER(notice, MnSchedule);
    MnPace pace = {
        .page_bytes = self->page_bytes,
        .fill = self->fill,
        .has_moved = self->has_moved,
        .period_ms = self->period_ms,
    };

    if (mn_subscribers_is_empty(self->subscribers))
        return;
    if (self->replay) {
        mn_alarm_set(self->alarm, 1);
        return;
    }
    self->period_ms = mn_subscribers_next_ms(self->subscribers, self->last_us, &pace, self->parameters);
    self->has_moved = FALSE;
    arm(self);
}

static void on_alarm(gpointer data) {
    MnSchedule *self = data;

    self->has_rung = TRUE;
    self->due(self->data);
    if (self->replay && mn_outbox_has_others(self->outbox, &self->notice))
        mn_replay_pause(self->replay);
}

static void on_doorbell(gpointer data) {
    MnSchedule *self = data;

    self->due(self->data);
}

void mn_schedule_init(MnSchedule *self, const MnClock *clock, MnOutbox *outbox, MnProbe *probe, void (*due)(gpointer),
                      gpointer data) {
    *self = (MnSchedule){ .clock = clock, .outbox = outbox, .notice.tell = choose, .due = due, .data = data };
    self->replay = mn_probe_get_replay(probe);
    self->alarm =
        mn_alarm_new(self->replay ? mn_replay_get_pacemaker(self->replay) : clock, "schedule", on_alarm, self);
    self->page_bytes = mn_probe_get_machine(probe)->page_bytes;
    mn_doorbell_init(&self->doorbell, probe, on_doorbell, self);
}

void mn_schedule_clear(MnSchedule *self) {
    mn_schedule_stop(self);
    mn_doorbell_clear(&self->doorbell);
    g_clear_pointer(&self->alarm, mn_alarm_free);
}

void mn_schedule_start(MnSchedule *self, const MnReading *reading) {
    self->period_ms = 0;
    self->baseline = *reading;
    self->has_moved = FALSE;
    mn_doorbell_start(&self->doorbell);
    if (self->replay)
        mn_replay_start(self->replay);
}

void mn_schedule_stop(MnSchedule *self) {
    mn_doorbell_stop(&self->doorbell);
    mn_alarm_stop(self->alarm);
    mn_outbox_take_back(self->outbox, &self->notice);
}

void mn_schedule_choose(MnSchedule *self) {
    if (!mn_subscribers_is_empty(self->subscribers))
        mn_outbox_put(self->outbox, &self->notice);
}

void mn_schedule_note_time(MnSchedule *self, gint64 time_us) {
    self->last_us = time_us;
    if (self->doorbell.is_on)
        mn_doorbell_start(&self->doorbell);
    mn_schedule_choose(self);
}

static gboolean has_moved(const MnReading *now, const MnReading *then, guint64 space_pages) {
    for (guint id = 0; id < MN_N_VALUES; id++)
        if (MAX(now->pages[id], then->pages[id]) - MIN(now->pages[id], then->pages[id]) >= MAX(space_pages, 1))
            return TRUE;
    return FALSE;
}

void mn_schedule_note_reading(MnSchedule *self, const MnReading *reading, guint64 space_pages) {
    if (!has_moved(reading, &self->baseline, space_pages))
        return;
    self->baseline = *reading;
    self->has_moved = TRUE;
}
