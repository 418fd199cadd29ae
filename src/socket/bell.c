/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client may do what he likes with an eventfd that he has a copy of, let it block and fill it up; the signaller does not
 * mind. */
#include "bell.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct MnBell {
    MnBoard *board;
    MnAccount *account;
    MnSignaller *signaller;
    MnLimits limits;
    int fd;
};

static void on_crossing(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    const MnBell *self = watch->owner;

    for (guint32 left = watch->changed; left; left &= left - 1) /* one for each bit */
        mn_signaller_add(self->signaller, self->fd);
}

int mn_bell_new(MnBoard *board, MnAccount *account, MnSignaller *signaller, const MnLimitSet *set, MnBell **ret) {
    g_autoptr(MnBell) self = NULL;
    int r;

    r = mn_account_charge(account, MN_RESOURCE_DESCRIPTORS, 1);
    if (r < 0)
        return r;
    self = g_new0(MnBell, 1);
    *self = (MnBell){ .board = board, .account = account, .signaller = signaller };
    self->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->fd < 0)
        return errno == EMFILE ? -ENFILE : -errno;
    r = mn_limits_set(&self->limits, board, account, set, on_crossing, self);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_bell_free(MnBell *self) {
    if (!self)
        return;
    mn_limits_clear(&self->limits, self->board, self->account);
    mn_account_refund(self->account, MN_RESOURCE_DESCRIPTORS, 1);
    mn_signaller_flush(self->signaller); /* while the descriptor is open */
    if (self->fd >= 0)
        close(self->fd);
    g_free(self);
}

int mn_bell_get_fd(const MnBell *self) {
    return self->fd;
}
