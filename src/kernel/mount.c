/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/self/mountinfo and /proc/self/mounts, and the paths that lead to what is in them. */
#include "mount.h"

#include "core/mountinfo.h"

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Of the kernel, see path_resolution(7). */
#define N_LINKS_MAX 40

char *mn_mount_find(dev_t device) {
    g_autofree char *mountinfo = NULL;
    g_auto(MnMount) mount = { 0 };

    if (!g_file_get_contents("/proc/self/mountinfo", &mountinfo, NULL, NULL))
        return NULL;
    for (const char *rest = mountinfo; mn_mount_next(&mount, &rest);)
        if (makedev(mount.major, mount.minor) == device)
            return g_steal_pointer(&mount.mountpoint);
    return NULL;
}

gboolean mn_mount_is_of_type(const char *path, const char *type) {
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent *entry;
    gboolean is_so = FALSE;

    if (!mounts)
        return FALSE;
    while ((entry = getmntent(mounts)))
        if (strcmp(entry->mnt_dir, path) == 0)
            is_so = strcmp(entry->mnt_type, type) == 0;
    endmntent(mounts);
    return is_so;
}

/* With no link in it, but perhaps at its end. */
static char *resolve_parent(const char *path) {
    g_autofree char *trimmed = g_strdup(path);
    g_autofree char *parent = NULL, *name = NULL, *real = NULL;
    gboolean is_named;

    for (gsize len = strlen(trimmed); len > 1 && trimmed[len - 1] == '/'; len--)
        trimmed[len - 1] = '\0';
    parent = g_path_get_dirname(trimmed);
    name = g_path_get_basename(trimmed);
    is_named = strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    real = realpath(is_named ? parent : trimmed, NULL);
    if (!real)
        return g_canonicalize_filename(path, NULL);
    return is_named ? g_build_filename(real, name, NULL) : g_steal_pointer(&real);
}

/* realpath() would ask what is at the end. Reading a link does not. */
char *mn_mount_resolve(const char *path) {
    g_autofree char *absolute = resolve_parent(path);

    for (guint n = 0; n < N_LINKS_MAX; n++) {
        g_autofree char *target = g_file_read_link(absolute, NULL);
        g_autofree char *parent = g_path_get_dirname(absolute);
        g_autofree char *next = NULL;

        if (!target)
            break;
        next = g_path_is_absolute(target) ? g_steal_pointer(&target) : g_build_filename(parent, target, NULL);
        g_free(absolute);
        absolute = resolve_parent(next);
    }
    return g_steal_pointer(&absolute);
}
