/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory_monitor: a program that has caches. Prints each level that GLib's GMemoryMonitor tells it. */
#include <gio/gio.h>
#include <stdio.h>

static void on_warning(GMemoryMonitor *monitor G_GNUC_UNUSED, GMemoryMonitorWarningLevel level,
                       gpointer data G_GNUC_UNUSED) {
    printf("%d\n", level);
    fflush(stdout);
}

int main(void) {
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GMemoryMonitor *monitor = g_memory_monitor_dup_default();

    g_signal_connect(monitor, "low-memory-warning", G_CALLBACK(on_warning), NULL);
    g_main_loop_run(loop);
    g_object_unref(monitor);
    g_main_loop_unref(loop);
    return 0;
}
