/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inotify(7) on the directory above. What else is made and removed there is read, and is no news. */
#include "placewatch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int open_inotify(void) {
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

void mn_place_watch_init(MnPlaceWatch *self, const char *path) {
    *self = (MnPlaceWatch){ .fd = -1, .wd = -1 };
    if (!path)
        return;
    self->above = g_path_get_dirname(path);
    self->name = g_path_get_basename(path);
    self->fd = open_inotify();
}

void mn_place_watch_clear(MnPlaceWatch *self) {
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    g_clear_pointer(&self->above, g_free);
    g_clear_pointer(&self->name, g_free);
}

int mn_place_watch_start(MnPlaceWatch *self) {
    int wd;

    if (!self->above)
        return -ENOENT;
    if (self->fd < 0)
        self->fd = open_inotify();
    if (self->fd < 0)
        return -errno;
    wd = inotify_add_watch(self->fd, self->above, IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR);
    if (wd < 0)
        return -errno;
    self->wd = wd;
    return self->fd;
}

void mn_place_watch_stop(MnPlaceWatch *self) {
    if (self->wd >= 0)
        inotify_rm_watch(self->fd, self->wd);
    self->wd = -1;
}

/* IN_IGNORED: the directory above is gone, and this one with it. */
static gboolean is_news(const MnPlaceWatch *self, const struct inotify_event *event) {
    return (event->mask & (IN_IGNORED | IN_Q_OVERFLOW)) || (event->len > 0 && strcmp(event->name, self->name) == 0);
}

gboolean mn_place_watch_drain(MnPlaceWatch *self) {
    _Alignas(struct inotify_event) char events[4096];
    gboolean has_news = FALSE;
    gssize n;

    while ((n = read(self->fd, events, sizeof events)) > 0) {
        const struct inotify_event *event;

        for (char *at = events; at < events + n; at += sizeof *event + event->len) {
            event = (const struct inotify_event *)at;
            has_news = has_news || is_news(self, event);
        }
    }
    return has_news;
}
