/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recorddump.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NEXT_NAME ".next.mnr"
#define NAMES_MAX 1000 /* in one second */

static gboolean fail(const CmdDump *self, const char *what, int r) {
    cmd_fail("cannot %s in '%s': %s", what, self->directory, g_strerror(r));
    return FALSE;
}

/* Where so much may not be locked it is written all the same, and may have to wait for memory then. */
static void lock_pages(CmdDump *self) {
    self->pages = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
    if (self->pages != MAP_FAILED && mlock(self->pages, self->size) == 0)
        return;
    cmd_warn("cannot lock the pages of the next recording (%s): writing it may have to wait for memory",
             g_strerror(errno));
    if (self->pages != MAP_FAILED)
        munmap(self->pages, self->size);
    self->pages = NULL;
}

/* Blocks that were only reserved would take memory of the file system when they are first written to. */
static int fill(const CmdDump *self) {
    static const guint8 zeros[65536];
    gssize n;

    for (gsize at = 0; at < self->size; at += (gsize)n) {
        n = pwrite(self->fd, zeros, MIN(sizeof zeros, self->size - at), (off_t)at);
        if (n < 0)
            return -errno;
    }
    return fdatasync(self->fd) < 0 ? -errno : 0;
}

static gboolean make_next(CmdDump *self) {
    int r;

    self->written = 0;
    self->is_open = FALSE;
    self->fd = openat(self->directory_fd, NEXT_NAME, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (self->fd < 0)
        return fail(self, "make a file", errno);
    r = fill(self);
    if (r < 0)
        return fail(self, "reserve room", -r);
    lock_pages(self);
    return TRUE;
}

static void close_file(CmdDump *self) {
    if (self->pages)
        munmap(self->pages, self->size);
    if (self->fd >= 0)
        close(self->fd);
    self->pages = NULL;
    self->fd = -1;
}

gboolean cmd_dump_init(CmdDump *self, const char *directory, gsize size) {
    *self = (CmdDump){ .directory = directory, .fd = -1, .size = size };
    self->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->directory_fd < 0)
        return fail(self, "make recordings", errno);
    if (flock(self->directory_fd, LOCK_EX | LOCK_NB) < 0)
        return fail(self, "make recordings beside another recorder", errno);
    return make_next(self);
}

void cmd_dump_clear(CmdDump *self) {
    if (self->is_open)
        (void)(ftruncate(self->fd, (off_t)self->written) == 0);
    else if (self->fd >= 0)
        unlinkat(self->directory_fd, NEXT_NAME, 0);
    close_file(self);
    if (self->directory_fd >= 0)
        close(self->directory_fd);
    self->directory_fd = -1;
}

/* -EEXIST where there is one. Not all file systems know of that. */
static int rename_to(const CmdDump *self, const char *name) {
    if (renameat2(self->directory_fd, NEXT_NAME, self->directory_fd, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (faccessat(self->directory_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    return renameat(self->directory_fd, NEXT_NAME, self->directory_fd, name) < 0 ? -errno : 0;
}

gboolean cmd_dump_begin(CmdDump *self, gint64 date_us) {
    time_t seconds = (time_t)(date_us / G_USEC_PER_SEC);
    char date[32], number[16] = "", name[64];
    struct tm tm;
    int r = -EEXIST;

    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", &tm);
    for (guint i = 2; r == -EEXIST && i < NAMES_MAX; i++) {
        snprintf(name, sizeof name, "memory-%s%s.mnr", date, number);
        snprintf(number, sizeof number, "-%u", i);
        r = rename_to(self, name);
    }
    if (r < 0)
        return fail(self, "begin a recording", -r);
    self->is_open = TRUE;
    return TRUE;
}

gboolean cmd_dump_append(CmdDump *self, const guint8 *bytes, gsize len) {
    gssize n;

    if (len > self->size - self->written)
        return FALSE;
    while (len > 0) {
        n = pwrite(self->fd, bytes, len, (off_t)self->written);
        if (n < 0 && errno != EINTR)
            return fail(self, "go on writing", errno);
        bytes += MAX(n, 0);
        len -= (gsize)MAX(n, 0);
        self->written += (gsize)MAX(n, 0);
    }
    return TRUE;
}

gboolean cmd_dump_end(CmdDump *self) {
    gboolean is_good = ftruncate(self->fd, (off_t)self->written) == 0 && fdatasync(self->fd) == 0;

    if (!is_good)
        return fail(self, "complete a recording", errno);
    close_file(self);
    return make_next(self);
}
