/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/self/mountinfo and /proc/self/mounts. */
#include "mount.h"

#include "core/mountinfo.h"

#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

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
