/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small text file for the next start. */
#include "statefile.h"

#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX (4U << 20) /* 50 bytes a process, and there are at most 1,000 twice */

struct MnStateFile {
    char *path; /* NULL without a place for it */
    MnAdjuster ourselves;
    int r; /* 0, or why nothing can be recorded */
};

MnStateFile *mn_state_file_new(const char *mountpoint) {
    MnStateFile *self = g_new0(MnStateFile, 1);
    const char *directory = geteuid() == 0 ? "/run" : g_getenv("XDG_RUNTIME_DIR");
    g_autofree char *name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, mountpoint, -1);

    name[16] = '\0'; /* enough to tell mount points apart */
    if (directory && g_path_is_absolute(directory))
        self->path = g_strdup_printf("%s/memnotifyfs-oom.%s", directory, name);
    self->r = -ENOENT; /* before it has begun */
    return self;
}

void mn_state_file_free(MnStateFile *self) {
    if (!self)
        return;
    g_free(self->path);
    g_free(self);
}

const char *mn_state_file_get_path(const MnStateFile *self) {
    return self->path;
}

static int read_boot_id(char *ret) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    gssize n;

    if (fd < 0)
        return -errno;
    n = read(fd, ret, MN_BOOT_ID_CHARS);
    close(fd);
    if (n != MN_BOOT_ID_CHARS)
        return -EIO;
    ret[MN_BOOT_ID_CHARS] = '\0';
    return 0;
}

static int describe_ourselves(MnAdjuster *ret) {
    MnProcessStat stat;
    int r;

    r = read_boot_id(ret->boot_id);
    if (r < 0)
        return r;
    r = mn_process_read_stat(getpid(), &stat);
    if (r < 0)
        return r;

    ret->pid = stat.pid;
    ret->start_ticks = stat.start_ticks;
    return 0;
}

/* Ours alone to write, so that nobody makes us believe anything. */
static int read_own_file(const char *path, GString *text) {
    struct stat st;
    int fd, r = 0;

    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0) {
        r = -errno;
    } else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022)) {
        r = -EPERM;
    } else if (st.st_size > BYTES_MAX) {
        r = -EBADMSG;
    } else {
        gssize n;

        g_string_set_size(text, st.st_size);
        n = pread(fd, text->str, text->len, 0);
        r = n < 0 ? -errno : n < st.st_size ? -EBADMSG : 0;
    }
    close(fd);
    return r;
}

static int load(const MnStateFile *self, MnAdjuster *ret_adjuster, GArray **ret) {
    g_autoptr(GString) text = g_string_new(NULL);
    int r;

    if (!self->path)
        return -ENOENT;
    r = read_own_file(self->path, text);
    return r < 0 ? r : mn_adjustments_parse(text->str, text->len, ret_adjuster, ret);
}

static gboolean is_alive(const MnAdjuster *adjuster) {
    MnProcessStat stat;

    return mn_process_read_stat(adjuster->pid, &stat) == 0 && stat.start_ticks == adjuster->start_ticks &&
           stat.state != 'Z';
}

int mn_state_file_load(MnStateFile *self, GArray **ret) {
    g_autoptr(GArray) adjustments = NULL;
    char boot_id[MN_BOOT_ID_CHARS + 1];
    MnAdjuster adjuster;
    int r;

    r = load(self, &adjuster, &adjustments);
    if (r < 0)
        return r;
    r = read_boot_id(boot_id);
    if (r < 0)
        return r;
    if (strcmp(boot_id, adjuster.boot_id) != 0)
        return -ENOENT;
    if (is_alive(&adjuster))
        return -EBUSY;

    *ret = g_steal_pointer(&adjustments);
    return 0;
}

/* Whether the file is there and a living other daemon's. */
static gboolean is_of_another(const MnStateFile *self, const MnAdjuster *ourselves) {
    g_autoptr(GArray) adjustments = NULL;
    MnAdjuster adjuster;

    return load(self, &adjuster, &adjustments) == 0 && strcmp(adjuster.boot_id, ourselves->boot_id) == 0 &&
           adjuster.pid != ourselves->pid && is_alive(&adjuster);
}

/* Not synced: it has to survive us, not the machine. */
static int write_text(const char *path, const GString *text) {
    int fd, r = 0;

    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    for (gsize written = 0; r == 0 && written < text->len;) {
        gssize n = write(fd, text->str + written, text->len - written);

        if (n < 0)
            r = -errno;
        else
            written += n;
    }
    close(fd);
    return r;
}

static int replace_file(const char *path, const GString *text) {
    g_autofree char *new_path = g_strconcat(path, ".new", NULL);
    int r;

    r = write_text(new_path, text);
    if (r == 0 && rename(new_path, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(new_path);
    return r;
}

void mn_state_file_begin(MnStateFile *self) {
    self->r = self->path ? describe_ourselves(&self->ourselves) : -ENOENT;
    if (self->r == 0 && is_of_another(self, &self->ourselves))
        self->r = -EBUSY;
}

int mn_state_file_save(MnStateFile *self, const GArray *adjustments) {
    g_autoptr(GString) text = g_string_new(NULL);

    if (self->r < 0)
        return self->r;
    if (adjustments->len == 0) {
        mn_state_file_remove(self);
        return 0;
    }

    mn_adjuster_render(&self->ourselves, text);
    for (guint i = 0; i < adjustments->len; i++)
        mn_adjustment_render(&g_array_index(adjustments, MnAdjustment, i), text);
    return replace_file(self->path, text);
}

void mn_state_file_remove(MnStateFile *self) {
    if (self->path)
        (void)unlink(self->path);
}
