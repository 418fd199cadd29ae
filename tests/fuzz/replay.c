/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a fuzz target over the files of directories: what a fuzzer has found or was given, as an
 * ordinary test. An input that breaks a promise ends the program; its name is printed before. */
#include "target.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void replay_file(const char *path) {
    g_autofree char *text = NULL;
    char *exact;
    gsize len;

    if (!g_file_get_contents(path, &text, &len, NULL))
        g_error("cannot read %s", path);

    /* In a block of exactly its size, so that a sanitizer sees who reads beyond it. */
    exact = malloc(len);
    g_assert_nonnull(exact);
    memcpy(exact, text, len);
    LLVMFuzzerTestOneInput((const uint8_t *)exact, len);
    free(exact);
}

static guint replay_directory(const char *directory) {
    GDir *dir = g_dir_open(directory, 0, NULL);
    guint n = 0;

    if (!dir)
        g_error("cannot open %s", directory);
    for (const char *name; (name = g_dir_read_name(dir)); n++) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        printf("%s\n", name);
        fflush(stdout);
        replay_file(path);
    }
    g_dir_close(dir);
    return n;
}

int main(int argc, char **argv) {
    guint n = 0;

    for (int i = 1; i < argc; i++)
        n += replay_directory(argv[i]);

    printf("%u passed, 0 failed\n", n);
    return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
