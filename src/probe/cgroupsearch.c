/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of many control groups is ours, where no text says how it is called: who is in a group is in its cgroup.procs, by the
 * numbers of the reader's pid namespace. */
#include "cgroupsearch.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define GROUPS_MAX 32768

/* Lines of "4711\n". What cannot be read, as that of a threaded group, has nobody. */
static gboolean has_us(const char *directory) {
    g_autofree char *path = g_build_filename(directory, "cgroup.procs", NULL);
    g_autofree char *wanted = g_strdup_printf("\n%d\n", (int)getpid());
    g_autofree char *pids = NULL;
    const char *found;

    if (!g_file_get_contents(path, &pids, NULL, NULL))
        return FALSE;
    found = strstr(pids, wanted + 1);
    return found == pids || (found && strstr(pids, wanted));
}

/* The groups that are still to be looked at: their directories. */
static void add_groups_below(GPtrArray *groups, const char *directory) {
    DIR *dir = opendir(directory);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            g_ptr_array_add(groups, g_build_filename(directory, entry->d_name, NULL));
    if (dir)
        closedir(dir);
}

int mn_cgroup_search_own(const char *directory, char **ret_path) {
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(groups, g_strdup(directory));
    for (guint n = 0; groups->len > 0 && n < GROUPS_MAX; n++) {
        g_autofree char *group = g_ptr_array_steal_index_fast(groups, groups->len - 1);

        if (has_us(group)) {
            *ret_path = g_steal_pointer(&group);
            return 0;
        }
        add_groups_below(groups, group);
    }
    return -ENOENT;
}
