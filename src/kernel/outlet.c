/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor that takes a line at once or not at all.
 *
 * Whoever reads our messages may sleep, have stopped his terminal, or want to make us wait. Setting
 * O_NONBLOCK on what we were given would change it for all who share it, so pipes and terminals are opened
 * once more, sockets are sent to, and files that nobody reads at the other end are just written. */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static gssize write_plainly(int fd, const char *text, gsize len) {
    return write(fd, text, len);
}

static gssize write_to_socket(int fd, const char *text, gsize len) {
    return send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* What could not be opened once more, as another user's terminal. Terminals do not know RWF_NOWAIT, nor
 * pipes before Linux 6.4: there a line can wait if poll() found room, but not for all of it. */
static gssize write_without_waiting(int fd, const char *text, gsize len) {
    struct iovec piece = { .iov_base = (char *)text, .iov_len = len };
    struct pollfd entry = { .fd = fd, .events = POLLOUT };
    gssize n = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);

    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
        return n;
    if (poll(&entry, 1, 0) == 1)
        return write(fd, text, len);
    errno = EAGAIN;
    return -1;
}

/* The same pipe or terminal, but with flags of our own. */
static int open_once_more(int fd) {
    char path[32];

    g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void mn_outlet_init(MnOutlet *self, int fd) {
    struct stat st = { 0 };
    int ours = -1;

    *self = (MnOutlet){ .fd = fd, .write = write_plainly };
    (void)fstat(fd, &st);
    if (S_ISSOCK(st.st_mode)) {
        self->write = write_to_socket;
    } else if (S_ISFIFO(st.st_mode) || isatty(fd)) {
        ours = open_once_more(fd);
        self->write = ours >= 0 ? write_plainly : write_without_waiting;
    }
    if (ours >= 0) {
        self->fd = ours;
        self->is_ours = TRUE;
    }
}

/* A socket can be connected again and again, so that this takes no other descriptor: there may be none. */
static int connect_to_log(MnOutlet *self) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (g_strlcpy(address.sun_path, self->log_path, sizeof address.sun_path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    return connect(self->fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

void mn_outlet_init_log(MnOutlet *self, const char *path) {
    *self = (MnOutlet){ .write = write_to_socket, .log_path = path, .is_ours = TRUE };
    self->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)connect_to_log(self);
}

void mn_outlet_clear(MnOutlet *self) {
    if (self->is_ours && self->fd >= 0)
        close(self->fd);
    *self = (MnOutlet){ .fd = -1, .write = write_plainly };
}

static int write_once(MnOutlet *self, const char *text, gsize len) {
    gssize n;

    do
        n = self->write(self->fd, text, len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;

    if (n > 0)
        self->is_inside_line = text[n - 1] != '\n';
    return (gsize)n == len ? 0 : -EAGAIN;
}

/* A log daemon that was started anew has made a new socket. */
static int write_to_log(MnOutlet *self, const char *line, gsize len) {
    int r;

    if (self->write(self->fd, line, len) >= 0)
        return 0;
    r = connect_to_log(self);
    if (r < 0)
        return r;
    return self->write(self->fd, line, len) < 0 ? -errno : 0;
}

int mn_outlet_write(MnOutlet *self, const char *line, gsize len) {
    int r;

    if (self->log_path)
        return write_to_log(self, line, len);
    if (self->is_inside_line) {
        r = write_once(self, "\n", 1);
        if (r < 0)
            return r;
    }
    return write_once(self, line, len);
}
