/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring of the last crossings, shared by all readers of the stream: a reader is one number, and one
 * that does not read costs nothing and cannot hold anything up. */
#include "eventlog.h"

#define N_EVENTS 1024

struct MnEventLog {
    guint64 end; /* how many were ever appended */
    MnEvent ring[N_EVENTS];
};

MnEventLog *mn_event_log_new(void) {
    return g_new0(MnEventLog, 1);
}

void mn_event_log_free(MnEventLog *self) {
    g_free(self);
}

void mn_event_log_append(MnEventLog *self, const MnEvent *event) {
    self->ring[self->end++ % N_EVENTS] = *event;
}

guint64 mn_event_log_get_end(const MnEventLog *self) {
    return self->end;
}

gsize mn_event_log_next(const MnEventLog *self, guint64 *cursor, char line[MEMNOTIFYFS_EVENT_LINE_MAX]) {
    guint64 oldest = self->end > N_EVENTS ? self->end - N_EVENTS : 0;
    const MnEvent *event;
    int len;

    if (*cursor == self->end)
        return 0;

    event = &self->ring[MAX(*cursor, oldest) % N_EVENTS];
    len = g_snprintf(line, MEMNOTIFYFS_EVENT_LINE_MAX, "%" G_GINT64_FORMAT ".%06d ",
                     event->time_us / G_USEC_PER_SEC, (int)(event->time_us % G_USEC_PER_SEC));

    if (*cursor < oldest) {
        len += g_snprintf(line + len, MEMNOTIFYFS_EVENT_LINE_MAX - len, "- - lost %" G_GUINT64_FORMAT "\n",
                          oldest - *cursor);
        *cursor = oldest;
    } else {
        len += g_snprintf(line + len, MEMNOTIFYFS_EVENT_LINE_MAX - len,
                          "%s %s %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", event->name,
                          mn_meters[event->meter].name, event->is_reached ? "reached" : "left",
                          event->value_pages, event->limit_pages);
        *cursor += 1;
    }
    return len;
}
