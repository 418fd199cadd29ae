/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* Members of the object that is being built. */
void cmd_json_add_string(JsonBuilder *builder, const char *name, const char *value);
void cmd_json_add_boolean(JsonBuilder *builder, const char *name, gboolean value);
void cmd_json_add_integer(JsonBuilder *builder, const char *name, guint64 value);

void cmd_json_add_number(JsonBuilder *builder, const char *name, double value);

/* The same of an amount, in bytes. */
void cmd_json_add_pages(JsonBuilder *builder, const char *name, guint64 pages);

/* Prints what was built, which is complete, on a line, or indented over several; and begins anew. */
void cmd_json_print_line(JsonBuilder *builder);
void cmd_json_print(JsonBuilder *builder);
