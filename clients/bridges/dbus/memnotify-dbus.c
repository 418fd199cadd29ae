/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify-dbus: org.freedesktop.LowMemoryMonitor, by what memnotifyfs shows. GLib's GMemoryMonitor and the portal of
 * sandboxes listen to it. */
#include "levelbus.h"
#include "levelpreset.h"
#include "levelwatch.h"

#include "client.h"
#include "message.h"
#include "patience.h"
#include "reader.h"

#include "loop/alarm.h"

#include <glib-unix.h>
#include <stdio.h>
#include <sys/mman.h>

/* Rising. */
static const struct {
    Level level;
    const char *name;
} rows[] = {
    { LEVEL_LOW, "low" },
    { LEVEL_MEDIUM, "medium" },
    { LEVEL_CRITICAL, "critical" },
};

typedef struct Wishes {
    CmdOptions options;
    char *limits[G_N_ELEMENTS(rows)]; /* NULL: as preset */
    gboolean has_preset;              /* else it is by what the server shows */
    LevelPreset preset;
    gboolean is_session;
} Wishes;

typedef struct Program {
    const Wishes *wishes;
    GMainLoop *loop;
    int status;
    Levels levels;
    MnAlarm *alarm;
    LevelWatch *watches[G_N_ELEMENTS(rows)];
    LevelBus *bus;
} Program;

static void end(Program *self, int status) {
    self->status = status;
    g_main_loop_quit(self->loop);
}

/* --- limits --- */

static gboolean needs_preset(const Wishes *wishes) {
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!wishes->limits[i])
            return TRUE;
    return FALSE;
}

/* -errno, as there is no server. The result is to be cleared. */
static int look(const CmdOptions *options, CmdFigures *ret) {
    g_autoptr(CmdReader) reader = NULL;
    int r = cmd_reader_find(options->place, &reader);

    return r == 0 ? cmd_reader_look(reader, ret) : r;
}

/* The limits of each level, to be freed; those that are named by name. */
static void choose_limits(const Wishes *wishes, const CmdFigures *figures, char *ret[]) {
    LevelPreset preset = wishes->has_preset     ? wishes->preset
                         : figures->is_of_group ? LEVEL_PRESET_GROUP
                                                : LEVEL_PRESET_MACHINE;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        ret[i] = wishes->limits[i]
                     ? g_strdup(wishes->limits[i])
                     : level_preset_limits(preset, rows[i].level, cmd_figures_get_whole(figures, MN_METER_AVAILABLE),
                                           cmd_figures_get_whole(figures, MN_METER_TOTAL));
}

static void free_limits(char *limits[]) {
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_free(limits[i]);
}

/* Memory or swap were added or taken away, or it is another server. While there is none what was chosen last holds. */
static void choose_again(Program *self) {
    g_auto(CmdFigures) figures = { 0 };
    char *limits[G_N_ELEMENTS(rows)];

    if (!needs_preset(self->wishes) || look(&self->wishes->options, &figures) < 0 || figures.is_gone)
        return;
    choose_limits(self->wishes, &figures, limits);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        level_watch_set_limits(self->watches[i], limits[i]);
    free_limits(limits);
}

/* --- levels --- */

static Level highest(const Program *self) {
    Level level = LEVEL_NONE;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (level_watch_is_on(self->watches[i]))
            level = rows[i].level;
    return level;
}

static void send_what_is_due(gpointer data) {
    Program *self = data;
    Level level = levels_take(&self->levels, mn_clock_now_us(&mn_machine_clock));
    gint64 due_us;

    if (level != LEVEL_NONE)
        level_bus_send(self->bus, level);
    due_us = levels_due_us(&self->levels);
    if (due_us == G_MAXINT64)
        mn_alarm_stop(self->alarm);
    else
        mn_alarm_set(self->alarm, due_us);
}

/* All of them are asked, whoever has something to tell: one sample may reach the limits of several levels, of which the
 * highest is to be told alone. */
static void on_news(gpointer data) {
    Program *self = data;
    gboolean is_resized = FALSE;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        int r = level_watch_take(self->watches[i], &is_resized);

        if (r < 0) {
            end(self, cmd_fail("cannot watch any more: %s", level_watch_explain(self->watches[i], r)));
            return;
        }
    }
    if (is_resized)
        choose_again(self);
    levels_set(&self->levels, highest(self));
    send_what_is_due(self);
}

/* --- the end --- */

static void on_bus_lost(gpointer data) {
    end(data, cmd_fail("the bus has closed the connection"));
}

static gboolean on_signal(gpointer data) {
    end(data, CMD_OK);
    return G_SOURCE_CONTINUE;
}

/* --- from beginning to end --- */

static int look_patiently(const CmdOptions *options, CmdFigures *ret) {
    g_autoptr(CmdPatience) patience G_GNUC_UNUSED = cmd_patience_new(options->place);

    return look(options, ret);
}

static int watch(Program *self) {
    g_auto(CmdFigures) figures = { 0 };
    char *limits[G_N_ELEMENTS(rows)];
    int r = needs_preset(self->wishes) ? look_patiently(&self->wishes->options, &figures) : 0, status = CMD_OK;

    if (r < 0)
        return cmd_client_fail_open(self->wishes->options.place, r);
    choose_limits(self->wishes, &figures, limits);
    for (guint i = 0; i < G_N_ELEMENTS(rows) && status == CMD_OK; i++)
        status = level_watch_new(&self->wishes->options, limits[i], on_news, self, &self->watches[i]);
    free_limits(limits);
    return status;
}

static void say_limits(const Program *self) {
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        printf("%s %s\n", rows[i].name, level_watch_get_limits(self->watches[i]));
    fflush(stdout);
}

static int serve(const Wishes *wishes) {
    Program program = { .wishes = wishes, .loop = g_main_loop_new(NULL, FALSE) };
    guint signals[] = { g_unix_signal_add(SIGTERM, on_signal, &program),
                        g_unix_signal_add(SIGINT, on_signal, &program) };
    int status = watch(&program);

    levels_init(&program.levels);
    program.alarm = mn_alarm_new(&mn_machine_clock, "levels", send_what_is_due, &program);
    if (status == CMD_OK)
        status = level_bus_new(wishes->is_session, on_bus_lost, &program, &program.bus);
    if (status == CMD_OK) {
        say_limits(&program);
        (void)mlockall(MCL_CURRENT | MCL_ONFAULT); /* it is needed when there is no memory to be had */
        g_main_loop_run(program.loop);
        status = program.status;
    }
    level_bus_free(program.bus);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        level_watch_free(program.watches[i]);
    mn_alarm_free(program.alarm);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        g_source_remove(signals[i]);
    g_main_loop_unref(program.loop);
    return status;
}

static int dbus_run(char ***argv);

static const CmdVerb dbus = {
    .name = "memnotify-dbus",
    .summary = "warns of short memory on D-Bus, as " LEVEL_BUS_NAME,
    .is_program = TRUE,
    .run = dbus_run,
};

static int dbus_run(char ***argv) {
    Wishes wishes = { 0 };
    g_autofree char *preset = NULL;
    const GOptionEntry own[] = {
        { "low", 0, 0, G_OPTION_ARG_STRING, &wishes.limits[0], "When caches can go", "LIMITS" },
        { "medium", 0, 0, G_OPTION_ARG_STRING, &wishes.limits[1], "When all can go that is had again", "LIMITS" },
        { "critical", 0, 0, G_OPTION_ARG_STRING, &wishes.limits[2], "When processes are ended soon", "LIMITS" },
        { "preset", 0, 0, G_OPTION_ARG_STRING, &preset, "The other limits: 'machine' or 'group'", "NAME" },
        { "session", 0, 0, G_OPTION_ARG_NONE, &wishes.is_session, "On the session bus, to try it", NULL },
        { 0 },
    };
    CmdParsed parsed = cmd_options_parse(&dbus, own, 0, 0, argv, &wishes.options);
    int status;

    wishes.has_preset = preset && level_preset_find(preset, &wishes.preset);
    if (parsed != CMD_PARSED)
        status = cmd_parsed_status(parsed);
    else if (preset && !wishes.has_preset)
        status = cmd_misuse("there is no preset '%s'; there are 'machine' and 'group'", preset);
    else
        status = serve(&wishes);
    free_limits(wishes.limits);
    return status;
}

int main(int argc G_GNUC_UNUSED, char **argv) {
    return cmd_main_program(&dbus, argv);
}
