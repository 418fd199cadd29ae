/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crowd.h"

struct ExpCrowd {
    guint most;
    void (*found)(gpointer data);
    gpointer data;
    GThreadPool *looker; /* one thread */
    gboolean is_resting;
    gboolean is_looking; /* while it is, these three are the thread's */
    gboolean is_anew;
    CmdProcesses *processes; /* NULL at first, and where /proc cannot be read */
    GArray *grown;           /* of CmdGrown */
};

static gboolean on_found(gpointer data) {
    ExpCrowd *self = data;

    self->is_looking = FALSE;
    if (self->is_resting)
        g_clear_pointer(&self->processes, cmd_processes_free);
    self->found(self->data);
    return G_SOURCE_REMOVE;
}

static void look(gpointer data, gpointer user_data G_GNUC_UNUSED) {
    ExpCrowd *self = data;

    if (self->is_anew)
        g_clear_pointer(&self->processes, cmd_processes_free);
    if (self->processes || cmd_processes_new(&self->processes) == 0) {
        cmd_processes_look(self->processes);
        if (!self->grown)
            self->grown = g_array_new(FALSE, FALSE, sizeof(CmdGrown));
        g_array_set_size(self->grown, self->most);
        g_array_set_size(self->grown, cmd_processes_get(self->processes, CMD_GROWTH_GROWN, self->most,
                                                        &g_array_index(self->grown, CmdGrown, 0)));
    }
    g_idle_add_full(G_PRIORITY_DEFAULT, on_found, self, NULL);
}

ExpCrowd *exp_crowd_new(guint most, void (*found)(gpointer data), gpointer data) {
    ExpCrowd *self = g_new0(ExpCrowd, 1);

    *self = (ExpCrowd){ .most = most, .found = found, .data = data };
    self->looker = g_thread_pool_new(look, NULL, 1, FALSE, NULL);
    return self;
}

void exp_crowd_look(ExpCrowd *self, gboolean anew) {
    self->is_resting = FALSE;
    if (self->is_looking)
        return;
    self->is_looking = TRUE;
    self->is_anew = anew;
    g_thread_pool_push(self->looker, self, NULL); /* waits until there is a thread */
}

void exp_crowd_rest(ExpCrowd *self) {
    self->is_resting = TRUE;
    if (!self->is_looking)
        g_clear_pointer(&self->processes, cmd_processes_free);
}

gboolean exp_crowd_is_looking(const ExpCrowd *self) {
    return self->is_looking;
}

const GArray *exp_crowd_get(const ExpCrowd *self) {
    return self->grown;
}
