/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the notification API needs of a memory cgroup, v1 or v2. */
#include "memcg.h"

#include "kernel/ourselves.h"
#include "probe/cgroupdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 16384 /* the memory.stat of a v1 group has 2 KiB, of v2 1.5 KiB */

struct MnMemcg {
    MnCgroupDir dir;
    char *directory;  /* NULL: our own, or that of the replay */
    MnReplay *replay; /* NULL: the machine is that we run on */
    char *path;       /* where that was found last */
    int usage_fd;
    int swap_fd;          /* v1: memory and swap, v2: swap alone; negative where it is not counted */
    int event_control_fd; /* negative where the kernel takes no registrations */
    guint page_bytes;
};

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(MnMemcg *self) {
    close_fd(&self->event_control_fd);
    close_fd(&self->swap_fd);
    close_fd(&self->usage_fd);
    mn_cgroup_dir_clear(&self->dir);
}

static int open_files(MnMemcg *self) {
    const MnCgroupDir *dir = &self->dir;
    int r;

    self->usage_fd = mn_cgroup_dir_open(dir, dir->names->usage, O_RDONLY);
    r = MIN(self->usage_fd, 0);
    if (r == 0)
        r = mn_cgroup_dir_open_optional(dir, dir->names->swap_usage, O_RDONLY, &self->swap_fd);
    if (r == 0 && dir->version == MN_CGROUP_V1)
        r = mn_cgroup_dir_open_optional(dir, "cgroup.event_control", O_WRONLY, &self->event_control_fd);
    return r;
}

static int open_all(MnMemcg *self, gboolean may_search) {
    g_autofree char *path = NULL;
    int r;

    r = self->replay ? mn_cgroup_dir_init_replayed(&self->dir, self->replay, 0)
                     : mn_cgroup_dir_init(&self->dir, self->directory, may_search, &path);
    if (r == 0)
        r = open_files(self);
    if (r < 0) {
        close_all(self);
        return r;
    }
    g_free(self->path);
    self->path = g_steal_pointer(&path);
    return 0;
}

int mn_memcg_reopen(MnMemcg *self) {
    return mn_folder_is_open(&self->dir.folder) ? 0 : open_all(self, FALSE);
}

static int new_at(const char *directory, MnReplay *replay, MnMemcg **ret) {
    g_autoptr(MnMemcg) self = g_new0(MnMemcg, 1);
    int r;

    self->directory = g_strdup(directory);
    self->replay = replay;
    self->dir.folder = (MnFolder)MN_FOLDER_CLOSED;
    self->usage_fd = self->swap_fd = self->event_control_fd = -1;
    self->page_bytes = mn_replay_page_bytes(replay);
    r = open_all(self, TRUE);
    if (r < 0)
        return r;

    *ret = g_steal_pointer(&self);
    return 0;
}

int mn_memcg_new(const char *directory, MnMemcg **ret) {
    g_autofree char *absolute = g_canonicalize_filename(directory, NULL); /* we may change our directory */

    return new_at(absolute, NULL, ret);
}

int mn_memcg_new_own(MnMemcg **ret) {
    return new_at(NULL, NULL, ret);
}

int mn_memcg_new_replayed(MnReplay *replay, MnMemcg **ret) {
    return new_at(NULL, replay, ret);
}

void mn_memcg_free(MnMemcg *self) {
    if (!self)
        return;
    close_all(self);
    g_free(self->path);
    g_free(self->directory);
    g_free(self);
}

MnCgroupVersion mn_memcg_get_version(const MnMemcg *self) {
    return self->dir.version;
}

const char *mn_memcg_get_directory(const MnMemcg *self) {
    return self->path;
}

gboolean mn_memcg_counts_swap(const MnMemcg *self) {
    return self->swap_fd >= 0;
}

int mn_memcg_sample(MnMemcg *self, MnSample *ret) {
    guint64 usage, swap = 0;
    int r;

    if (!mn_folder_is_open(&self->dir.folder))
        return -ENODEV;
    r = mn_cgroup_read_number(self->usage_fd, &usage);
    if (r == 0 && self->swap_fd >= 0)
        r = mn_cgroup_read_number(self->swap_fd, &swap);
    if (r < 0)
        return r;

    ret->known |= MN_COUNTER_BIT(MN_COUNTER_GROUP_USAGE);
    ret->counters[MN_COUNTER_GROUP_USAGE] = usage / self->page_bytes;
    if (self->swap_fd >= 0) {
        ret->known |= MN_COUNTER_BIT(MN_COUNTER_GROUP_MEMSW);
        ret->counters[MN_COUNTER_GROUP_MEMSW] =
            (self->dir.version == MN_CGROUP_V1 ? swap : usage + swap) / self->page_bytes;
    }
    return 0;
}

static int open_to_read(const MnMemcg *self, const char *name, int *ret_fd) {
    *ret_fd = mn_cgroup_dir_open(&self->dir, name, O_RDONLY);
    return MIN(*ret_fd, 0);
}

int mn_memcg_read(const MnMemcg *self, const char *name, char **ret) {
    g_autofree char *text = g_malloc(TEXT_BYTES_MAX);
    gsize len = 0;
    gssize n;
    int fd, r;

    r = open_to_read(self, name, &fd);
    if (r < 0)
        return r;
    do {
        n = pread(fd, text + len, TEXT_BYTES_MAX - 1 - len, (off_t)len);
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

static int read_events(const MnMemcg *self, const char *key, guint64 *ret) {
    g_autofree char *text = NULL;
    int r;

    r = mn_memcg_read(self, "memory.events.local", &text);
    if (r == -ENOENT)
        r = mn_memcg_read(self, "memory.events", &text);
    if (r < 0)
        return r;
    *ret = mn_vmpressure_parse_key(text, strlen(text), key);
    return 0;
}

/* "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"; the third line since 4.13. */
static int read_oom_control(const MnMemcg *self, const char *key, guint64 *ret) {
    g_autofree char *text = NULL;
    int r;

    r = mn_memcg_read(self, "memory.oom_control", &text);
    if (r == 0)
        *ret = mn_vmpressure_parse_key(text, strlen(text), key);
    return r;
}

int mn_memcg_read_oom_kills(const MnMemcg *self, guint64 *ret) {
    return self->dir.version == MN_CGROUP_V2 ? read_events(self, "oom_kill", ret)
                                             : read_oom_control(self, "oom_kill", ret);
}

int mn_memcg_read_ooms(const MnMemcg *self, guint64 *ret) {
    return self->dir.version == MN_CGROUP_V2 ? read_events(self, "oom", ret) : -EOPNOTSUPP;
}

int mn_memcg_open_events(const MnMemcg *self, int *ret_fd) {
    int r;

    if (self->dir.version != MN_CGROUP_V2)
        return -EOPNOTSUPP;
    r = open_to_read(self, "memory.events.local", ret_fd);
    return r == -ENOENT ? open_to_read(self, "memory.events", ret_fd) : r;
}

int mn_memcg_read_reclaim(const MnMemcg *self, MnVmpressureCounters *ret) {
    g_autofree char *stat = NULL;
    guint64 ooms;
    int r;

    if (self->dir.version != MN_CGROUP_V2)
        return -EOPNOTSUPP;
    r = mn_memcg_read(self, "memory.stat", &stat);
    if (r == 0)
        r = read_events(self, "oom", &ooms);
    if (r < 0)
        return r;
    mn_vmpressure_parse(stat, strlen(stat), ret);
    ret->ooms = ooms;
    return 0;
}

int mn_memcg_write(const MnMemcg *self, const char *name, const char *text, gsize len) {
    int fd, r;

    fd = mn_cgroup_dir_open(&self->dir, name, O_WRONLY);
    if (fd < 0)
        return fd;
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

    control_fd = mn_cgroup_dir_open(&self->dir, name, O_RDONLY);
    if (control_fd < 0)
        return control_fd;

    line = g_strdup_printf("%d %d %.*s", eventfd, control_fd, (int)len, argument);
    r = write(self->event_control_fd, line, strlen(line) + 1) < 0 ? -errno : 0;
    if (r == -EOPNOTSUPP) /* a PREEMPT_RT kernel never will */
        close_fd(&self->event_control_fd);
    close(control_fd);
    return r;
}

gboolean mn_memcg_check_removed(MnMemcg *self) {
    if (!mn_cgroup_dir_is_removed(&self->dir))
        return FALSE;
    close_all(self);
    return TRUE;
}
