/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recordpace.h"

#define MOVED_PARTS 200
#define SHORT_PARTS 10
#define EARLY_COST_US (4 * G_TIME_SPAN_SECOND)
#define EARLY_AT_ONCE 25
#define DATE_STEP_US (G_TIME_SPAN_SECOND / 2)

static gboolean is_apart(guint64 one, guint64 other, guint64 total) {
    return (MAX(one, other) - MIN(one, other)) >= MAX(total / MOVED_PARTS, 1);
}

static gboolean has_moved(const MnGlance *now, const MnGlance *then) {
    return now->total != then->total || is_apart(now->available, then->available, now->total) ||
           is_apart(now->free, then->free, now->total);
}

static gboolean is_regular(const CmdRecordPace *self, gint64 now_us) {
    return self->last_us == 0 || now_us - self->last_us >= self->every_us;
}

gboolean cmd_record_pace_is_due(const CmdRecordPace *self, gint64 now_us, const MnGlance *glance) {
    return is_regular(self, now_us) ||
           (now_us - self->last_us >= CMD_RECORD_APART_US && has_moved(glance, &self->last) &&
            (self->paid_us <= now_us || cmd_glance_is_short(glance)));
}

void cmd_record_pace_note(CmdRecordPace *self, gint64 now_us, const MnGlance *glance) {
    if (!is_regular(self, now_us))
        self->paid_us = MAX(self->paid_us, now_us - EARLY_AT_ONCE * EARLY_COST_US) + EARLY_COST_US;
    self->last_us = now_us;
    self->last = *glance;
}

gint64 cmd_record_pace_wait_us(const CmdRecordPace *self, gint64 now_us) {
    gint64 left_us = self->last_us + self->every_us - now_us;

    return CLAMP(left_us, 0, CMD_RECORD_GLANCE_US);
}

gboolean cmd_glance_is_short(const MnGlance *glance) {
    guint64 left = glance->available > 0 ? glance->available : glance->free;

    return left < glance->total / SHORT_PARTS;
}

gint64 cmd_date_watch_step(CmdDateWatch *self, gint64 uptime_us, gint64 date_us) {
    gint64 step_us = self->date_us == 0 ? 0 : (date_us - self->date_us) - (uptime_us - self->uptime_us);

    *self = (CmdDateWatch){ uptime_us, date_us };
    return ABS(step_us) >= DATE_STEP_US ? step_us : 0;
}
