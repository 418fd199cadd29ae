/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel tells about a memory cgroup other than its usage.
 *
 * v2 has a file of counters that changes when an OOM begins (memory.events.local; before 5.2
 * only memory.events, which counts the groups below too) and reports POLLPRI then. The system
 * has neither: its counter of kills is read once a second. How hard reclaim works is told by
 * nobody and read from counters. Nobody tells of the removal of a group either, but its parent
 * directory does (inotify). */
#include "memcgevents.h"

#include "core/vmpressure.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Reading memory.stat costs 10 to 50 us; a burst of reclaim is longer than this. */
#define PRESSURE_PERIOD_MS 100
#define SYSTEM_OOM_PERIOD_MS 1000

struct MnMemcgEvents {
    MnSampler *sampler;
    MnMemcg *memcg; /* NULL: the whole system */
    MnMemcgObserver observer;

    guint ooms_source;
    int ooms_fd; /* -1 where it is a period */
    guint64 ooms;

    guint pressure_timer;
    MnVmpressure window;

    guint removal_source;
    int removal_fd;
    gboolean is_removed;
};

MnMemcgEvents *mn_memcg_events_new(MnSampler *sampler, MnMemcg *memcg, const MnMemcgObserver *observer) {
    MnMemcgEvents *self = g_new0(MnMemcgEvents, 1);

    self->sampler = sampler;
    self->memcg = memcg;
    self->observer = *observer;
    self->ooms_fd = self->removal_fd = -1;
    return self;
}

static void stop(guint *source, int *fd) {
    if (*source > 0)
        g_source_remove(*source);
    *source = 0;
    if (fd && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void mn_memcg_events_free(MnMemcgEvents *self) {
    if (!self)
        return;
    stop(&self->ooms_source, &self->ooms_fd);
    stop(&self->pressure_timer, NULL);
    stop(&self->removal_source, &self->removal_fd);
    g_free(self);
}

static int read_events(const MnMemcgEvents *self, const char *key, guint64 *ret) {
    g_autofree char *text = NULL;
    int r;

    r = mn_memcg_read(self->memcg, "memory.events.local", &text);
    if (r == -ENOENT)
        r = mn_memcg_read(self->memcg, "memory.events", &text);
    if (r < 0)
        return r;
    *ret = mn_vmpressure_parse_key(text, strlen(text), key);
    return 0;
}

/* The counters of reclaim: of vmstat, or of a v2 group. */
static int read_reclaim(MnMemcgEvents *self, MnVmpressureCounters *ret) {
    g_autofree char *stat = NULL;
    const char *vmstat;
    gsize len;
    int r;

    if (self->memcg) {
        r = mn_memcg_read(self->memcg, "memory.stat", &stat);
        if (r < 0)
            return r;
        mn_vmpressure_parse(stat, strlen(stat), ret);
        return read_events(self, "oom", &ret->ooms);
    }
    r = mn_proc_read(mn_sampler_get_proc(self->sampler), MN_SOURCE_VMSTAT, &vmstat, &len);
    if (r == 0)
        mn_vmpressure_parse(vmstat, len, ret);
    return r;
}

/* "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"; the third line since 4.13. */
static int read_oom_control_kills(const MnMemcgEvents *self, guint64 *ret) {
    g_autofree char *text = NULL;
    int r;

    r = mn_memcg_read(self->memcg, "memory.oom_control", &text);
    if (r == 0)
        *ret = mn_vmpressure_parse_key(text, strlen(text), "oom_kill");
    return r;
}

int mn_memcg_events_get_oom_kills(MnMemcgEvents *self, guint64 *ret) {
    MnVmpressureCounters reclaim;
    int r;

    if (self->memcg)
        return mn_memcg_get_version(self->memcg) == MN_CGROUP_V2 ? read_events(self, "oom_kill", ret)
                                                                 : read_oom_control_kills(self, ret);
    r = read_reclaim(self, &reclaim);
    if (r == 0)
        *ret = reclaim.ooms;
    return r;
}

/* What is counted as the beginning of an OOM. */
static int read_ooms(MnMemcgEvents *self, guint64 *ret) {
    if (self->memcg && mn_memcg_get_version(self->memcg) == MN_CGROUP_V2)
        return read_events(self, "oom", ret);
    return mn_memcg_events_get_oom_kills(self, ret);
}

static void look_for_ooms(MnMemcgEvents *self) {
    guint64 before = self->ooms;

    if (read_ooms(self, &self->ooms) == 0 && self->ooms > before)
        self->observer.ooms(self->ooms - before, self->observer.data);
}

static gboolean on_events_changed(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnMemcgEvents *self = data;
    char text[512];

    if (pread(fd, text, sizeof text, 0) < 0) { /* reading makes the next change show; or the group is gone */
        self->ooms_source = 0;
        mn_memcg_events_check_removed(self);
        return G_SOURCE_REMOVE;
    }
    look_for_ooms(self);
    return G_SOURCE_CONTINUE;
}

static gboolean on_ooms_period(gpointer data) {
    look_for_ooms(data);
    return G_SOURCE_CONTINUE;
}

static int open_events(const MnMemcgEvents *self, int *ret_fd) {
    char text[512];
    int r;

    r = mn_memcg_open(self->memcg, "memory.events.local", ret_fd);
    if (r == -ENOENT)
        r = mn_memcg_open(self->memcg, "memory.events", ret_fd);
    if (r < 0)
        return r;
    return pread(*ret_fd, text, sizeof text, 0) < 0 ? -errno : 0;
}

int mn_memcg_events_watch_ooms(MnMemcgEvents *self) {
    int r = 0;

    if (self->ooms_source > 0)
        return 0;
    if (self->memcg && mn_memcg_get_version(self->memcg) == MN_CGROUP_V2)
        r = open_events(self, &self->ooms_fd);
    if (r == 0)
        r = read_ooms(self, &self->ooms);
    if (r < 0) {
        stop(&self->ooms_source, &self->ooms_fd);
        return r;
    }
    self->ooms_source = self->ooms_fd >= 0 ? g_unix_fd_add(self->ooms_fd, G_IO_PRI, on_events_changed, self)
                                           : g_timeout_add(SYSTEM_OOM_PERIOD_MS, on_ooms_period, self);
    return 0;
}

static gboolean on_pressure_period(gpointer data) {
    MnMemcgEvents *self = data;
    MnPressure level;
    MnVmpressureCounters now;

    if (read_reclaim(self, &now) == 0 && mn_vmpressure_advance(&self->window, &now, &level))
        self->observer.pressure(level, self->observer.data);
    return G_SOURCE_CONTINUE;
}

void mn_memcg_events_unwatch_ooms(MnMemcgEvents *self) {
    stop(&self->ooms_source, &self->ooms_fd);
}

int mn_memcg_events_watch_pressure(MnMemcgEvents *self) {
    MnVmpressureCounters now;
    int r;

    if (self->pressure_timer > 0)
        return 0;
    if (self->memcg && mn_memcg_get_version(self->memcg) == MN_CGROUP_V1)
        return -EOPNOTSUPP; /* its memory.stat says nothing of reclaim: only the kernel knows */
    r = read_reclaim(self, &now);
    if (r < 0)
        return r;
    mn_vmpressure_init(&self->window, &now);
    self->pressure_timer = g_timeout_add(PRESSURE_PERIOD_MS, on_pressure_period, self);
    return 0;
}

void mn_memcg_events_unwatch_pressure(MnMemcgEvents *self) {
    stop(&self->pressure_timer, NULL);
}

gboolean mn_memcg_events_check_removed(MnMemcgEvents *self) {
    if (!self->is_removed && self->memcg && mn_memcg_check_removed(self->memcg)) {
        self->is_removed = TRUE;
        self->observer.removed(self->observer.data);
    }
    return self->is_removed;
}

static gboolean on_parent_changed(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    char events[4096];

    while (read(fd, events, sizeof events) > 0)
        continue;
    mn_memcg_events_check_removed(data);
    return G_SOURCE_CONTINUE; /* or the source has been removed */
}

void mn_memcg_events_watch_removal(MnMemcgEvents *self) {
    g_autofree char *parent = NULL;

    if (!self->memcg || self->removal_source > 0)
        return;

    parent = g_path_get_dirname(mn_memcg_get_directory(self->memcg));
    self->removal_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (self->removal_fd < 0 || inotify_add_watch(self->removal_fd, parent, IN_DELETE) < 0) {
        stop(&self->removal_source, &self->removal_fd);
        return; /* it is noticed when somebody looks */
    }
    self->removal_source = g_unix_fd_add(self->removal_fd, G_IO_IN, on_parent_changed, self);
}

void mn_memcg_events_unwatch_removal(MnMemcgEvents *self) {
    stop(&self->removal_source, &self->removal_fd);
}
