/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom to signal, in the order in which they are served. */
#include "signal.h"

#include "core/signame.h"
#include "source/program.h"

#include <errno.h>

static int start(MnSignals *signals, MnSignal *self, int number, const MnOpen *open,
                 const MnWrite *write) {
    MnProgram *program;
    int r;

    if (write->caller.uid != open->uid)
        return -EPERM;
    r = mn_program_new(write->caller.tid, &program);
    if (r < 0)
        return r;

    if (!self->program) {
        self->link.data = self;
        g_queue_push_tail_link(&signals->queue, &self->link);
    }
    mn_program_free(self->program);
    self->program = program;
    self->number = number;
    return 0;
}

int mn_signal_write(MnSignals *signals, MnSignal *self, const MnOpen *open, const MnWrite *write) {
    int number, r;

    r = mn_signame_parse(write->text, write->len, &number);
    if (r < 0)
        return r;
    if (number > 0)
        return start(signals, self, number, open, write);

    mn_signal_drop(signals, self);
    return 0;
}

void mn_signal_drop(MnSignals *signals, MnSignal *self) {
    if (!self->program)
        return;
    g_queue_unlink(&signals->queue, &self->link);
    g_clear_pointer(&self->program, mn_program_free);
}

guint mn_signals_count(const MnSignals *self) {
    return self->queue.length;
}

void mn_signals_send(MnSignals *self, guint n) {
    for (guint left = self->queue.length; left > 0 && n > 0; left--) {
        MnSignal *signal = self->queue.head->data;

        if (mn_program_signal(signal->program, signal->number) < 0) {
            mn_signal_drop(self, signal);
        } else {
            g_queue_unlink(&self->queue, &signal->link);
            g_queue_push_tail_link(&self->queue, &signal->link);
            n--;
        }
    }
}
