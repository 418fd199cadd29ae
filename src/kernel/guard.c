/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard is a process of ours ("mn-guard") that has a copy of each eventfd and waits for the end of its socket. When the
 * daemon has ended it adds 1 to each, and ends. That costs the daemon no descriptor for an eventfd.
 *
 * It is told of each eventfd, with a copy, and of the number of one that it is to drop. What its socket has no room for is
 * told again every two seconds. If somebody kills it another is told everything. */
#include "guard.h"

#include "kernel/child.h"
#include "kernel/ourselves.h"
#include "kernel/parcel.h"
#include "kernel/signaller.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RETRY_S 2

typedef struct Entry {
    guint64 number;
    int fd;
    gboolean is_told;
} Entry;

struct MnGuard {
    GHashTable *entries; /* number -> Entry */
    GArray *dropped;     /* numbers that it has not been told yet to drop */
    guint64 last_number;
    gboolean is_running;
    MnChild child; /* if it is */
    guint end_source;
    guint retry_timer; /* while something was not told */
};

/* --- in the guard --- */

static void close_fd(gpointer fd) {
    close(GPOINTER_TO_INT(fd));
}

/* With an eventfd it is to be held from now on, without it is to be dropped. */
static void take_message(GHashTable *held, gint64 number, MnParcel *message) {
    int fd = mn_parcel_steal_fd(message, 0);

    if (fd >= 0)
        g_hash_table_replace(held, g_memdup2(&number, sizeof number), GINT_TO_POINTER(fd));
    else
        g_hash_table_remove(held, &number);
}

static void watch_over(int socket, gpointer data G_GNUC_UNUSED) {
    g_autoptr(GHashTable) held = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, close_fd);
    g_autoptr(MnSignaller) signaller = NULL;
    gboolean is_prepared;
    GHashTableIter iter;
    gpointer fd;
    gint64 number;
    int r;

    mn_file_limit_raise();
    if (mn_signaller_new(NULL, &signaller) < 0)
        return;                                         /* another is started */
    is_prepared = mn_signaller_prepare(signaller) == 0; /* in the end the kernel may have no more */
    do {
        g_auto(MnParcel) message = { 0 };

        mn_parcel_init(&message);
        r = mn_parcel_receive(&message, socket, 0, &number);
        if (r > 0)
            take_message(held, number, &message);
    } while (r >= 0);

    if (!is_prepared && mn_signaller_prepare(signaller) < 0)
        return;
    g_hash_table_iter_init(&iter, held);
    while (g_hash_table_iter_next(&iter, NULL, &fd))
        mn_signaller_add(signaller, GPOINTER_TO_INT(fd));
    mn_signaller_flush(signaller);
}

/* --- in the daemon --- */

static void tell_all(MnGuard *self);

static gboolean on_retry(gpointer data) {
    MnGuard *self = data;

    self->retry_timer = 0;
    tell_all(self);
    return G_SOURCE_REMOVE;
}

static void retry_later(MnGuard *self) {
    if (self->retry_timer == 0)
        self->retry_timer = g_timeout_add_seconds(RETRY_S, on_retry, self);
}

/* Its end was heard of, or it was killed. */
static void bury(MnGuard *self) {
    waitpid(self->child.pid, NULL, 0);
    close(self->child.pidfd);
    close(self->child.socket);
    g_clear_handle_id(&self->end_source, g_source_remove);
    self->is_running = FALSE;
}

static gboolean on_end(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnGuard *self = data;
    GHashTableIter iter;
    gpointer entry;

    g_warning("the guard process %d was ended by somebody; another is started", self->child.pid);
    bury(self);
    g_array_set_size(self->dropped, 0);
    g_hash_table_iter_init(&iter, self->entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        ((Entry *)entry)->is_told = FALSE;
    retry_later(self);
    return G_SOURCE_CONTINUE; /* it has been removed */
}

static gboolean start(MnGuard *self) {
    if (self->is_running)
        return TRUE;
    self->is_running = mn_child_start("mn-guard", TRUE, watch_over, NULL, &self->child) == 0;
    if (self->is_running)
        self->end_source = g_unix_fd_add(self->child.pidfd, G_IO_IN, on_end, self);
    return self->is_running;
}

static gboolean tell(MnGuard *self, guint64 number, const int *fd) {
    return mn_parcel_send(self->child.socket, number, NULL, 0, fd, fd ? 1 : 0, MSG_DONTWAIT) == 0;
}

static gboolean tell_of(MnGuard *self, Entry *entry) {
    if (!entry->is_told)
        entry->is_told = start(self) && tell(self, entry->number, &entry->fd);
    return entry->is_told;
}

static void tell_all(MnGuard *self) {
    GHashTableIter iter;
    gpointer entry;
    guint n = 0;

    while (n < self->dropped->len && tell(self, g_array_index(self->dropped, guint64, n), NULL))
        n++;
    g_array_remove_range(self->dropped, 0, n);
    if (self->dropped->len > 0) {
        retry_later(self);
        return;
    }
    g_hash_table_iter_init(&iter, self->entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        if (!tell_of(self, entry)) {
            retry_later(self);
            return;
        }
}

MnGuard *mn_guard_new(void) {
    MnGuard *self = g_new0(MnGuard, 1);

    self->entries = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    self->dropped = g_array_new(FALSE, FALSE, sizeof(guint64));
    return self;
}

/* It is killed before its socket ends, which would be a sign. */
void mn_guard_free(MnGuard *self) {
    if (!self)
        return;
    if (self->is_running) {
        mn_child_kill(&self->child);
        bury(self);
    }
    g_clear_handle_id(&self->retry_timer, g_source_remove);
    g_hash_table_unref(self->entries);
    g_array_unref(self->dropped);
    g_free(self);
}

guint64 mn_guard_add(MnGuard *self, int eventfd) {
    Entry *entry = g_new0(Entry, 1);

    *entry = (Entry){ .number = ++self->last_number, .fd = eventfd };
    g_hash_table_insert(self->entries, &entry->number, entry);
    if (!tell_of(self, entry))
        retry_later(self);
    return entry->number;
}

void mn_guard_remove(MnGuard *self, guint64 number) {
    const Entry *entry = g_hash_table_lookup(self->entries, &number);
    gboolean was_told = entry->is_told;

    g_hash_table_remove(self->entries, &number);
    if (!was_told || (self->dropped->len == 0 && tell(self, number, NULL)))
        return;
    g_array_append_val(self->dropped, number);
    retry_later(self);
}
