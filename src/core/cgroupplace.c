/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of /proc/PID/cgroup and mountinfo -> directories where a group may be.
 *
 * Both texts name groups as seen from the root of the reader's cgroup namespace. What lies outside is named by "..": a group
 * "/../other" beside that root, a mount whose root "/../.." is two above it, as where a container is given the host's tree.
 * What leads from such a mount down to the namespace is in neither text. */
#include "cgroupplace.h"

#include "core/mountinfo.h"

#include <string.h>

static gboolean has_word(const char *list, const char *word) {
    g_auto(GStrv) words = g_strsplit(list, ",", -1);

    return g_strv_contains((const char *const *)words, word);
}

/* Lines of "4:memory:/user/one\n" (v1) and "0::/user/one\n" (v2). */
static char *find_path(const char *groups, MnCgroupVersion version) {
    g_auto(GStrv) lines = g_strsplit(groups, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], ":", 3);

        if (g_strv_length(fields) < 3)
            continue;
        if (version == MN_CGROUP_V1 ? has_word(fields[1], "memory") : strcmp(fields[0], "0") == 0)
            return g_strdup(fields[2]);
    }
    return NULL;
}

/* Memory is controlled by v1 where that has it, and then not by v2. */
char *mn_cgroup_find_group(const char *groups, MnCgroupVersion *ret_version) {
    char *path = find_path(groups, MN_CGROUP_V1);

    *ret_version = path ? MN_CGROUP_V1 : MN_CGROUP_V2;
    return path ? path : find_path(groups, MN_CGROUP_V2);
}

static gboolean is_below(const char *path, const char *group) {
    gsize len = strcmp(group, "/") == 0 ? 0 : strlen(group);

    return path && strncmp(path, group, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The two may be in different trees, where memory is controlled by v1 and a manager has the other. */
gboolean mn_cgroup_is_within(const char *groups, const char *path) {
    g_autofree char *of_memory = find_path(groups, MN_CGROUP_V1), *unified = find_path(groups, MN_CGROUP_V2);

    return is_below(of_memory, path) || is_below(unified, path);
}

static gboolean is_outside(const char *path) {
    return strcmp(path, "/..") == 0 || g_str_has_prefix(path, "/../");
}

/* The directory of the group `path` below a mount whose root is the group `root`; NULL if that is not known to be above
 * it: another mount, or a group outside of our cgroup namespace. */
static char *directory_below(const char *mountpoint, const char *root, const char *path) {
    gsize len = strcmp(root, "/") == 0 ? 0 : strlen(root);
    const char *rest = path + len;

    if (strncmp(path, root, len) != 0 || (*rest != '/' && *rest != '\0') || is_outside(rest))
        return NULL;
    return g_strconcat(mountpoint, strcmp(rest, "/") == 0 ? "" : rest, NULL);
}

static gboolean controls_memory(const MnMount *mount, MnCgroupVersion version) {
    if (version == MN_CGROUP_V2)
        return strcmp(mount->type, "cgroup2") == 0;
    return strcmp(mount->type, "cgroup") == 0 && has_word(mount->options, "memory");
}

void mn_cgroup_place_clear(MnCgroupPlace *self) {
    g_free(self->mountpoint);
    g_free(self->directory);
    *self = (MnCgroupPlace){ 0 };
}

gboolean mn_cgroup_place_next(MnCgroupPlace *self, const char *group, MnCgroupVersion version, const char **mounts) {
    g_auto(MnMount) mount = { 0 };

    mn_cgroup_place_clear(self);
    while (mn_mount_next(&mount, mounts)) {
        if (!controls_memory(&mount, version))
            continue;
        self->directory = directory_below(mount.mountpoint, mount.root, group);
        self->mountpoint = g_steal_pointer(&mount.mountpoint);
        self->is_whole = strcmp(mount.root, "/") == 0;
        return TRUE;
    }
    return FALSE;
}
