/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the kernel's -> text -> the parsers of the core.
 *
 * In the kernel's own /proc each file is opened once and read by pread() from then on (opening costs
 * as much again as reading). A copy's files may be replaced at any time, so they are opened anew
 * for each sample. A buffer grows when a text does not fit and never shrinks. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <unistd.h>

#define TEXT_BYTES_FIRST 16384
#define TEXT_BYTES_MAX (1U << 20) /* the zoneinfo of 64 nodes with 1024 CPUs has 700 KiB */

typedef struct Text {
    int fd;
    char *bytes;
    gsize size;
} Text;

enum { VMSTAT, MEMINFO, ZONEINFO, N_TEXTS };

static const char *const text_names[N_TEXTS] = { "vmstat", "meminfo", "zoneinfo" };

struct MnProc {
    int directory_fd;
    int changes_fd;
    gboolean is_live;
    Text texts[N_TEXTS];
};

guint mn_proc_page_bytes(void) {
    return sysconf(_SC_PAGESIZE);
}

static int watch_directory(const char *directory) {
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (fd < 0)
        return -1;
    if (inotify_add_watch(fd, directory, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int mn_proc_new(const char *directory, MnProc **ret) {
    g_autoptr(MnProc) self = g_new0(MnProc, 1);
    struct statfs fs;

    self->changes_fd = -1;
    for (guint i = 0; i < N_TEXTS; i++)
        self->texts[i].fd = -1;

    self->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->directory_fd < 0)
        return -errno;
    if (fstatfs(self->directory_fd, &fs) < 0)
        return -errno;

    self->is_live = fs.f_type == PROC_SUPER_MAGIC;
    if (!self->is_live)
        self->changes_fd = watch_directory(directory);

    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_proc_free(MnProc *self) {
    if (!self)
        return;
    for (guint i = 0; i < N_TEXTS; i++) {
        if (self->texts[i].fd >= 0)
            close(self->texts[i].fd);
        g_free(self->texts[i].bytes);
    }
    if (self->changes_fd >= 0)
        close(self->changes_fd);
    if (self->directory_fd >= 0)
        close(self->directory_fd);
    g_free(self);
}

static int text_open(MnProc *self, guint which) {
    Text *text = &self->texts[which];

    if (text->fd >= 0)
        return 0;
    text->fd = openat(self->directory_fd, text_names[which], O_RDONLY | O_CLOEXEC);
    return text->fd < 0 ? -errno : 0;
}

static void text_close(Text *text) {
    close(text->fd);
    text->fd = -1;
}

static void text_grow(Text *text) {
    text->size = text->size == 0 ? TEXT_BYTES_FIRST : 2 * text->size;
    text->bytes = g_realloc(text->bytes, text->size);
}

/* The kernel gives a seq_file in one pread() if it fits; a regular file may come in pieces. */
static int text_read(Text *text, gsize *ret_len) {
    gsize len = 0;

    for (;;) {
        gssize n;

        if (len == text->size) {
            if (text->size >= TEXT_BYTES_MAX)
                return -EFBIG;
            text_grow(text);
        }
        n = pread(text->fd, text->bytes + len, text->size - len, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += n;
    }

    *ret_len = len;
    return 0;
}

static int read_text(MnProc *self, guint which, gsize *ret_len) {
    Text *text = &self->texts[which];
    int r;

    r = text_open(self, which);
    if (r < 0)
        return r;

    r = text_read(text, ret_len);
    if (!self->is_live)
        text_close(text);
    return r;
}

int mn_proc_read(MnProc *self, MnSource source, const char **ret_text, gsize *ret_len) {
    guint which = source == MN_SOURCE_VMSTAT ? VMSTAT : source == MN_SOURCE_MEMINFO ? MEMINFO : ZONEINFO;
    int r;

    r = read_text(self, which, ret_len);
    if (r < 0)
        return r;

    *ret_text = self->texts[which].bytes;
    return 0;
}

int mn_proc_sample(MnProc *self, guint sources, guint64 needed, MnSample *ret,
                   const char **ret_name) {
    MnSample sample = *ret;
    gsize len;
    int r;

    if (sources & MN_SOURCE_VMSTAT) {
        *ret_name = text_names[VMSTAT];
        r = read_text(self, VMSTAT, &len);
        if (r < 0)
            return r;
        r = mn_sample_parse_vmstat(self->texts[VMSTAT].bytes, len, &sample);
        if (r < 0)
            return r;
        if (needed & MN_COUNTERS_VMSTAT & ~sample.known)
            return -EBADMSG;
    }
    if (sources & MN_SOURCE_MEMINFO) {
        *ret_name = text_names[MEMINFO];
        r = read_text(self, MEMINFO, &len);
        if (r < 0)
            return r;
        r = mn_sample_parse_meminfo(self->texts[MEMINFO].bytes, len, mn_proc_page_bytes() / 1024,
                                    &sample);
        if (r < 0)
            return r;
        if (needed & MN_COUNTERS_MEMINFO & ~sample.known)
            return -EBADMSG;
    }

    *ret = sample;
    return 0;
}

gboolean mn_proc_is_live(const MnProc *self) {
    return self->is_live;
}

int mn_proc_get_directory_fd(const MnProc *self) {
    return self->directory_fd;
}

int mn_proc_get_changes_fd(const MnProc *self) {
    return self->changes_fd;
}

void mn_proc_drain_changes(MnProc *self) {
    char events[4096];

    while (read(self->changes_fd, events, sizeof events) > 0)
        continue;
}
