/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "playback.h"

#include "message.h"
#include "verb.h"

#include <errno.h>
#include <string.h>

struct CmdPlayback {
    MnWitness witness;
    MnReplay *replay;
    MnOutbox *outbox;
    MnBoard *board;
    MnSubscriber all; /* by which the board makes moments of all */
    MnLimitSet limits;
    MnWatch *watch;
    void (*told)(const MnEvent *event, gpointer data);
    gpointer data;
};

static void tell(CmdPlayback *self, const MnEvent *event) {
    if (self->told)
        self->told(event, self->data);
}

static void on_presence(MnWitness *witness, const MnMoment *moment) {
    MnEvent event = mn_event_of_presence(moment->is_gone, moment->time_us);

    tell((CmdPlayback *)witness, &event);
}

static void on_total(MnWitness *witness, const MnMoment *moment, guint64 before) {
    MnEvent event = mn_event_of_total(&moment->reading, before, moment->time_us);

    tell((CmdPlayback *)witness, &event);
}

static void on_crossing(MnWatch *watch, const MnReading *reading) {
    CmdPlayback *self = watch->owner;

    for (guint i = 0; i < watch->n_edges; i++)
        if (watch->changed & (1U << i)) {
            MnEvent event = mn_event_of_edge(&watch->edges[i], (watch->reached >> i) & 1, reading,
                                             mn_board_get_moment(self->board)->time_us);

            tell(self, &event);
        }
}

static MnProbe *open_probe(const char *path, gboolean is_of_machine) {
    g_autoptr(GError) error = NULL;
    MnProbe *probe = NULL;
    MnScript *script;
    const char *name;
    int r;

    if (!mn_script_open(path, &script, &error)) {
        cmd_fail("%s", error->message);
        return NULL;
    }
    r = mn_probe_new_replay(script, !is_of_machine, &probe, &name);
    if (r < 0)
        cmd_fail("cannot play '%s': %s", path,
                 r == -EBADMSG || r == -ENOENT ? "it is damaged or lacks MemTotal" : g_strerror(-r));
    return probe;
}

CmdPlayback *cmd_playback_new(const char *path, gboolean is_of_machine) {
    g_autoptr(CmdPlayback) self = g_new0(CmdPlayback, 1);
    MnProbe *probe = open_probe(path, is_of_machine);
    MnParameters parameters;
    int r;

    if (!probe)
        return NULL;
    mn_parameters_init(&parameters);
    self->replay = mn_probe_get_replay(probe);
    self->outbox = mn_outbox_new(&mn_machine_clock);
    r = mn_board_new(probe, mn_replay_get_clock(self->replay), self->outbox, &parameters, &self->board);
    if (r < 0) {
        cmd_fail("cannot play '%s': %s", path, g_strerror(-r));
        return NULL;
    }
    self->witness = (MnWitness){ .presence_changed = on_presence, .total_changed = on_total };
    mn_board_add_witness(self->board, &self->witness);
    return g_steal_pointer(&self);
}

void cmd_playback_free(CmdPlayback *self) {
    if (!self)
        return;
    if (self->watch)
        mn_board_unwatch(self->board, self->watch);
    mn_watch_free(self->watch);
    if (self->board)
        mn_board_unsubscribe(self->board, &self->all);
    mn_board_free(self->board);
    mn_outbox_free(self->outbox);
    g_free(self);
}

static const char *find_limits(const CmdPlayback *self) {
    const MnScriptText *recorded = mn_script_find(mn_replay_get_script(self->replay), MN_SCRIPT_LIMITS);

    return recorded ? recorded->text : CMD_PLAYBACK_LIMITS;
}

int cmd_playback_watch(CmdPlayback *self, const char *limits, void (*told)(const MnEvent *event, gpointer data),
                       gpointer data) {
    const char *text = limits ? limits : find_limits(self);
    gsize len = strlen(text);
    MnFault fault = { 0 };

    if (mn_limit_set_parse(text, len, cmd_playback_get_machine(self), &fault, &self->limits) < 0)
        return cmd_misuse_text("LIMITS", text, &fault);
    self->told = told;
    self->data = data;
    self->watch = mn_watch_new(&self->limits, on_crossing, self);
    mn_board_watch(self->board, self->watch);
    return CMD_OK;
}

const MnLimitSet *cmd_playback_get_limits(const CmdPlayback *self) {
    return &self->limits;
}

static void on_moment(MnSubscriber *subscriber G_GNUC_UNUSED, const MnMoment *moment G_GNUC_UNUSED) {
}

void cmd_playback_want_all(CmdPlayback *self) {
    self->all = (MnSubscriber){
        .needs = { .meters = MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO | MN_SOURCE_ARC | MN_SOURCE_PRESSURE },
        .told = on_moment,
    };
    mn_board_subscribe(self->board, &self->all);
}

static void tell_others(CmdPlayback *self) {
    while (mn_outbox_flush(self->outbox))
        continue;
}

gboolean cmd_playback_step(CmdPlayback *self) {
    if (mn_replay_has_ended(self->replay))
        return FALSE;
    mn_replay_step(self->replay);
    mn_board_refresh(self->board);
    tell_others(self);
    return TRUE;
}

const MnMoment *cmd_playback_get_moment(const CmdPlayback *self) {
    return mn_board_get_moment(self->board);
}

const MnMachine *cmd_playback_get_machine(const CmdPlayback *self) {
    return mn_board_get_machine(self->board);
}

gboolean cmd_playback_has_group(const CmdPlayback *self) {
    return mn_probe_has_group(mn_board_get_probe(self->board));
}

MnScript *cmd_playback_get_script(const CmdPlayback *self) {
    return mn_replay_get_script(self->replay);
}
