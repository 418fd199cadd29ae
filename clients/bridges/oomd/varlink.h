/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* The messages of Varlink, each of which is JSON and ends with a NUL. Source: the page "Method Call" of the project's
 * documentation. */

/* A call; all zero is none. */
typedef struct VarlinkCall {
    char *method;           /* "io.systemd.oom.Prekill.Notify" */
    JsonObject *parameters; /* never NULL in one */
    gboolean is_oneway;     /* no reply is wanted */
} VarlinkCall;

/* Reads the text of a message, without its NUL. FALSE: it is no call. To be cleared. */
gboolean varlink_call_parse(const char *text, gsize len, VarlinkCall *ret) G_GNUC_WARN_UNUSED_RESULT;
void varlink_call_clear(VarlinkCall *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarlinkCall, varlink_call_clear)

/* A parameter of it that is a string, which stays the call's; NULL: it has none. */
const char *varlink_call_get_string(const VarlinkCall *self, const char *name);

/* Append a message with its NUL: the reply, whose parameters the caller has begun and ended as an object in the builder, or
 * which has none where that is NULL; and an error with one parameter. */
void varlink_reply(GString *text, JsonBuilder *parameters);
void varlink_fail(GString *text, const char *error, const char *name, const char *value);
