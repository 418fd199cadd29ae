/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the files of a memory control group are. Everything is opened relative to the directory, so that
 * the group meant at the start is the one that is read, whatever is mounted or made later: until it is removed, when
 * whoever reads it opens what is there by then. */
#include "cgroupdir.h"

#include "core/cgroupplace.h"
#include "kernel/ourselves.h"
#include "probe/cgroupsearch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_directory(int fd, const char *path) {
    return openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Takes the folder. */
static int init_in(MnCgroupDir *self, MnFolder folder) {
    for (MnCgroupVersion version = MN_CGROUP_V1; version <= MN_CGROUP_V2; version++)
        if (mn_folder_has(&folder, mn_cgroup_names(version)->usage)) {
            *self = (MnCgroupDir){ folder, version, mn_cgroup_names(version) };
            return 0;
        }
    mn_folder_close(&folder);
    return -ENOENT;
}

static int init_at(MnCgroupDir *self, const char *path) {
    int fd = open_directory(AT_FDCWD, path);

    return fd < 0 ? -errno : init_in(self, mn_folder_of_directory(fd));
}

int mn_cgroup_dir_init_replayed(MnCgroupDir *self, MnReplay *replay, int level) {
    return init_in(self, mn_folder_of_replay(replay, level));
}

/* The directory of a group, or of the nearest above it that has a memory controller. */
static int init_upwards(MnCgroupDir *self, const char *directory, const char *mountpoint, char **ret_path) {
    g_autofree char *path = g_strdup(directory);
    int r;

    while ((r = init_at(self, path)) == -ENOENT && strlen(path) > strlen(mountpoint)) {
        char *above = g_path_get_dirname(path);

        g_free(path);
        path = above;
    }
    if (r == 0)
        *ret_path = g_steal_pointer(&path);
    return r;
}

/* *ret_is_seen: the group is there, and all above it. */
static int init_by_name(MnCgroupDir *self, const char *group, MnCgroupVersion version, const char *mounts,
                        gboolean *ret_is_seen, char **ret_path) {
    g_auto(MnCgroupPlace) place = { 0 };
    int r = -ENOENT;

    *ret_is_seen = FALSE;
    while (r == -ENOENT && mn_cgroup_place_next(&place, group, version, &mounts)) {
        if (!place.directory || !g_file_test(place.directory, G_FILE_TEST_IS_DIR))
            continue;
        *ret_is_seen |= place.is_whole;
        r = init_upwards(self, place.directory, place.mountpoint, ret_path);
    }
    return r;
}

static int init_by_search(MnCgroupDir *self, const char *group, MnCgroupVersion version, const char *mounts,
                          char **ret_path) {
    g_auto(MnCgroupPlace) place = { 0 };
    int r = -ENOENT;

    while (r == -ENOENT && mn_cgroup_place_next(&place, group, version, &mounts)) {
        g_autofree char *directory = NULL;

        r = mn_cgroup_search_own(place.mountpoint, &directory);
        if (r == 0)
            r = init_upwards(self, directory, place.mountpoint, ret_path);
    }
    return r;
}

/* The namespace that all others are below; kernels before 4.6 have no other. */
static gboolean is_in_first_namespace(void) {
    g_autofree char *name = g_file_read_link("/proc/self/ns/cgroup", NULL);

    return g_strcmp0(name, "cgroup:[4026531835]") == 0 || (!name && access("/proc/self/ns/cgroup", F_OK) < 0);
}

static int init_own(MnCgroupDir *self, gboolean may_search, char **ret_path) {
    g_autofree char *groups = NULL, *mounts = NULL, *group = NULL;
    MnCgroupVersion version;
    gboolean is_seen;
    int r;

    if (!g_file_get_contents("/proc/self/cgroup", &groups, NULL, NULL) ||
        !g_file_get_contents("/proc/self/mountinfo", &mounts, NULL, NULL))
        return -ENOENT;
    group = mn_cgroup_find_group(groups, &version);
    if (!group)
        return -ENOENT;

    r = init_by_name(self, group, version, mounts, &is_seen, ret_path);
    if (r == -ENOENT && !is_seen && may_search)
        r = init_by_search(self, group, version, mounts, ret_path);
    if (r == -ENOENT && !(is_in_first_namespace() && (is_seen || strcmp(group, "/") == 0)))
        r = -ENXIO;
    return r;
}

int mn_cgroup_dir_init(MnCgroupDir *self, const char *path, gboolean may_search, char **ret_path) {
    int r;

    if (!path)
        return init_own(self, may_search, ret_path);
    r = init_at(self, path);
    if (r == 0)
        *ret_path = g_canonicalize_filename(path, NULL);
    return r;
}

int mn_cgroup_dir_init_parent(MnCgroupDir *self, const MnCgroupDir *below) {
    const MnFolder *folder = &below->folder;
    struct stat here, above;
    int fd;

    if (folder->replay)
        return mn_cgroup_dir_init_replayed(self, folder->replay, folder->level + 1);
    fd = open_directory(folder->fd, "..");
    if (fd < 0)
        return -errno;
    if (fstat(folder->fd, &here) < 0 || fstat(fd, &above) < 0 || here.st_dev != above.st_dev ||
        here.st_ino == above.st_ino) {
        close(fd);
        return -ENOENT;
    }
    *self = (MnCgroupDir){ mn_folder_of_directory(fd), below->version, below->names };
    return 0;
}

void mn_cgroup_dir_clear(MnCgroupDir *self) {
    mn_folder_close(&self->folder);
}

int mn_cgroup_dir_open(const MnCgroupDir *self, const char *name, int flags) {
    return mn_folder_open(&self->folder, name, flags);
}

int mn_cgroup_dir_open_optional(const MnCgroupDir *self, const char *name, int flags, int *ret_fd) {
    int fd = mn_cgroup_dir_open(self, name, flags);

    *ret_fd = MAX(fd, -1);
    return fd < 0 && mn_error_passes(fd) ? fd : 0;
}

gboolean mn_cgroup_dir_is_removed(const MnCgroupDir *self) {
    return !mn_folder_has(&self->folder, self->names->usage);
}

int mn_cgroup_read_number(int fd, guint64 *ret) {
    char text[32];
    gssize n;

    do
        n = pread(fd, text, sizeof text, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : mn_cgroup_parse_number(text, n, ret);
}
