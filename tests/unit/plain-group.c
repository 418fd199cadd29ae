/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plain-group.h"

#include "core/cgroup.h"

#include <glib/gstdio.h>
#include <unistd.h>

static const char stat_v1[] = "total_cache 0\ntotal_rss 0\ntotal_active_anon 0\ntotal_inactive_file 0\n"
                              "total_active_file 0\n";
static const char stat_v2[] = "anon 0\nfile 0\nfile_dirty 0\nactive_anon 0\ninactive_file 0\nactive_file 0\n";

void plain_group_put(const char *directory, const char *name, const char *text) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    FILE *file = g_fopen(path, "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        g_error("cannot write %s", path);
}

void plain_group_put_pages(const char *directory, const char *name, guint64 pages) {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "\n", pages * (guint64)sysconf(_SC_PAGESIZE));

    plain_group_put(directory, name, text);
}

char *plain_group_get(const char *directory, const char *name) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char *text;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        g_error("cannot read %s", path);
    return text;
}

void plain_group_make(const char *directory, guint version) {
    const MnCgroupNames *names = mn_cgroup_names(version);

    if (g_mkdir(directory, 0755) < 0)
        g_error("cannot make %s", directory);
    plain_group_put(directory, names->limits[MN_CGROUP_MAX],
                    version == MN_CGROUP_V1 ? "9223372036854771712\n" : "max\n");
    plain_group_put_pages(directory, names->usage, 1000);
    plain_group_put(directory, names->stat, version == MN_CGROUP_V1 ? stat_v1 : stat_v2);
}

char *plain_group_new(guint version) {
    g_autofree char *parent = g_dir_make_tmp("memnotifyfs-group.XXXXXX", NULL);
    char *directory = g_build_filename(parent, "group", NULL);

    plain_group_make(directory, version);
    return directory;
}

void plain_group_remove(const char *directory) {
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        plain_group_put(directory, name, "");
        g_remove(path);
    }
    g_rmdir(directory);
}

void plain_group_free(char *directory) {
    g_autofree char *parent = g_path_get_dirname(directory);

    plain_group_remove(directory);
    if (g_rmdir(parent) < 0)
        g_error("cannot remove %s", parent);
    g_free(directory);
}
