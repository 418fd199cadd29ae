/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The figures of the page for its script: in pages, hundredths of a per cent, milliseconds, and bytes of processes. What is
 * not known is null. */
#include "json.h"
#include "parts.h"
#include "reportpage.h"

static void add_number(JsonBuilder *builder, guint64 number) {
    if (number == CMD_SERIES_NONE)
        json_builder_add_null_value(builder);
    else
        json_builder_add_int_value(builder, (gint64)MIN(number, G_MAXINT64));
}

static void begin_array(JsonBuilder *builder, const char *name) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
}

static void add_times(JsonBuilder *builder, const CmdSeries *series) {
    begin_array(builder, "ms");
    for (guint i = 0; i < series->n_columns; i++)
        json_builder_add_int_value(builder, series->columns[i].time_us / 1000);
    json_builder_end_array(builder);
}

static void add_value(JsonBuilder *builder, const char *name, const CmdSeries *series, guint value) {
    begin_array(builder, name);
    for (guint i = 0; i < series->n_columns; i++)
        add_number(builder, cmd_series_get(series, i)[value]);
    json_builder_end_array(builder);
}

static void add_parts(JsonBuilder *builder, const CmdSeries *series) {
    for (guint part = 0; part < CMD_N_PARTS; part++) {
        begin_array(builder, cmd_part_names[part]);
        for (guint i = 0; i < series->n_columns; i++) {
            const guint64 *values = cmd_series_get(series, i);

            add_number(builder,
                       values[MN_METER_TOTAL] == CMD_SERIES_NONE ? CMD_SERIES_NONE : cmd_part_pages(values, part));
        }
        json_builder_end_array(builder);
    }
}

static void begin_series(JsonBuilder *builder, const char *name, const CmdSeries *series, guint64 bytes) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    cmd_json_add_integer(builder, "bytes", bytes);
    add_times(builder, series);
    json_builder_set_member_name(builder, "values");
    json_builder_begin_object(builder);
}

static void end_series(JsonBuilder *builder) {
    json_builder_end_object(builder);
    json_builder_end_object(builder);
}

static void add_incident(JsonBuilder *builder, const CmdIncident *incident) {
    const CmdSeries *series = &incident->series;

    begin_series(builder, cmd_report_name(incident), series, incident->page_bytes);
    for (guint id = 0; id < MN_N_METERS; id++)
        if (incident->offered & MN_METER_BIT(id))
            add_value(builder, mn_meters[id].name, series, id);
    for (guint i = 0; i < incident->limits.n; i++) {
        guint id = incident->limits.limits[i].meter;
        g_autofree char *name = g_strdup_printf("limit %s", mn_meters[id].name);

        add_value(builder, name, series, CMD_VALUE_LIMITS + id);
    }
    for (guint kind = 0; kind < MN_N_STALLS && incident->has_stalls; kind++) {
        g_autofree char *name = g_strdup_printf("stall %s", mn_stall_names[kind]);

        add_value(builder, name, series, CMD_VALUE_STALLS + kind);
    }
    add_parts(builder, series);
    end_series(builder);
}

static void add_processes(JsonBuilder *builder, const CmdIncident *incident) {
    begin_series(builder, "processes", &incident->processes, 1);
    for (guint i = 0; i < incident->ranked->len; i++) {
        g_autofree char *name = g_strdup_printf("process %u", i);

        add_value(builder, name, &incident->processes, i);
    }
    end_series(builder);
}

char *cmd_report_data(const CmdIncident *machine, const CmdIncident *group) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    cmd_json_add_integer(builder, "duration_ms", (guint64)machine->duration_us / 1000);
    cmd_json_add_integer(builder, "local_ms", (guint64)cmd_report_local_us(machine) / 1000);
    json_builder_set_member_name(builder, "series");
    json_builder_begin_object(builder);
    add_incident(builder, machine);
    if (group)
        add_incident(builder, group);
    if (machine->ranked->len > 0)
        add_processes(builder, machine);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}
