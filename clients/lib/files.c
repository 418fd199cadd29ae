/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By the files: memnotifyfs(5).
 *
 * Each limit has a descriptor of meters/NAME, which is never read from: so it is ready to read as long as its limit is
 * reached. It is always ready to write. An edge-triggered epoll that waits for both is woken by each change, in either
 * direction, and is told the state of that moment. One more, of meters/total, without a limit, says when the server has
 * ended, and when the group is removed. */
#include "clock.h"
#include "limit.h"
#include "mount.h"
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TOTAL "total"

/* In the data of its epoll event; that of a limit is its index. */
#define ANCHOR LIMIT_N_MAX

struct watched {
    int fd;
    struct limit limit;
};

struct watched_set {
    struct watched watched[LIMIT_N_MAX];
    unsigned n;
};

struct files_transport {
    struct transport base;
    struct mount mount;
    int anchor_fd; /* meters/total; -1: not connected */
    bool is_gone;  /* the group is */
    struct watched_set set;
    char path[];
};

static struct files_transport *from_base(const struct transport *base) {
    return (struct files_transport *)base;
}

static int lose(struct files_transport *self, int r) {
    if (r != -ENOTCONN && r != -ECONNABORTED)
        return r;
    self->base.is_connected = false;
    return -ENOTCONN;
}

/* --- limits --- */

static int open_limit(const struct mount *mount, const struct limit *limit, struct watched *ret) {
    char text[MEMNOTIFYFS_LIMITS_MAX + 1];
    int fd = mount_open_meter(mount, limit->meter, O_WRONLY), r;

    if (fd < 0)
        return fd;
    snprintf(text, sizeof text, "%s%.*s", limit->op, (int)limit->len, limit->amount);
    r = mount_write(fd, text);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret = (struct watched){ .fd = fd, .limit = *limit };
    ret->limit.amount = NULL; /* the text will not last */
    return 0;
}

static void close_set(struct watched_set *set) {
    while (set->n > 0)
        close(set->watched[--set->n].fd);
}

/* The whole text at once, so that it is taken or refused as one. */
static int check_limits(const struct files_transport *self, const char *limits) {
    char shown[8192];
    int fd = mount_open_file(&self->mount, MEMNOTIFYFS_MEMNOTIFY, O_WRONLY), r;

    if (fd < 0)
        return fd;
    r = mount_write(fd, limits);
    close(fd);
    if (r == -EINVAL && mount_read(&self->mount, MEMNOTIFYFS_ERRORS, shown, sizeof shown) == 0)
        refusal_find(shown, MEMNOTIFYFS_MEMNOTIFY, limits, self->base.refusal);
    return r;
}

/* All of them or none. */
static int open_limits(const struct files_transport *self, const char *limits, struct watched_set *ret) {
    struct watched_set set = { .n = 0 };
    struct limit split[LIMIT_N_MAX];
    size_t n = 0;
    int r;

    r = *limits ? check_limits(self, limits) : 0;
    if (r == 0)
        r = limit_split_all(limits, (unsigned)sysconf(_SC_PAGESIZE), split, &n);
    while (r == 0 && set.n < n) {
        r = open_limit(&self->mount, &split[set.n], &set.watched[set.n]);
        set.n += r == 0;
    }
    if (r < 0) {
        close_set(&set);
        return r;
    }
    *ret = set;
    return 0;
}

/* The state of a limit that has crossed, or is new. */
static void learn(const struct files_transport *self, const struct limit *limit, bool is_reached) {
    struct news_limit state = { .is_reached = is_reached, .time_us = clock_now_us() };
    uint64_t total_pages = 0;

    /* What cannot be read, because the server has just ended, is 0. */
    (void)mount_read_meter(&self->mount, limit->meter, &state.value_pages);
    if (limit->micropercent > 0)
        (void)mount_read_meter(&self->mount, TOTAL, &total_pages);
    state.limit_pages = limit_at_pages(limit, total_pages);
    memcpy(state.meter, limit->meter, sizeof state.meter);
    news_learn(self->base.news, &state);
}

static void learn_all(const struct files_transport *self) {
    struct pollfd waiters[LIMIT_N_MAX];

    for (unsigned i = 0; i < self->set.n; i++)
        waiters[i] = (struct pollfd){ .fd = self->set.watched[i].fd, .events = POLLIN };
    poll(waiters, self->set.n, 0);
    for (unsigned i = 0; i < self->set.n; i++)
        learn(self, &self->set.watched[i].limit, (waiters[i].revents & (POLLIN | POLLERR)) == POLLIN);
}

/* --- waiting --- */

static int wait_for(const struct files_transport *self, int fd, unsigned index) {
    struct epoll_event interest = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = index };

    return epoll_ctl(self->base.epoll_fd, EPOLL_CTL_ADD, fd, &interest) < 0 ? -errno : 0;
}

/* A child may have the file open still. */
static void wait_no_more(const struct files_transport *self, int fd) {
    epoll_ctl(self->base.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void drop_limits(struct files_transport *self) {
    for (unsigned i = 0; i < self->set.n; i++)
        wait_no_more(self, self->set.watched[i].fd);
    close_set(&self->set);
}

/* In the place of those before, of which none is left if this fails. */
static int take_limits(struct files_transport *self, const struct watched_set *set) {
    int r = 0;

    drop_limits(self);
    self->set = *set;
    for (unsigned i = 0; r == 0 && i < set->n; i++)
        r = wait_for(self, set->watched[i].fd, i);
    if (r == 0)
        learn_all(self);
    return r;
}

static void note_presence(struct files_transport *self, bool is_gone) {
    struct memnotifyfs_event event = { .kind = is_gone ? MEMNOTIFYFS_REMOVED : MEMNOTIFYFS_RETURNED,
                                       .time_us = clock_now_us() };

    if (self->is_gone == is_gone)
        return;
    self->is_gone = is_gone;
    news_add(self->base.news, &event);
}

static int take_wakeup(struct files_transport *self, const struct epoll_event *wakeup) {
    bool has_ended = (wakeup->events & (EPOLLERR | EPOLLHUP)) == EPOLLERR; /* both: the group is gone */

    if (wakeup->data.u32 == TRANSPORT_FOREIGN)
        return 0;
    if (has_ended)
        return lose(self, -ENOTCONN);
    if (wakeup->data.u32 == ANCHOR)
        note_presence(self, wakeup->events & EPOLLERR);
    else if (wakeup->data.u32 < self->set.n && !(wakeup->events & EPOLLERR))
        learn(self, &self->set.watched[wakeup->data.u32].limit, wakeup->events & EPOLLIN);
    return 1;
}

/* --- the transport --- */

static int files_receive(struct transport *base) {
    struct files_transport *self = from_base(base);
    struct epoll_event wakeups[LIMIT_N_MAX + 2];
    int n = epoll_wait(base->epoll_fd, wakeups, LIMIT_N_MAX + 2, 0), r = 0;

    for (int i = 0; i < n; i++) {
        int taken = take_wakeup(self, &wakeups[i]);

        if (taken < 0)
            return taken;
        r |= taken;
    }
    return r;
}

static bool files_is_settled(const struct transport *base) {
    (void)base;
    return true;
}

static int files_connect(struct transport *base, const char *limits) {
    struct files_transport *self = from_base(base);
    struct watched_set set;
    int r;

    r = mount_open(self->path, &self->mount);
    if (r < 0)
        return r;
    r = mount_open_meter(&self->mount, TOTAL, O_RDONLY);
    if (r < 0)
        return r;
    self->anchor_fd = r;
    self->is_gone = false;
    base->is_connected = true;
    r = wait_for(self, self->anchor_fd, ANCHOR);
    if (r == 0)
        r = open_limits(self, limits, &set);
    return r == 0 ? take_limits(self, &set) : r;
}

static void files_disconnect(struct transport *base) {
    struct files_transport *self = from_base(base);

    drop_limits(self);
    if (self->anchor_fd >= 0) {
        wait_no_more(self, self->anchor_fd);
        close(self->anchor_fd);
    }
    self->anchor_fd = -1;
    mount_close(&self->mount);
    base->is_connected = false;
}

static int files_set_limits(struct transport *base, const char *limits) {
    struct files_transport *self = from_base(base);
    struct watched_set set;
    int r = open_limits(self, limits, &set);

    if (r < 0)
        return lose(self, r);
    news_forget_limits(base->news);
    r = take_limits(self, &set);
    base->is_connected = r == 0;
    return r;
}

static int files_get_meter(struct transport *base, const char *meter, uint64_t *ret) {
    struct files_transport *self = from_base(base);

    return lose(self, mount_read_meter(&self->mount, meter, ret));
}

static int files_get_page(struct transport *base, const struct memnotifyfs_page **ret) {
    (void)base;
    (void)ret;
    return -ENOTSUP;
}

static void files_free(struct transport *base) {
    struct files_transport *self = from_base(base);

    if (!self)
        return;
    close_set(&self->set);
    if (self->anchor_fd >= 0)
        close(self->anchor_fd);
    mount_close(&self->mount);
    free(self);
}

static const struct transport_ops files_ops = {
    .connect = files_connect,
    .is_settled = files_is_settled,
    .receive = files_receive,
    .set_limits = files_set_limits,
    .get_meter = files_get_meter,
    .get_page = files_get_page,
    .disconnect = files_disconnect,
    .free = files_free,
};

int transport_new_files(const char *path, const struct transport *like, struct transport **ret) {
    size_t size = strlen(path) + 1;
    struct files_transport *self = calloc(1, sizeof *self + size);

    if (!self)
        return -ENOMEM;
    self->base = *like;
    self->base.ops = &files_ops;
    self->mount.root_fd = -1;
    self->anchor_fd = -1;
    memcpy(self->path, path, size);
    *ret = (struct transport *)self;
    return 0;
}
