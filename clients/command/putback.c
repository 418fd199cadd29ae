/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "putback.h"

/* What is simulated: "used 5000\nstall_some 20%\nlow\n" as names with values, "" for a name alone. */
static GHashTable *parse_shown(const char *text) {
    GHashTable *shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", 2);

        if (words[0] && *words[0])
            g_hash_table_insert(shown, g_strdup(words[0]), g_strdup(words[1] ? words[1] : ""));
    }
    return shown;
}

static void append_changed(GString *words, const char *name, const char *value) {
    g_string_append_printf(words, "%s%s%s%s", words->len > 0 ? " " : "", name, *value ? " " : "", value);
}

char *cmd_putback_words(const char *before, const char *after) {
    g_autoptr(GHashTable) old = parse_shown(before);
    g_autoptr(GHashTable) new = parse_shown(after);
    GString *words = g_string_new(NULL);
    GHashTableIter iter;
    gpointer name, value;

    g_hash_table_iter_init(&iter, new);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(old, name))
            append_changed(words, name, "-");
    g_hash_table_iter_init(&iter, old);
    while (g_hash_table_iter_next(&iter, &name, &value))
        if (g_strcmp0(g_hash_table_lookup(new, name), value) != 0)
            append_changed(words, name, value);
    return g_string_free(words, FALSE);
}
