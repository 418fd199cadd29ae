/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "where.h"

#include <errno.h>
#include <fcntl.h>
#include <memnotifyfs/contract.h>
#include <unistd.h>

#define READ_BYTES 65536

/* Longer than any file of ours. */
#define TEXT_BYTES_MAX ((gsize)16 << 20)

int cmd_where_list(const char *place, struct places *ret) {
    return places_find(place, g_getenv(MEMNOTIFYFS_ENVIRONMENT), g_getenv("XDG_RUNTIME_DIR"), ret);
}

/* An empty directory is none, nor is what else may be mounted there. */
static int try_mount(const char *path, struct mount *ret) {
    struct mount mount;
    int r = mount_open(path, &mount), fd;

    if (r < 0)
        return r;
    fd = mount_open_file(&mount, MEMNOTIFYFS_METRICS, O_RDONLY | O_NONBLOCK); /* it may be a pipe of somebody else's */
    if (fd < 0) {
        mount_close(&mount);
        return fd;
    }
    close(fd);
    *ret = mount;
    return 0;
}

int cmd_where_find_mount(const char *place, struct mount *ret, char **ret_path) {
    g_autofree struct places *places = g_new0(struct places, 1);
    int r = cmd_where_list(place, places), why = -ENOENT;

    if (r < 0)
        return r;
    for (guint i = 0; i < places->n; i++) {
        r = try_mount(places->paths[i], ret);
        if (r == 0) {
            *ret_path = g_strdup(places->paths[i]);
            return 0;
        }
        if (r != -ENOENT) /* more worth telling than that there is nothing */
            why = r;
    }
    return why;
}

gboolean cmd_where_is_named(const char *place) {
    const char *named = g_getenv(MEMNOTIFYFS_ENVIRONMENT);

    return place || (named && *named);
}

static int read_to_end(int fd, GString *text) {
    for (;;) {
        gsize len = text->len;
        ssize_t n;

        g_string_set_size(text, len + READ_BYTES);
        n = read(fd, text->str + len, READ_BYTES);
        g_string_set_size(text, len + (gsize)MAX(n, 0));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (text->len > TEXT_BYTES_MAX)
            return -EFBIG;
    }
}

int cmd_where_read(const struct mount *mount, const char *name, GString *text) {
    int fd = mount_open_file(mount, name, O_RDONLY | O_NONBLOCK), r;

    if (fd < 0)
        return fd;
    r = read_to_end(fd, text);
    close(fd);
    return r;
}
