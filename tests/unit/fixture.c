/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machines below tests/fixtures, and copies of them that a test may change. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const files[] = { "vmstat", "meminfo", "zoneinfo" };

static gboolean is_machine(const char *name) {
    g_autofree char *path = g_build_filename(FIXTURES, name, "meminfo", NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gint compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *fixture_names(const char *prefix) {
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(FIXTURES, 0, NULL);

    g_assert_nonnull(dir);
    for (const char *name; (name = g_dir_read_name(dir));)
        if (is_machine(name) && g_str_has_prefix(name, prefix) && (*prefix || !g_str_has_prefix(name, "bad-")))
            g_ptr_array_add(names, g_strdup(name));
    g_dir_close(dir);

    g_assert_cmpuint(names->len, >, 0);
    g_ptr_array_sort(names, compare_names);
    return names;
}

char *fixture_read(const char *machine, const char *file, gsize *ret_len) {
    g_autofree char *path = g_build_filename(FIXTURES, machine, file, NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, ret_len, NULL))
        g_error("no fixture %s/%s", machine, file);
    return memcpy(g_malloc(MAX(*ret_len, 1)), text, *ret_len);
}

void fixture_replace(const char *directory, const char *file, const char *text, gsize len) {
    g_autofree char *path = g_build_filename(directory, file, NULL);

    if (!g_file_set_contents(path, text, len, NULL))
        g_error("cannot write %s", path);
}

char *fixture_copy(const char *machine) {
    char *directory = g_dir_make_tmp("memnotifyfs-XXXXXX", NULL);

    g_assert_nonnull(directory);
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        gsize len;
        g_autofree char *text = fixture_read(machine, files[i], &len);

        fixture_replace(directory, files[i], text, len);
    }
    return directory;
}

void fixture_remove(char *directory) {
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(directory, files[i], NULL);

        g_remove(path);
    }
    if (rmdir(directory) < 0)
        g_error("cannot remove %s", directory);
    g_free(directory);
}

guint64 fixture_number(const char *text, gsize len, const char *key) {
    g_autofree char *lines = g_strdup_printf("\n%.*s", (int)len, text);
    g_autofree char *wanted = g_strdup_printf("\n%s", key);
    const char *found = strstr(lines, wanted);

    return found ? strtoull(found + strlen(wanted), NULL, 10) : 0;
}
