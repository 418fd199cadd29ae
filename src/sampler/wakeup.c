/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pressure and changed files: descriptors in the main loop while somebody waits.
 *
 * The pressure trigger stays open between waits, unwatched: closing it waits for an RCU grace
 * period, which would make everybody wait for tens of milliseconds whenever a last watch goes. */
#include "wakeup.h"

#include "source/psi.h"

#include <glib-unix.h>
#include <unistd.h>

void mn_wakeup_init(MnWakeup *self, MnProc *proc, void (*woken)(gpointer data), gpointer data) {
    *self = (MnWakeup){ .proc = proc, .woken = woken, .data = data, .pressure_fd = -1 };
}

static void close_pressure(MnWakeup *self) {
    if (self->pressure_fd >= 0)
        close(self->pressure_fd);
    self->pressure_fd = -1;
}

void mn_wakeup_clear(MnWakeup *self) {
    mn_wakeup_stop(self);
    close_pressure(self);
}

static gboolean on_pressure(gint fd G_GNUC_UNUSED, GIOCondition condition, gpointer user_data) {
    MnWakeup *self = user_data;

    if (condition & (G_IO_ERR | G_IO_HUP)) { /* the kernel has ended it, for ever */
        close_pressure(self);
        self->pressure_failed = TRUE;
        self->pressure_source = 0;
        return G_SOURCE_REMOVE;
    }
    self->woken(self->data);
    return G_SOURCE_CONTINUE;
}

/* A group's own trigger, where there is one that we may use, knows of its limit. */
static int open_pressure(MnWakeup *self, const MnGroup *group) {
    if (group && mn_psi_open(mn_group_get_directory_fd(group), "memory.pressure", &self->pressure_fd) == 0)
        return 0;
    return mn_psi_open(mn_proc_get_directory_fd(self->proc), "pressure/memory", &self->pressure_fd);
}

static void watch_pressure(MnWakeup *self, const MnGroup *group) {
    if (!mn_proc_is_live(self->proc) || self->pressure_failed)
        return;
    if (self->pressure_fd < 0 && open_pressure(self, group) < 0)
        self->pressure_failed = TRUE;
    else
        self->pressure_source = g_unix_fd_add(self->pressure_fd, G_IO_PRI, on_pressure, self);
}

static gboolean on_files_changed(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data) {
    MnWakeup *self = user_data;

    mn_proc_drain_changes(self->proc);
    self->woken(self->data);
    return G_SOURCE_CONTINUE;
}

void mn_wakeup_start(MnWakeup *self, const MnGroup *group) {
    int changes_fd = mn_proc_get_changes_fd(self->proc);

    if (changes_fd >= 0) {
        mn_proc_drain_changes(self->proc);
        self->changes_source = g_unix_fd_add(changes_fd, G_IO_IN, on_files_changed, self);
    }
    watch_pressure(self, group);
}

static void remove_source(guint *source) {
    if (*source > 0)
        g_source_remove(*source);
    *source = 0;
}

void mn_wakeup_stop(MnWakeup *self) {
    remove_source(&self->changes_source);
    remove_source(&self->pressure_source);
}
