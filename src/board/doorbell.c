/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pressure, changed files, and a group that comes and goes: descriptors in the main loop while somebody waits.
 *
 * The pressure trigger stays open between waits, unwatched: closing it waits for an RCU grace
 * period, which would make everybody wait for tens of milliseconds whenever a last watch goes. */
#include "doorbell.h"

#include "kernel/ourselves.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

void mn_doorbell_init(MnDoorbell *self, MnProbe *probe, void (*rings)(gpointer data), gpointer data) {
    *self = (MnDoorbell){ .probe = probe, .rings = rings, .data = data, .pressure_fd = -1 };
}

static void close_pressure(MnDoorbell *self) {
    if (self->pressure_fd >= 0)
        close(self->pressure_fd);
    self->pressure_fd = -1;
}

void mn_doorbell_clear(MnDoorbell *self) {
    mn_doorbell_stop(self);
    close_pressure(self);
}

static gboolean on_pressure(gint fd G_GNUC_UNUSED, GIOCondition condition, gpointer user_data) {
    MnDoorbell *self = user_data;

    if (condition & (G_IO_ERR | G_IO_HUP)) { /* the kernel has ended it, with its group */
        close_pressure(self);
        self->pressure_source = 0;
        return G_SOURCE_REMOVE;
    }
    self->rings(self->data);
    return G_SOURCE_CONTINUE;
}

static void watch_pressure(MnDoorbell *self) {
    int r = 0;

    if (self->has_no_pressure || self->pressure_source > 0)
        return;
    if (self->pressure_fd < 0)
        r = mn_probe_open_pressure(self->probe, &self->pressure_fd);
    if (r < 0)
        self->has_no_pressure = r != -ENODEV && !mn_error_passes(r);
    else
        self->pressure_source = g_unix_fd_add(self->pressure_fd, G_IO_PRI, on_pressure, self);
}

static gboolean on_files_changed(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data) {
    MnDoorbell *self = user_data;

    mn_probe_drain_changes(self->probe);
    self->rings(self->data);
    return G_SOURCE_CONTINUE;
}

static void watch_files(MnDoorbell *self) {
    int fd = self->changes_source == 0 ? mn_probe_get_changes_fd(self->probe) : -1;

    if (fd < 0)
        return;
    mn_probe_drain_changes(self->probe);
    self->changes_source = g_unix_fd_add(fd, G_IO_IN, on_files_changed, self);
}

static gboolean on_group_changed(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data) {
    MnDoorbell *self = user_data;

    if (mn_probe_drain_group(self->probe))
        self->rings(self->data);
    return G_SOURCE_CONTINUE;
}

static void watch_group(MnDoorbell *self) {
    int fd = mn_probe_watch_group(self->probe);

    if (fd >= 0 && self->group_source == 0)
        self->group_source = g_unix_fd_add(fd, G_IO_IN, on_group_changed, self);
}

void mn_doorbell_start(MnDoorbell *self) {
    self->is_on = TRUE;
    watch_files(self);
    watch_group(self);
    watch_pressure(self);
}

static void remove_source(guint *source) {
    if (*source > 0)
        g_source_remove(*source);
    *source = 0;
}

void mn_doorbell_stop(MnDoorbell *self) {
    self->is_on = FALSE;
    remove_source(&self->changes_source);
    remove_source(&self->group_source);
    mn_probe_unwatch_group(self->probe);
    remove_source(&self->pressure_source);
}
