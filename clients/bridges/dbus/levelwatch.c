/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a server has said last is not repeated when that is gone: whoever frees memory for a shortage that nobody measures does
 * so in vain, and again and again. */
#include "levelwatch.h"

#include "client.h"

#include <errno.h>
#include <glib-unix.h>

struct LevelWatch {
    memnotifyfs *client;
    char *limits;
    void (*has_news)(gpointer data);
    gpointer data;
    guint n_reached;  /* limits: reached and left alternate for each */
    gboolean is_away; /* the server */
    gboolean is_gone; /* the control group */
    guint source;
};

/* What it says first after limits were set is told of all that are reached. */
static gboolean take_event(LevelWatch *self, const struct memnotifyfs_event *event) {
    switch (event->kind) {
    case MEMNOTIFYFS_REACHED:
        self->n_reached++;
        return FALSE;
    case MEMNOTIFYFS_LEFT:
        self->n_reached -= self->n_reached > 0;
        return FALSE;
    case MEMNOTIFYFS_REMOVED:
        self->is_gone = TRUE;
        return FALSE;
    case MEMNOTIFYFS_RETURNED:
        self->is_gone = FALSE;
        return TRUE;
    case MEMNOTIFYFS_RECONNECTED: /* perhaps before a group was removed, perhaps after it was made anew */
        self->is_away = self->is_gone = FALSE;
        return TRUE;
    default:
        return event->kind == MEMNOTIFYFS_TOTAL_CHANGED;
    }
}

/* What it answers comes behind what it has told, so that is here as well then. */
int level_watch_take(LevelWatch *self, gboolean *ret_is_resized) {
    struct memnotifyfs_event event;
    int r;

    self->is_away = cmd_client_is_away(self->client);
    while ((r = memnotifyfs_next(self->client, &event)) > 0)
        if (take_event(self, &event))
            *ret_is_resized = TRUE;
    return r;
}

const char *level_watch_explain(const LevelWatch *self, int r) {
    return r == -EINVAL ? memnotifyfs_get_error(self->client, NULL) : g_strerror(-r);
}

static gboolean on_news(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    LevelWatch *self = data;

    self->has_news(self->data);
    return G_SOURCE_CONTINUE;
}

int level_watch_new(const CmdOptions *options, const char *limits, void (*has_news)(gpointer data), gpointer data,
                    LevelWatch **ret) {
    memnotifyfs *client;
    LevelWatch *self;
    int status = cmd_client_open(options, limits, &client);

    if (status != CMD_OK)
        return status;
    self = g_new0(LevelWatch, 1);
    self->client = client;
    self->limits = g_strdup(limits);
    self->has_news = has_news;
    self->data = data;
    self->source = g_unix_fd_add(memnotifyfs_get_fd(client), G_IO_IN, on_news, self);
    *ret = self;
    return CMD_OK;
}

void level_watch_free(LevelWatch *self) {
    if (!self)
        return;
    g_clear_handle_id(&self->source, g_source_remove);
    memnotifyfs_close(self->client);
    g_free(self->limits);
    g_free(self);
}

void level_watch_set_limits(LevelWatch *self, const char *limits) {
    if (g_strcmp0(self->limits, limits) == 0 || memnotifyfs_set_limits(self->client, limits) < 0)
        return;
    g_free(self->limits);
    self->limits = g_strdup(limits);
    self->n_reached = 0;
}

const char *level_watch_get_limits(const LevelWatch *self) {
    return self->limits;
}

gboolean level_watch_is_on(const LevelWatch *self) {
    return self->n_reached > 0 && !self->is_away && !self->is_gone;
}
