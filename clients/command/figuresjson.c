/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "figuresjson.h"

#include "json.h"

static void add_meters(JsonBuilder *builder, const CmdFigures *figures) {
    json_builder_set_member_name(builder, "meters");
    json_builder_begin_object(builder);
    for (guint id = 0; id < MN_N_METERS && !figures->is_gone; id++)
        if (figures->offered & MN_METER_BIT(id))
            cmd_json_add_pages(builder, mn_meters[id].name, figures->reading.pages[id]);
    json_builder_end_object(builder);
}

static void add_limits(JsonBuilder *builder, const CmdFigures *figures) {
    json_builder_set_member_name(builder, "limits");
    json_builder_begin_array(builder);
    for (guint i = 0; i < figures->limits->len; i++) {
        const CmdNamedLimit *limit = &g_array_index(figures->limits, CmdNamedLimit, i);

        json_builder_begin_object(builder);
        cmd_json_add_string(builder, "threshold", limit->threshold);
        cmd_json_add_string(builder, "meter", mn_meters[limit->meter].name);
        cmd_json_add_string(builder, "op", mn_op_names[limit->op]);
        cmd_json_add_pages(builder, "limit", limit->limit_pages);
        cmd_json_add_boolean(builder, "reached", limit->is_reached);
        cmd_json_add_integer(builder, "crossings", limit->crossings);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    cmd_json_add_integer(builder, "limits_left_out", figures->n_limits_left_out);
}

static void add_stalls(JsonBuilder *builder, const CmdFigures *figures) {
    json_builder_set_member_name(builder, "pressure");
    json_builder_begin_object(builder);
    for (guint kind = 0; kind < MN_N_STALLS; kind++) {
        const MnStall *stall = &figures->stalls.lines[kind];

        json_builder_set_member_name(builder, mn_stall_names[kind]);
        json_builder_begin_object(builder);
        for (guint i = 0; i < MN_N_STALL_AVERAGES; i++) {
            g_autofree char *name = g_strdup_printf("avg%u", mn_stall_average_s[i]);

            json_builder_set_member_name(builder, name);
            json_builder_add_double_value(builder, stall->hundredths[i] / 100.0);
        }
        cmd_json_add_integer(builder, "total_us", stall->total_us);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
}

void cmd_figures_add_json(JsonBuilder *builder, const CmdFigures *figures) {
    add_meters(builder, figures);
    if (figures->limits)
        add_limits(builder, figures);
    if (figures->has_stalls)
        add_stalls(builder, figures);
}
