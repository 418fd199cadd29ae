/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recordfile.h"

#include "message.h"

#include "script/script.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(const CmdRecordFile *self) {
    return self->path ? self->path : "standard output";
}

/* Something else would be lost. */
static gboolean check_recording(const char *path) {
    g_autoptr(GError) error = NULL;
    g_autoptr(MnScript) script = NULL;

    if (mn_script_open(path, &script, &error) && mn_script_is_recording(script))
        return TRUE;
    cmd_fail("'%s' is there already, and is no recording that could be gone on with", path);
    return FALSE;
}

static gboolean open_path(CmdRecordFile *self, const char *path) {
    struct stat file;

    self->path = path;
    self->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (self->fd < 0 || fstat(self->fd, &file) < 0) {
        cmd_fail("cannot write to '%s': %s", path, g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(file.st_mode)) {
        self->complete = -1;
        return TRUE;
    }
    if (flock(self->fd, LOCK_EX | LOCK_NB) < 0) {
        cmd_fail("another recorder writes to '%s'", path);
        return FALSE;
    }
    self->complete = file.st_size;
    return file.st_size == 0 || check_recording(path);
}

gboolean cmd_record_file_open(CmdRecordFile *self, const char *path) {
    gboolean is_good;

    if (strcmp(path, "-") == 0) {
        *self = (CmdRecordFile){ .fd = STDOUT_FILENO, .complete = -1 };
        return TRUE;
    }
    *self = (CmdRecordFile){ .fd = -1 };
    is_good = open_path(self, path);
    if (is_good) /* nobody waits for a pipe to be opened; from now on it may be waited for */
        is_good = fcntl(self->fd, F_SETFL, O_APPEND) == 0;
    else if (self->fd >= 0)
        close(self->fd);
    return is_good;
}

/* Until somebody has read. -EINTR: we are to end. */
static int wait_for_room(const CmdRecordFile *self) {
    struct pollfd waiters[] = { { .fd = self->fd, .events = POLLOUT }, { .fd = self->signals_fd, .events = POLLIN } };

    int n;

    do
        n = poll(waiters, G_N_ELEMENTS(waiters), self->is_last ? CMD_RECORD_PATIENCE_MS : -1);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : -ETIMEDOUT;
    return waiters[1].revents ? -EINTR : 0;
}

/* A pipe that is ready takes PIPE_BUF bytes at once. */
static int write_all(const CmdRecordFile *self, const guint8 *bytes, gsize len) {
    while (len > 0) {
        int r = self->complete < 0 ? wait_for_room(self) : 0;
        gssize n = r == 0 ? write(self->fd, bytes, self->complete < 0 ? MIN(len, PIPE_BUF) : len) : 0;

        if (r < 0)
            return r;
        if (n < 0 && errno != EINTR)
            return -errno;
        bytes += MAX(n, 0);
        len -= (gsize)MAX(n, 0);
    }
    return 0;
}

gboolean cmd_record_file_write(CmdRecordFile *self, MnRecorder *recorder) {
    gsize len;
    const guint8 *bytes = mn_recorder_get_output(recorder, &len);
    int r = write_all(self, bytes, len);

    mn_recorder_take_output(recorder);
    if (r == 0) {
        if (self->complete >= 0)
            self->complete += (gint64)len;
        return TRUE;
    }
    if (self->complete >= 0 && ftruncate(self->fd, self->complete) < 0)
        cmd_warn("cannot cut what is not whole off '%s': %s", name_of(self), g_strerror(errno));
    cmd_fail("cannot write to '%s' any more: %s; what was recorded before can be read", name_of(self), g_strerror(-r));
    return FALSE;
}

gboolean cmd_record_file_close(CmdRecordFile *self) {
    if (!self->path || close(self->fd) == 0)
        return TRUE;
    cmd_fail("cannot write to '%s': %s", self->path, g_strerror(errno));
    return FALSE;
}
