/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nobody tells who serves a mount: it is found by its command line. */
#include "server.h"

#include "kernel/mount.h"

#include <stdlib.h>
#include <string.h>

#define NAME "memnotifyfs"

static char *read_file(const char *pid, const char *name, gsize *ret_len) {
    g_autofree char *path = g_strdup_printf("/proc/%s/%s", pid, name);
    char *text = NULL;

    return g_file_get_contents(path, &text, ret_len, NULL) ? text : NULL;
}

static gboolean has_our_name(const char *pid) {
    g_autofree char *comm = read_file(pid, "comm", NULL);

    return comm && strcmp(comm, NAME "\n") == 0;
}

/* "VmLck:\t     132 kB\n"; to be freed, NULL when there is no such line. */
static char *find_field(const char *status, const char *name) {
    g_autofree char *start = g_strdup_printf("\n%s:", name);
    const char *at = strstr(status, start);

    if (!at)
        return NULL;
    at += strlen(start);
    return g_strstrip(g_strndup(at, strcspn(at, "\n")));
}

/* Whether one of its words leads to the path. It may have been given from where the process was started. */
static gboolean is_told(const char *pid, const char *path) {
    gsize len = 0;
    g_autofree char *words = read_file(pid, "cmdline", &len);
    g_autofree char *link = g_strdup_printf("/proc/%s/cwd", pid);
    g_autofree char *directory = g_file_read_link(link, NULL);

    for (const char *word = words; word && word < words + len; word += strlen(word) + 1) {
        g_autofree char *absolute = g_canonicalize_filename(word, directory ? directory : "/");
        g_autofree char *resolved = NULL;

        if (*word == '-')
            continue;
        resolved = mn_mount_resolve(absolute);
        if (strcmp(resolved, path) == 0)
            return TRUE;
    }
    return FALSE;
}

/* A helper process has the name and the words of its parent. */
static gboolean is_it(const char *pid, const char *path, char **ret_status) {
    g_autofree char *status = NULL, *parent = NULL;

    if (!g_ascii_isdigit(*pid) || !has_our_name(pid) || !is_told(pid, path))
        return FALSE;
    status = read_file(pid, "status", NULL);
    parent = status ? find_field(status, "PPid") : NULL;
    if (!parent || has_our_name(parent))
        return FALSE;
    *ret_status = g_steal_pointer(&status);
    return TRUE;
}

void cmd_server_find(const char *path, CmdServer *ret) {
    g_autoptr(GDir) directory = g_dir_open("/proc", 0, NULL);
    const char *pid;

    *ret = (CmdServer){ 0 };
    while (directory && (pid = g_dir_read_name(directory))) {
        g_autofree char *status = NULL, *state = NULL, *locked = NULL, *score = NULL;

        if (!is_it(pid, path, &status))
            continue;
        state = find_field(status, "State");
        locked = find_field(status, "VmLck");
        score = read_file(pid, "oom_score_adj", NULL);
        *ret = (CmdServer){ .pid = (pid_t)strtol(pid, NULL, 10),
                            .state = state ? state[0] : '?',
                            .locked_kib = locked ? strtoull(locked, NULL, 10) : 0,
                            .oom_score_adj = score ? strtoll(score, NULL, 10) : 0 };
        return;
    }
}
