/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A private copy of a directory is a tmpfs over it in which every entry is bound to the original.
 * What is below those is live; new entries of the original do not appear. */
#include "place.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_link(int original_fd, const char *name, const char *copy) {
    char target[PATH_MAX];
    ssize_t len = readlinkat(original_fd, name, target, sizeof target - 1);

    if (len < 0)
        return;
    target[len] = '\0';
    if (symlink(target, copy) < 0)
        err(EXIT_OURS, "cannot make '%s'", copy);
}

static void make_file(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0)
        err(EXIT_OURS, "cannot make '%s'", path);
    close(fd);
}

/* The original directory is both `original_fd` and the working directory: it is covered by then, and
 * has no other name. What has vanished meanwhile is left out. */
static void copy_entry(int original_fd, const char *directory, const char *name) {
    char copy[PATH_MAX];
    struct stat st;

    if (snprintf(copy, sizeof copy, "%s/%s", directory, name) >= (int)sizeof copy ||
        fstatat(original_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
        return;
    if (S_ISLNK(st.st_mode)) {
        copy_link(original_fd, name, copy);
        return;
    }

    if (!S_ISDIR(st.st_mode))
        make_file(copy);
    else if (mkdir(copy, 0755) < 0)
        err(EXIT_OURS, "cannot make '%s'", copy);
    if (mount(name, copy, NULL, MS_BIND | MS_REC, NULL) < 0) /* recursive: what is mounted below may not be uncovered */
        warn("cannot show '%s' to the command", copy);
}

static void replace_by_copy(const char *directory) {
    int working_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = opendir(directory);
    struct dirent *entry;
    struct stat st;
    char options[32];

    if (working_fd < 0 || !entries || fstat(dirfd(entries), &st) < 0)
        err(EXIT_OURS, "cannot copy the directory '%s'", directory);

    snprintf(options, sizeof options, "mode=%o", (unsigned)st.st_mode & 07777);
    if (mount("memnotify-run", directory, "tmpfs", MS_NOSUID, options) < 0)
        err(EXIT_OURS, "cannot cover the directory '%s'", directory);

    if (fchdir(dirfd(entries)) < 0)
        err(EXIT_OURS, "cannot enter the directory '%s'", directory);
    while ((entry = readdir(entries)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            copy_entry(dirfd(entries), directory, entry->d_name);
    if (fchdir(working_fd) < 0)
        err(EXIT_OURS, "cannot go back to the working directory");

    closedir(entries);
    close(working_fd);
}

static void replace_parent_by_copy(const char *path) {
    char parent[PATH_MAX], real[PATH_MAX];

    if (snprintf(parent, sizeof parent, "%s", path) >= (int)sizeof parent)
        errx(EXIT_OURS, "'%s' is too long", path);
    if (!realpath(dirname(parent), real) || strcmp(real, "/") == 0)
        errx(EXIT_OURS, "'%s' does not exist and cannot be made", path);
    replace_by_copy(real);
}

/* A dead mount cannot be looked at, but is there, and can be mounted on. */
static bool is_missing(const char *path) {
    struct stat st;

    return stat(path, &st) < 0 && errno == ENOENT;
}

void place_need_directory(const char *path) {
    if (!is_missing(path) || mkdir(path, 0755) == 0)
        return;
    if (errno != EACCES && errno != EPERM && errno != EROFS)
        err(EXIT_OURS, "cannot make the directory '%s'", path);

    replace_parent_by_copy(path);
    if (mkdir(path, 0755) < 0)
        err(EXIT_OURS, "cannot make the directory '%s'", path);
}

void place_need_file(const char *path) {
    if (!is_missing(path))
        return;
    replace_parent_by_copy(path);
    make_file(path);
}
