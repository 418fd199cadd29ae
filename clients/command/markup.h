/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Appends HTML. What %s stands for is text: it is escaped, for elements and for attributes in quotes. */
void cmd_markup_append(GString *page, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Appends a number with so many decimals and a point, whatever the locale, without zeros at its end. */
void cmd_markup_append_number(GString *page, double number, guint decimals);

/* Appends JSON so that it may stand in an element `script`. */
void cmd_markup_append_json(GString *page, const char *json);

/* The source of a Content-Security-Policy that allows an inline text, and nothing else: 'sha256-...'. */
char *cmd_markup_hash(const char *text);
