/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Those who are connected, so that slow ones do not keep others out: while there are too many, who has been longest about one
 * request is sent away. */
typedef struct ExpVisitors {
    guint most;
    GQueue waiting; /* of ExpVisitor: who began first at the head */
    guint n;
    guint n_exempt;
} ExpVisitors;

typedef struct ExpVisitor {
    int fd;
    gboolean is_waiting;
    gboolean is_exempt;
    GList link;
} ExpVisitor;

void exp_visitors_init(ExpVisitors *self, guint most);

/* Somebody has connected; he may have to be sent away himself. */
ExpVisitor *exp_visitors_add(ExpVisitors *self, int fd);
void exp_visitors_remove(ExpVisitors *self, ExpVisitor *visitor);

/* His request is answered: the next begins. */
void exp_visitors_renew(ExpVisitors *self, ExpVisitor *visitor);

/* He may stay as long as he likes. FALSE: that was said to half of all, and others must come in, too. */
gboolean exp_visitors_exempt(ExpVisitors *self, ExpVisitor *visitor);
