/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "visitors.h"

#include <sys/socket.h>

void exp_visitors_init(ExpVisitors *self, guint most) {
    *self = (ExpVisitors){ .most = most };
}

static void stop_waiting(ExpVisitors *self, ExpVisitor *visitor) {
    if (visitor->is_waiting)
        g_queue_unlink(&self->waiting, &visitor->link);
    visitor->is_waiting = FALSE;
}

static void wait_for(ExpVisitors *self, ExpVisitor *visitor) {
    visitor->is_waiting = TRUE;
    g_queue_push_tail_link(&self->waiting, &visitor->link);
}

/* He is removed when the server has found that his connection is closed. */
static void send_away(ExpVisitors *self) {
    ExpVisitor *visitor = g_queue_peek_head(&self->waiting);

    shutdown(visitor->fd, SHUT_RDWR);
    stop_waiting(self, visitor);
}

ExpVisitor *exp_visitors_add(ExpVisitors *self, int fd) {
    ExpVisitor *visitor = g_new0(ExpVisitor, 1);

    *visitor = (ExpVisitor){ .fd = fd, .link.data = visitor };
    wait_for(self, visitor);
    if (++self->n > self->most && self->waiting.length > 0)
        send_away(self);
    return visitor;
}

void exp_visitors_remove(ExpVisitors *self, ExpVisitor *visitor) {
    stop_waiting(self, visitor);
    if (visitor->is_exempt)
        self->n_exempt--;
    self->n--;
    g_free(visitor);
}

void exp_visitors_renew(ExpVisitors *self, ExpVisitor *visitor) {
    stop_waiting(self, visitor);
    wait_for(self, visitor);
}

gboolean exp_visitors_exempt(ExpVisitors *self, ExpVisitor *visitor) {
    if (self->n_exempt >= self->most / 2)
        return FALSE;
    stop_waiting(self, visitor);
    visitor->is_exempt = TRUE;
    self->n_exempt++;
    return TRUE;
}
