/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other people's words on stderr, made part of our own message. */
#include "capture.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void mn_capture_begin(MnCapture *self) {
    fflush(stderr);
    self->kept_fd = memfd_create("stderr", MFD_CLOEXEC);
    self->stderr_fd = self->kept_fd < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (self->stderr_fd >= 0)
        dup2(self->kept_fd, STDERR_FILENO);
}

char *mn_capture_end(MnCapture *self) {
    char text[1024];
    gssize len = 0;

    fflush(stderr);
    if (self->stderr_fd >= 0) {
        dup2(self->stderr_fd, STDERR_FILENO);
        close(self->stderr_fd);
    }
    if (self->kept_fd >= 0) {
        len = MAX(pread(self->kept_fd, text, sizeof text - 1, 0), 0);
        close(self->kept_fd);
    }

    text[len] = '\0';
    return g_strdup(g_strdelimit(g_strchomp(text), "\n", ';'));
}
