/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include "size.h"

#include "core/number.h"

#include <stdio.h>

void cmd_json_add_string(JsonBuilder *builder, const char *name, const char *value) {
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

void cmd_json_add_boolean(JsonBuilder *builder, const char *name, gboolean value) {
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}

void cmd_json_add_integer(JsonBuilder *builder, const char *name, guint64 value) {
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, (gint64)MIN(value, G_MAXINT64));
}

void cmd_json_add_number(JsonBuilder *builder, const char *name, double value) {
    json_builder_set_member_name(builder, name);
    json_builder_add_double_value(builder, value);
}

void cmd_json_add_pages(JsonBuilder *builder, const char *name, guint64 pages) {
    cmd_json_add_integer(builder, name, mn_multiply(pages, cmd_page_bytes()));
}

static void print(JsonBuilder *builder, gboolean is_indented) {
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, is_indented);

    puts(text);
    json_builder_reset(builder);
}

void cmd_json_print_line(JsonBuilder *builder) {
    print(builder, FALSE);
}

void cmd_json_print(JsonBuilder *builder) {
    print(builder, TRUE);
}
