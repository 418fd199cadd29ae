/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of notices, and a source of the main loop that tells them. The end of the list is a notice of its
 * own, so that one that is in the list always has a next one. */
#include "outbox.h"

struct MnOutbox {
    GSource source;
    const MnClock *clock;
    MnNotice *first;
    MnNotice *last; /* if there is a first */
    MnNotice end;
};

/* The loop asks whether it may sleep: everybody who had something to do in this turn has done it. */
static gboolean outbox_prepare(GSource *source, gint *ret_timeout_ms) {
    *ret_timeout_ms = mn_outbox_flush((MnOutbox *)source) ? 0 : -1;
    return FALSE;
}

static gboolean outbox_check(GSource *source G_GNUC_UNUSED) {
    return FALSE;
}

MnOutbox *mn_outbox_new(const MnClock *clock) {
    static GSourceFuncs functions = { outbox_prepare, outbox_check, NULL, NULL, NULL, NULL };
    GSource *source = g_source_new(&functions, sizeof(MnOutbox));
    MnOutbox *self = (MnOutbox *)source;

    self->clock = clock;
    self->first = &self->end;
    g_source_set_static_name(source, "outbox");
    g_source_set_priority(source,
                          G_PRIORITY_DEFAULT - 1); /* telling may set an alarm, which is to be looked at after */
    g_source_attach(source, NULL);
    return self;
}

void mn_outbox_free(MnOutbox *self) {
    if (!self)
        return;
    while (mn_outbox_flush(self))
        continue;
    g_source_destroy(&self->source);
    g_source_unref(&self->source);
}

void mn_outbox_put(MnOutbox *self, MnNotice *notice) {
    if (notice->next)
        return;
    if (self->first == &self->end)
        self->first = notice;
    else
        self->last->next = notice;
    notice->next = &self->end;
    self->last = notice;
}

void mn_outbox_take_back(MnOutbox *self, MnNotice *notice) {
    MnNotice **link = &self->first, *previous = NULL;

    if (!notice->next)
        return;
    for (; *link != notice; link = &(*link)->next)
        previous = *link;
    *link = notice->next;
    if (self->last == notice)
        self->last = previous;
    notice->next = NULL;
}

gboolean mn_outbox_has_others(const MnOutbox *self, const MnNotice *notice) {
    return self->first != &self->end && (self->first != notice || self->last != notice);
}

gboolean mn_outbox_flush(MnOutbox *self) {
    const MnNotice *last = self->last; /* what is put by telling has to wait */
    gint64 until_us;
    guint n = 0;

    if (self->first == &self->end)
        return FALSE;
    until_us = mn_clock_now_us(self->clock) + MN_OUTBOX_AT_ONCE_US;
    while (self->first != &self->end) {
        MnNotice *notice = self->first;

        self->first = notice->next;
        notice->next = NULL;
        notice->tell(notice);
        if (notice == last || (++n >= MN_OUTBOX_AT_LEAST && mn_clock_now_us(self->clock) >= until_us))
            break;
    }
    return self->first != &self->end;
}
