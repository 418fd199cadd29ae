/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "figures.h"

#include <json-glib/json-glib.h>

/* Adds what is known of memory as members of the object that is being built: "meters", and "limits" with "limits_left_out" and
 * "pressure" where they are told. Amounts are bytes. */
void cmd_figures_add_json(JsonBuilder *builder, const CmdFigures *figures);
