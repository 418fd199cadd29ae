/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to read for a moment, and what to do where that fails.
 *
 * The meters are the group's where there is one, else the machine's. What devices look at is the machine's in
 * any case: the kernel's own shortage. */
#include "probe.h"

#include "core/cgroup.h"
#include "kernel/placewatch.h"
#include "kernel/ourselves.h"
#include "probe/psi.h"

#include <errno.h>

struct MnProbe {
    MnReplay *replay; /* NULL: the world */
    MnProc *proc;
    MnGroup *group; /* whose memory the meters show; NULL: the machine's */
    MnPlaceWatch group_watch;
    gboolean is_gone; /* the group was, at the last look */
    MnMemcg *memcg;   /* NULL: the whole system */
    MnMachine machine;
    guint64 known; /* counters that this kernel has */
    MnSample sample;
    MnSample group_sample;
    MnZones zones;
    guint bad_sources; /* those that could not be used last time */
};

/* --- the meters --- */

/* The counters that a good sample has. */
static guint64 needed_counters(const MnProbe *self, const MnNeeds *needs) {
    return self->known & (~MN_COUNTERS_RECLAIM | needs->counters);
}

/* The machine goes on when the group has not. */
static int sample_group(MnProbe *self, const MnNeeds *needs, const char **ret_name) {
    int r;

    r = mn_group_sample(self->group, needs->meters, &self->group_sample, ret_name);
    self->is_gone = r == -ENODEV;
    if ((r < 0 && !self->is_gone) || needs->machine == 0)
        return self->is_gone ? 0 : r;
    return mn_proc_sample(self->proc, needs->machine, needed_counters(self, needs), &self->sample, ret_name);
}

static int sample_meters(MnProbe *self, const MnNeeds *needs, MnReading *ret, const char **ret_name) {
    MnSample *sample = self->group ? &self->group_sample : &self->sample;
    int r;

    r = self->group ? sample_group(self, needs, ret_name)
                    : mn_proc_sample(self->proc, needs->meters | needs->machine, needed_counters(self, needs), sample,
                                     ret_name);
    if (r < 0)
        return r;
    if (self->memcg && (needs->meters & MN_SOURCE_MEMCG))
        mn_memcg_sample(self->memcg, sample); /* or the last values */

    mn_reading_from_sample(sample, ret);
    return 0;
}

/* The stalls of the machine. Kernels without pressure/memory are nothing to complain about. */
static int read_machine_stalls(MnProbe *self, MnStalls *ret) {
    const char *text;
    gsize len;
    int r;

    r = mn_proc_read(self->proc, MN_SOURCE_PRESSURE, &text, &len);
    return r == 0 ? mn_stalls_parse(text, len, ret) : r;
}

/* Of what the meters show. */
static int read_stalls(MnProbe *self, MnStalls *ret) {
    return self->group ? mn_group_read_stalls(self->group, ret) : read_machine_stalls(self, ret);
}

static gboolean has_stalls(MnProbe *self) {
    MnStalls stalls;

    return read_stalls(self, &stalls) == 0;
}

static MnProbe *new_probe(MnReplay *replay) {
    MnProbe *self = g_new0(MnProbe, 1);

    self->replay = replay;
    mn_place_watch_init(&self->group_watch, NULL);
    self->machine.page_bytes = mn_replay_page_bytes(replay);
    self->known = MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL); /* and all others are looked for */
    return self;
}

/* Finds out what there is. */
static int explore(MnProbe *self, const char **ret_name) {
    const MnNeeds all = { .meters = MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO };
    MnReading reading;
    int r;

    r = sample_meters(self, &all, &reading, ret_name);
    if (r < 0)
        return r;
    self->known = self->sample.known;
    self->machine.offered = mn_meters_offered(self->sample.known);
    self->machine.offers_zones = !self->replay || mn_replay_has(self->replay, "zoneinfo");
    self->machine.offers_stalls = has_stalls(self);
    return 0;
}

int mn_probe_new(const char *proc_directory, MnProbe **ret, const char **ret_name) {
    g_autoptr(MnProbe) self = new_probe(NULL);
    int r;

    *ret_name = NULL;
    r = mn_proc_new(proc_directory, &self->proc);
    if (r == 0)
        r = explore(self, ret_name);
    if (r < 0)
        return r;
    if (mn_proc_lacks_vmstat(self->proc))
        g_warning("there is no '%s/vmstat' for us: showing what meminfo tells; of the kernel's own shortage only zones "
                  "are known",
                  proc_directory);
    *ret = g_steal_pointer(&self);
    return 0;
}

static int add_replayed_group(MnProbe *self, const char **ret_name) {
    MnGroup *group;
    int r;

    r = mn_group_new_replayed(self->replay, &group);
    return r == 0 ? mn_probe_set_group(self, group, ret_name) : r == -ENOENT ? 0 : r;
}

int mn_probe_new_replay(MnScript *script, gboolean with_group, MnProbe **ret, const char **ret_name) {
    g_autoptr(MnProbe) self = NULL;
    MnReplay *replay;
    int r;

    *ret_name = NULL;
    r = mn_replay_new(script, &replay);
    if (r < 0)
        return r;
    self = new_probe(replay);
    self->proc = mn_proc_new_replayed(replay);
    r = explore(self, ret_name);
    if (r == 0 && with_group)
        r = add_replayed_group(self, ret_name);
    if (r == 0)
        r = mn_memcg_new_replayed(replay, &self->memcg);
    if (r < 0 && r != -ENOENT)
        return r;
    *ret = g_steal_pointer(&self);
    return 0;
}

MnReplay *mn_probe_get_replay(const MnProbe *self) {
    return self->replay;
}

void mn_probe_free(MnProbe *self) {
    if (!self)
        return;
    mn_zones_clear(&self->zones);
    mn_memcg_free(self->memcg);
    mn_place_watch_clear(&self->group_watch);
    mn_group_free(self->group);
    mn_proc_free(self->proc);
    mn_replay_free(self->replay);
    g_free(self);
}

int mn_probe_set_group(MnProbe *self, MnGroup *group, const char **ret_name) {
    const MnNeeds all = { .meters = MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO };
    MnReading reading;
    int r;

    g_assert(!self->group);
    self->group = group;
    mn_place_watch_init(&self->group_watch, mn_group_get_path(group));
    r = sample_meters(self, &all, &reading, ret_name);
    if (r == 0 && self->is_gone)
        r = -ENODEV;
    if (r < 0)
        return r;
    self->machine.offered = mn_cgroup_meters_offered(self->group_sample.known);
    self->machine.offers_stalls = has_stalls(self);
    return 0;
}

void mn_probe_set_memcg(MnProbe *self, MnMemcg *memcg) {
    g_assert(!self->memcg);
    self->memcg = memcg;
}

MnMemcg *mn_probe_get_memcg(const MnProbe *self) {
    return self->memcg;
}

const MnMachine *mn_probe_get_machine(const MnProbe *self) {
    return &self->machine;
}

gboolean mn_probe_is_live(const MnProbe *self) {
    return mn_proc_is_live(self->proc);
}

guint mn_probe_meter_sources(const MnProbe *self, MnMeterId meter) {
    gboolean is_the_groups = self->group && !(mn_meters[meter].sources & MN_SOURCE_MEMCG);

    return is_the_groups ? mn_group_meter_sources(meter) : mn_meters[meter].sources;
}

/* --- reclaim and OOMs of the group of memcg/, or of the system --- */

static int read_system(MnProbe *self, MnVmpressureCounters *ret) {
    const char *vmstat;
    gsize len;
    int r;

    r = mn_proc_read(self->proc, MN_SOURCE_VMSTAT, &vmstat, &len);
    if (r == 0)
        mn_vmpressure_parse(vmstat, len, ret);
    return r;
}

int mn_probe_read_reclaim(MnProbe *self, MnVmpressureCounters *ret) {
    return self->memcg ? mn_memcg_read_reclaim(self->memcg, ret) : read_system(self, ret);
}

int mn_probe_read_oom_kills(MnProbe *self, guint64 *ret) {
    MnVmpressureCounters counters;
    int r;

    if (self->memcg)
        return mn_memcg_read_oom_kills(self->memcg, ret);
    r = read_system(self, &counters);
    if (r == 0)
        *ret = counters.ooms;
    return r;
}

/* Only v2 tells of an OOM that has not ended in a kill. */
int mn_probe_read_ooms(MnProbe *self, guint64 *ret) {
    if (self->memcg && mn_memcg_get_version(self->memcg) == MN_CGROUP_V2)
        return mn_memcg_read_ooms(self->memcg, ret);
    return mn_probe_read_oom_kills(self, ret);
}

/* --- a moment --- */

/* Warns when a source goes bad, and says when the last of them is good again. */
static void note_state(MnProbe *self, guint sources, int error, const char *name) {
    guint were_bad = self->bad_sources;

    if (error < 0 && !(were_bad & sources))
        g_warning("cannot use '%s': %s; keeping the last good values", name, g_strerror(-error));
    self->bad_sources = error < 0 ? were_bad | sources : were_bad & ~sources;
    if (were_bad && !self->bad_sources)
        g_message("the kernel's numbers are good again");
}

static void note_group(const MnProbe *self, gboolean was_gone) {
    const char *path = self->group ? mn_group_get_path(self->group) : NULL;

    if (self->is_gone && !was_gone)
        g_warning("the control group '%s' was removed; who waits is told, and served again when it is made anew",
                  path ? path : "of the recording");
    if (!self->is_gone && was_gone)
        g_message("the control group '%s' is there again", path ? path : "of the recording");
}

static void read_zones(MnProbe *self) {
    const char *text;
    gsize len;
    int r;

    r = mn_proc_read(self->proc, MN_SOURCE_ZONEINFO, &text, &len);
    if (r == 0)
        r = mn_zones_parse(&self->zones, text, len);
    if (r < 0)
        self->zones.n = 0;
    note_state(self, MN_SOURCE_ZONEINFO, r, "zoneinfo");
}

static void read_machine_pressure(MnProbe *self) {
    MnStalls stalls;
    gboolean is_known = read_machine_stalls(self, &stalls) == 0;

    self->sample.known &= ~MN_COUNTER_BIT(MN_COUNTER_STALLED_US);
    if (!is_known)
        return;
    self->sample.known |= MN_COUNTER_BIT(MN_COUNTER_STALLED_US);
    self->sample.counters[MN_COUNTER_STALLED_US] = stalls.lines[MN_STALL_FULL].total_us;
}

/* Where they were there at the start. What a group that goes in this moment has left is told by the next look. */
static void read_pressure(MnProbe *self, MnMoment *ret) {
    int r;

    if (!self->machine.offers_stalls || self->is_gone)
        return;
    r = read_stalls(self, &ret->measured_stalls);
    ret->stalls_of = self->group ? mn_group_get_level(self->group) : 0;
    if (r != -ENODEV)
        note_state(self, MN_SOURCE_PRESSURE, r, self->group ? MN_CGROUP_PRESSURE : "pressure/memory");
}

int mn_probe_look(MnProbe *self, const MnNeeds *needs, MnMoment *ret) {
    gboolean was_gone = self->is_gone;
    const char *name = NULL;
    int r;

    r = sample_meters(self, needs, &ret->measured, &name);
    note_group(self, was_gone);
    note_state(self, MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO, r, name);
    if (r < 0)
        return r;

    self->zones.n = 0;
    if (needs->machine & MN_SOURCE_PRESSURE)
        read_machine_pressure(self);
    if (needs->meters & MN_SOURCE_PRESSURE)
        read_pressure(self, ret);
    if (needs->machine & MN_SOURCE_ZONEINFO)
        read_zones(self);
    ret->is_gone = self->is_gone;
    ret->meters = needs->meters | (self->group ? 0 : needs->machine);
    ret->sample = &self->sample;
    ret->zones = &self->zones;
    ret->has_reclaim = (needs->machine & MN_SOURCE_RECLAIM) && mn_probe_read_reclaim(self, &ret->reclaim) == 0;
    ret->has_ooms = (needs->machine & MN_SOURCE_OOMS) && mn_probe_read_ooms(self, &ret->ooms) == 0;
    return 0;
}

int mn_probe_read_text(MnProbe *self, MnSource source, const char **ret_text, gsize *ret_len) {
    return mn_proc_read(self->proc, source, ret_text, ret_len);
}

/* --- what tells that it is time to look --- */

/* A group's own trigger, where there is one that we may use, knows of its limit. */
int mn_probe_open_pressure(const MnProbe *self, int *ret_fd) {
    if (!mn_proc_is_live(self->proc))
        return -ENOTSUP;
    if (self->is_gone)
        return -ENODEV;
    if (self->group && mn_psi_open(mn_group_get_directory_fd(self->group), MN_CGROUP_PRESSURE, ret_fd) == 0)
        return 0;
    return mn_psi_open(mn_proc_get_directory_fd(self->proc), "pressure/memory", ret_fd);
}

int mn_probe_get_changes_fd(MnProbe *self) {
    return mn_proc_get_changes_fd(self->proc);
}

void mn_probe_drain_changes(MnProbe *self) {
    mn_proc_drain_changes(self->proc);
}

gboolean mn_probe_has_group(const MnProbe *self) {
    return self->group != NULL;
}

int mn_probe_watch_group(MnProbe *self) {
    return mn_place_watch_start(&self->group_watch);
}

void mn_probe_unwatch_group(MnProbe *self) {
    mn_place_watch_stop(&self->group_watch);
}

gboolean mn_probe_drain_group(MnProbe *self) {
    return mn_place_watch_drain(&self->group_watch);
}
