/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recordflight.h"

#include "message.h"
#include "recorddump.h"
#include "recordring.h"
#include "verb.h"

#include "core/crossing.h"
#include "probe/probe.h"

#include <errno.h>
#include <string.h>

/* Room for a frame. One of a machine of a hundred processors and ten moments a second has half of it. */
#define FRAME_BYTES 65536U

/* What comes after the limits were reached, and how long that is followed from when they were left. */
#define AFTER_BYTES 1048576U
#define AFTER_US G_TIME_SPAN_MINUTE

struct CmdFlight {
    char *limits;
    MnProbe *probe;
    MnCrossing *crossing;
    MnWatch *watch;
    guint sources;     /* that the limits need */
    gboolean is_armed; /* the limits have been left since they were told */
    gint64 reached_us; /* when they were last; 0: never */

    CmdRing *ring;
    GByteArray *frame; /* the present one, as far as it has come */
    gint64 frame_us;   /* it began */
    CmdDump dump;
    gboolean is_good; /* the dump can be written to */
};

/* --- limits --- */

static int open_probe(CmdFlight *self, const char *proc_directory, const char *group_directory) {
    MnGroup *group = NULL;
    const char *name;
    int r;

    r = mn_probe_new(proc_directory, &self->probe, &name);
    if (r == 0 && group_directory)
        r = *group_directory ? mn_group_new(group_directory, &group) : mn_group_new_own(&group);
    if (r == 0 && group)
        r = mn_probe_set_group(self->probe, group, &name);
    return r == 0 ? CMD_OK : cmd_fail("cannot look at memory: %s", g_strerror(-r));
}

static int look(CmdFlight *self, MnReading *ret) {
    MnMoment moment = { 0 };
    int r;

    r = mn_probe_look(self->probe, &(MnNeeds){ .meters = self->sources }, &moment);
    if (r == 0 && moment.is_gone)
        r = -ENODEV;
    if (r < 0)
        return r;
    *ret = moment.measured;
    mn_crossing_set_scale(self->crossing, &(MnScale){ ret->pages[MN_METER_TOTAL], ret->pages[MN_METER_SWAP_TOTAL], 0 });
    return 0;
}

/* It is looked for in `reached`. */
static void on_crossing(MnWatch *watch G_GNUC_UNUSED, const MnReading *reading G_GNUC_UNUSED) {
}

static int watch(CmdFlight *self, const char *limits) {
    MnFault fault = { 0 };
    MnLimitSet set;
    MnReading reading;
    int r;

    if (mn_limit_set_parse(limits, strlen(limits), mn_probe_get_machine(self->probe), &fault, &set) < 0)
        return cmd_misuse_text("LIMITS", limits, &fault);
    self->limits = g_strdup(limits);
    self->crossing = mn_crossing_new();
    self->watch = mn_watch_new(&set, on_crossing, self);
    self->sources = MN_SOURCE_MEMINFO;
    for (guint i = 0; i < set.n; i++)
        self->sources |= mn_probe_meter_sources(self->probe, set.limits[i].meter);
    r = look(self, &reading);
    if (r < 0)
        return cmd_fail("cannot look at memory: %s", g_strerror(-r));
    mn_crossing_add(self->crossing, self->watch, &reading);
    self->is_armed = TRUE;
    return CMD_OK;
}

gboolean cmd_flight_look(CmdFlight *self, gint64 time_us) {
    MnReading reading;

    if (look(self, &reading) == 0)
        mn_crossing_advance(self->crossing, &reading);
    if (self->watch->reached)
        self->reached_us = time_us;
    else
        self->is_armed = TRUE;
    return self->reached_us > 0 && time_us - self->reached_us < AFTER_US;
}

/* --- what is held --- */

int cmd_flight_new(const char *directory, gint64 span_us, const char *limits, const char *proc_directory,
                   const char *group, CmdFlight **ret) {
    g_autoptr(CmdFlight) self = g_new0(CmdFlight, 1);
    gsize size = (gsize)(span_us / CMD_FLIGHT_FRAME_US + 2) * FRAME_BYTES;
    int r;

    self->dump = (CmdDump){ .fd = -1, .directory_fd = -1 };
    r = open_probe(self, proc_directory, group);
    if (r == CMD_OK)
        r = watch(self, limits);
    if (r != CMD_OK)
        return r;
    self->ring = cmd_ring_new(size);
    self->frame = g_byte_array_sized_new(2 * FRAME_BYTES);
    self->is_good = TRUE;
    if (!cmd_dump_init(&self->dump, directory, size + AFTER_BYTES))
        return CMD_FAILED;
    *ret = g_steal_pointer(&self);
    return CMD_OK;
}

void cmd_flight_free(CmdFlight *self) {
    if (!self)
        return;
    cmd_dump_clear(&self->dump);
    cmd_ring_free(self->ring);
    if (self->frame)
        g_byte_array_free(self->frame, TRUE);
    if (self->crossing && self->watch)
        mn_crossing_remove(self->crossing, self->watch);
    mn_watch_free(self->watch);
    if (self->crossing)
        mn_crossing_free(self->crossing);
    mn_probe_free(self->probe);
    g_free(self->limits);
    g_free(self);
}

const char *cmd_flight_get_limits(const CmdFlight *self) {
    return self->limits;
}

static void append(const guint8 *bytes, gsize len, gpointer data) {
    CmdFlight *self = data;

    self->is_good = self->is_good && cmd_dump_append(&self->dump, bytes, len);
}

/* What the recorder has goes to the present frame, and to the file while there is one. */
static void take_output(CmdFlight *self, MnRecorder *recorder) {
    gsize len;
    const guint8 *bytes = mn_recorder_get_output(recorder, &len);

    g_byte_array_append(self->frame, bytes, (guint)len);
    if (self->dump.is_open)
        append(bytes, len, self);
    mn_recorder_take_output(recorder);
}

static void end_frame(CmdFlight *self, MnRecorder *recorder, gint64 time_us) {
    mn_recorder_end_frame(recorder);
    take_output(self, recorder);
    (void)cmd_ring_put(self->ring, self->frame->data, self->frame->len);
    g_byte_array_set_size(self->frame, 0);
    self->frame_us = time_us;
}

/* All that is held, with the present frame. */
static gboolean begin_dump(CmdFlight *self, MnRecorder *recorder, gint64 time_us, gint64 date_us) {
    end_frame(self, recorder, time_us);
    if (!cmd_dump_begin(&self->dump, date_us))
        return FALSE;
    self->is_armed = FALSE;
    self->reached_us = time_us;
    cmd_ring_each(self->ring, append, self);
    return TRUE;
}

/* The next one is made. */
static gboolean end_dump(CmdFlight *self, MnRecorder *recorder, gint64 time_us) {
    end_frame(self, recorder, time_us);
    self->is_good = TRUE;
    return cmd_dump_end(&self->dump);
}

gboolean cmd_flight_save(CmdFlight *self, MnRecorder *recorder, gint64 time_us, gint64 date_us, gboolean wants_dump) {
    gboolean is_over = time_us - self->reached_us >= AFTER_US;

    if (self->frame_us == 0) /* the first frame: whatever allocates has done so then */
        end_frame(self, recorder, time_us);
    if (!self->dump.is_open) {
        if (wants_dump || (self->is_armed && self->watch->reached))
            return begin_dump(self, recorder, time_us, date_us);
        if (time_us - self->frame_us >= CMD_FLIGHT_FRAME_US)
            end_frame(self, recorder, time_us);
        return TRUE;
    }
    mn_recorder_flush(recorder);
    if (time_us - self->frame_us >= CMD_FLIGHT_FRAME_US)
        end_frame(self, recorder, time_us);
    else
        take_output(self, recorder);
    return is_over || !self->is_good ? end_dump(self, recorder, time_us) : TRUE;
}

gboolean cmd_flight_end(CmdFlight *self, MnRecorder *recorder) {
    return !self->dump.is_open || end_dump(self, recorder, self->frame_us);
}
