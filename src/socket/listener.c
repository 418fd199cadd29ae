/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who connects, and who he is. */
#include "listener.h"

#include "loop/alarm.h"
#include "socket/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Clients let in before others have their turn. */
#define AT_A_TURN 16

/* Where we have no descriptor for a client, and he waits. */
#define RETRY_US (100 * G_TIME_SPAN_MILLISECOND)

struct MnListener {
    int fd;
    char *path; /* NULL: it is not ours to remove */
    dev_t device;
    ino_t inode;
    int epoll;
    gboolean is_awaited; /* it is in that set: not while we have no descriptors */
    MnAlarm *retry;
    const MnClock *clock;
    void (*connected)(int fd, uid_t uid, gpointer data);
    gpointer data;
};

/* --- its place --- */

/* What is at the address is nobody's only if the kernel says that: to a socket of another kind nobody can connect in this
 * way, though it may be served. */
static int check_served(const struct sockaddr_un *address) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r;

    if (fd < 0)
        return -errno;
    r = connect(fd, (const struct sockaddr *)address, sizeof *address);
    r = r < 0 && (errno == ECONNREFUSED || errno == ENOENT) ? 0 : -EADDRINUSE;
    close(fd);
    return r;
}

/* What nobody serves is removed. */
static int clear_place(const struct sockaddr_un *address) {
    struct stat st;
    int r;

    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    r = check_served(address);
    if (r == 0 && unlink(address->sun_path) < 0 && errno != ENOENT)
        r = -errno;
    return r;
}

/* The mode comes from the mask, since a name may be another's as soon as it is there. Between the two calls a client is
 * refused, as he is without us; under another name until then it would have that name for ever, for who asks whom he is
 * connected to. */
static int bind_and_listen(int fd, const struct sockaddr_un *address) {
    mode_t mask = umask(0111);
    int r = bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;

    umask(mask);
    if (r == 0 && listen(fd, SOMAXCONN) < 0) {
        r = -errno;
        unlink(address->sun_path);
    }
    return r;
}

int mn_listener_bind(const char *path, int *ret_fd) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, r;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    r = clear_place(&address);
    if (r < 0)
        return r;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    r = bind_and_listen(fd, &address);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

/* Another may have taken the place meanwhile. */
static void leave_place(const MnListener *self) {
    struct stat st;

    if (self->path && lstat(self->path, &st) == 0 && st.st_dev == self->device && st.st_ino == self->inode)
        unlink(self->path);
}

/* --- who connects --- */

uid_t mn_listener_find_user(int fd) {
    struct ucred peer = { .uid = (uid_t)-1 };
    socklen_t len = sizeof peer;

    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    return peer.uid;
}

static void start(gpointer data) {
    MnListener *self = data;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };

    self->is_awaited = epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->fd, &event) == 0;
    if (!self->is_awaited)
        mn_alarm_set(self->retry, mn_clock_now_us(self->clock) + RETRY_US);
}

static void stop(MnListener *self) {
    if (self->is_awaited)
        epoll_ctl(self->epoll, EPOLL_CTL_DEL, self->fd, NULL);
    self->is_awaited = FALSE;
}

void mn_listener_let_in(MnListener *self) {
    for (guint n = 0; n < AT_A_TURN; n++) {
        /* cppcheck-suppress nullPointer ; nobody asks for the address */
        int client = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client >= 0) {
            self->connected(client, mn_listener_find_user(client), self->data);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            stop(self);
            mn_alarm_set(self->retry, mn_clock_now_us(self->clock) + RETRY_US);
        }
        return;
    }
}

MnListener *mn_listener_new(int fd, const char *path, int epoll, const MnClock *clock,
                            void (*connected)(int fd, uid_t uid, gpointer data), gpointer data) {
    MnListener *self = g_new0(MnListener, 1);
    struct stat st;

    *self = (MnListener){
        .fd = fd, .path = g_strdup(path), .epoll = epoll, .clock = clock, .connected = connected, .data = data
    };
    if (path && lstat(path, &st) == 0) {
        self->device = st.st_dev;
        self->inode = st.st_ino;
    }
    self->retry = mn_alarm_new(clock, "listener", start, self);
    mn_wire_refuse_descriptors(fd);
    start(self);
    return self;
}

char *mn_listener_get_path(const MnListener *self) {
    struct sockaddr_un address = { 0 };
    socklen_t len = sizeof address;

    if (getsockname(self->fd, (struct sockaddr *)&address, &len) < 0)
        return g_strdup("");
    return g_strndup(address.sun_path, sizeof address.sun_path);
}

void mn_listener_free(MnListener *self) {
    if (!self)
        return;
    stop(self);
    mn_alarm_free(self->retry);
    leave_place(self);
    close(self->fd);
    g_free(self->path);
    g_free(self);
}
