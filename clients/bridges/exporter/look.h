/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "follower.h"
#include "processes.h"

#include <json-glib/json-glib.h>

/* Members of the object that the page is sent: page.js says what they are. */

/* What each meter is, by its name. */
void exp_look_add_help(JsonBuilder *builder);

/* An object for one mount, in an array that has begun. `name` is NULL for a mount that is alone; is_late: it has not answered
 * yet, and what was found before is shown. */
void exp_look_add_mount(JsonBuilder *builder, const char *name, const CmdFound *found, gboolean is_late);

/* The same for one event. */
void exp_look_add_event(JsonBuilder *builder, const char *name, const CmdEvent *event);

/* The same for one process. */
void exp_look_add_process(JsonBuilder *builder, const CmdGrown *process);

/* What was built, as one line; the builder begins anew. To be freed. */
char *exp_look_print(JsonBuilder *builder);
