/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "varlink.h"

/* --- calls --- */

static JsonNode *get(JsonObject *object, const char *name, GType type) {
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node : NULL;
}

static JsonObject *take_parameters(JsonObject *call) {
    JsonNode *node = json_object_get_member(call, "parameters");

    if (!node || JSON_NODE_HOLDS_NULL(node))
        return json_object_new();
    return JSON_NODE_HOLDS_OBJECT(node) ? json_object_ref(json_node_get_object(node)) : NULL;
}

gboolean varlink_call_parse(const char *text, gsize len, VarlinkCall *ret) {
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root, *method, *oneway;
    JsonObject *parameters;

    if (!json_parser_load_from_data(parser, text, (gssize)len, NULL))
        return FALSE;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return FALSE;
    method = get(json_node_get_object(root), "method", G_TYPE_STRING);
    oneway = get(json_node_get_object(root), "oneway", G_TYPE_BOOLEAN);
    parameters = method ? take_parameters(json_node_get_object(root)) : NULL;
    if (!parameters)
        return FALSE;

    *ret = (VarlinkCall){ .method = json_node_dup_string(method),
                          .parameters = parameters,
                          .is_oneway = oneway && json_node_get_boolean(oneway) };
    return TRUE;
}

void varlink_call_clear(VarlinkCall *self) {
    g_clear_pointer(&self->method, g_free);
    g_clear_pointer(&self->parameters, json_object_unref);
}

const char *varlink_call_get_string(const VarlinkCall *self, const char *name) {
    JsonNode *node = get(self->parameters, name, G_TYPE_STRING);

    return node ? json_node_get_string(node) : NULL;
}

/* --- answers --- */

static void append(GString *text, JsonBuilder *builder) {
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *message = json_to_string(root, FALSE);

    g_string_append_len(text, message, (gssize)strlen(message) + 1);
}

void varlink_reply(GString *text, JsonBuilder *parameters) {
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "parameters");
    if (parameters) {
        json_builder_add_value(builder, json_builder_get_root(parameters));
    } else {
        json_builder_begin_object(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
    append(text, builder);
}

void varlink_fail(GString *text, const char *error, const char *name, const char *value) {
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "error");
    json_builder_add_string_value(builder, error);
    json_builder_set_member_name(builder, "parameters");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    append(text, builder);
}
