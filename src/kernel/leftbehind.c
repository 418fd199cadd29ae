/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each costs the machine a process for as long as a client likes, and the next would cost another. So whoever is to
 * blame is not served in the same way again before it has ended, and for some time after that. */
#include "leftbehind.h"

#define PENANCE ((gint64)10) /* times the limit */

typedef struct Entry {
    MnLeftBehind *owner;
    MnHelperProcess *process; /* NULL when it has ended */
    const MnTask *task;
    uid_t uid;
    gint64 forgiven_us; /* if it has ended */
} Entry;

static void entry_free(Entry *entry) {
    mn_helper_process_free(entry->process);
    g_free(entry);
}

void mn_left_behind_init(MnLeftBehind *self, const MnClock *clock) {
    *self = (MnLeftBehind){ .clock = clock };
}

void mn_left_behind_clear(MnLeftBehind *self) {
    g_queue_clear_full(&self->entries, (GDestroyNotify)entry_free);
}

static void on_ended(gpointer data) {
    Entry *entry = data;

    g_clear_pointer(&entry->process, mn_helper_process_free);
    if (entry->task) {
        entry->forgiven_us =
            mn_clock_now_us(entry->owner->clock) + PENANCE * entry->task->limit_ms * G_TIME_SPAN_MILLISECOND;
        return;
    }
    g_queue_remove(&entry->owner->entries, entry);
    entry_free(entry);
}

void mn_left_behind_add(MnLeftBehind *self, MnHelperProcess *process, const MnTask *task, uid_t uid) {
    Entry *entry = g_new0(Entry, 1);

    *entry = (Entry){ .owner = self, .process = process, .task = task, .uid = uid };
    g_queue_push_tail(&self->entries, entry);
    mn_helper_process_give_up(process, on_ended, entry);
}

guint mn_left_behind_count(const MnLeftBehind *self) {
    guint n = 0;

    for (const GList *link = self->entries.head; link; link = link->next)
        n += ((const Entry *)link->data)->process != NULL;
    return n;
}

static void forgive(MnLeftBehind *self) {
    gint64 now_us = mn_clock_now_us(self->clock);

    for (GList *next, *link = self->entries.head; link; link = next) {
        Entry *entry = link->data;

        next = link->next;
        if (!entry->process && entry->forgiven_us <= now_us) {
            g_queue_delete_link(&self->entries, link);
            entry_free(entry);
        }
    }
}

gboolean mn_left_behind_blames(MnLeftBehind *self, const MnTask *task, uid_t uid) {
    forgive(self);
    for (const GList *link = self->entries.head; link; link = link->next) {
        const Entry *entry = link->data;

        if (entry->uid == uid && entry->task == task)
            return TRUE;
    }
    return FALSE;
}
