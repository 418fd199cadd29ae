/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a memory cgroup, v1 or v2. Everything is opened relative to the directory, so
 * that the group meant at the start is the one that is read, whatever is mounted or made later. */
#include "memcg.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 16384 /* the memory.stat of a v1 group has 2 KiB, of v2 1.5 KiB */

struct MnMemcg {
    char *directory;
    int directory_fd;
    int usage_fd;
    int swap_fd;          /* v1: memory and swap, v2: swap alone; -1 where it is not counted */
    int event_control_fd; /* -1 where the kernel takes no registrations */
    guint page_bytes;
    MnCgroupVersion version;
    const MnCgroupNames *names;
};

static void close_all(MnMemcg *self) {
    int *fds[] = { &self->event_control_fd, &self->swap_fd, &self->usage_fd, &self->directory_fd };

    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

static int check_version(int directory_fd, MnCgroupVersion *ret) {
    struct statfs fs;

    if (fstatfs(directory_fd, &fs) < 0)
        return -errno;
    if (fs.f_type == CGROUP_SUPER_MAGIC)
        *ret = MN_CGROUP_V1;
    else if (fs.f_type == CGROUP2_SUPER_MAGIC)
        *ret = MN_CGROUP_V2;
    else
        return -ENOENT;
    return 0;
}

static int open_below(const MnMemcg *self, const char *name, int flags) {
    if (self->directory_fd < 0) {
        errno = ENODEV;
        return -1;
    }
    return openat(self->directory_fd, name, flags | O_CLOEXEC);
}

int mn_memcg_new(const char *directory, MnMemcg **ret) {
    g_autoptr(MnMemcg) self = g_new0(MnMemcg, 1);
    int r;

    self->directory = g_canonicalize_filename(directory, NULL);
    self->usage_fd = self->swap_fd = self->event_control_fd = -1;
    self->page_bytes = sysconf(_SC_PAGESIZE);

    self->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->directory_fd < 0)
        return -errno;
    r = check_version(self->directory_fd, &self->version);
    if (r < 0)
        return r;

    self->names = mn_cgroup_names(self->version);
    self->usage_fd = open_below(self, self->names->usage, O_RDONLY);
    if (self->usage_fd < 0)
        return -errno;
    self->swap_fd = open_below(self, self->names->swap_usage, O_RDONLY);
    if (self->version == MN_CGROUP_V1)
        self->event_control_fd = open_below(self, "cgroup.event_control", O_WRONLY);

    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_memcg_free(MnMemcg *self) {
    if (!self)
        return;
    close_all(self);
    g_free(self->directory);
    g_free(self);
}

int mn_memcg_new_own(MnMemcg **ret) {
    g_autofree char *groups = NULL, *mounts = NULL, *directory = NULL;
    int r;

    if (!g_file_get_contents("/proc/self/cgroup", &groups, NULL, NULL) ||
        !g_file_get_contents("/proc/self/mountinfo", &mounts, NULL, NULL))
        return -ENOENT;
    r = mn_cgroup_find(groups, mounts, &directory);
    if (r < 0)
        return r;

    for (;;) { /* ends at the latest above the hierarchy, where there are no cgroups */
        char *slash = strrchr(directory, '/');

        r = mn_memcg_new(directory, ret);
        if (r != -ENOENT || !slash || slash == directory)
            return r;
        *slash = '\0';
    }
}

MnCgroupVersion mn_memcg_get_version(const MnMemcg *self) {
    return self->version;
}

const char *mn_memcg_get_directory(const MnMemcg *self) {
    return self->directory;
}

gboolean mn_memcg_counts_swap(const MnMemcg *self) {
    return self->swap_fd >= 0;
}

static int read_pages(int fd, guint page_bytes, guint64 *ret) {
    guint64 bytes;
    char text[32];
    gssize n;
    int r;

    do
        n = pread(fd, text, sizeof text, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;

    r = mn_cgroup_parse_number(text, n, &bytes);
    if (r == 0)
        *ret = bytes / page_bytes;
    return r;
}

int mn_memcg_sample(MnMemcg *self, MnSample *ret) {
    guint64 usage, swap = 0;
    int r;

    if (self->directory_fd < 0)
        return -ENODEV;
    r = read_pages(self->usage_fd, self->page_bytes, &usage);
    if (r < 0)
        return r;
    if (self->swap_fd >= 0) {
        r = read_pages(self->swap_fd, self->page_bytes, &swap);
        if (r < 0)
            return r;
        ret->known |= MN_COUNTER_BIT(MN_COUNTER_GROUP_MEMSW);
        ret->counters[MN_COUNTER_GROUP_MEMSW] = self->version == MN_CGROUP_V1 ? swap : usage + swap;
    }
    ret->known |= MN_COUNTER_BIT(MN_COUNTER_GROUP_USAGE);
    ret->counters[MN_COUNTER_GROUP_USAGE] = usage;
    return 0;
}

int mn_memcg_open(const MnMemcg *self, const char *name, int *ret_fd) {
    *ret_fd = open_below(self, name, O_RDONLY);
    return *ret_fd < 0 ? -errno : 0;
}

int mn_memcg_read(const MnMemcg *self, const char *name, char **ret) {
    g_autofree char *text = g_malloc(TEXT_BYTES_MAX);
    gsize len = 0;
    gssize n;
    int fd, r;

    r = mn_memcg_open(self, name, &fd);
    if (r < 0)
        return r;
    do {
        n = read(fd, text + len, TEXT_BYTES_MAX - 1 - len);
        r = n < 0 ? -errno : 0;
        len += MAX(n, 0);
    } while (n > 0 || r == -EINTR);
    close(fd);
    if (r < 0)
        return r;

    text[len] = '\0';
    *ret = g_steal_pointer(&text);
    return 0;
}

int mn_memcg_write(const MnMemcg *self, const char *name, const char *text, gsize len) {
    int fd, r;

    fd = open_below(self, name, O_WRONLY);
    if (fd < 0)
        return -errno;
    r = write(fd, text, len) < 0 ? -errno : 0;
    close(fd);
    return r;
}

gboolean mn_memcg_takes_registrations(const MnMemcg *self) {
    return self->event_control_fd >= 0;
}

int mn_memcg_register(MnMemcg *self, int eventfd, const char *name, const char *argument, gsize len) {
    g_autofree char *line = NULL;
    int control_fd, r;

    control_fd = open_below(self, name, O_RDONLY);
    if (control_fd < 0)
        return -errno;

    line = g_strdup_printf("%d %d %.*s", eventfd, control_fd, (int)len, argument);
    r = write(self->event_control_fd, line, strlen(line) + 1) < 0 ? -errno : 0;
    if (r == -EOPNOTSUPP) { /* a PREEMPT_RT kernel never will */
        close(self->event_control_fd);
        self->event_control_fd = -1;
    }
    close(control_fd);
    return r;
}

gboolean mn_memcg_check_removed(MnMemcg *self) {
    if (self->directory_fd >= 0 &&
        (faccessat(self->directory_fd, self->names->usage, F_OK, 0) == 0 || errno != ENOENT))
        return FALSE;
    close_all(self);
    return TRUE;
}
