/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom to signal, in the order in which they are served. */
#include "signal.h"

#include "core/signame.h"

#include <errno.h>

/* A write that waits for the helper. */
typedef struct Asking {
    MnSignals *signals;
    MnSignal *signal;
    MnOpen *open;
    uid_t uid;
    int number;
    gboolean is_charged; /* for a signal that there was not */
} Asking;

static void enqueue(MnSignal *self, MnSignals *signals, MnOpen *open) {
    self->signals = signals;
    self->open = open;
    self->link.data = self;
    g_queue_push_tail_link(&signals->queue, &self->link);
}

#define DESCRIPTORS 2 /* of an MnProgram */

static int charge(MnOpen *open) {
    int r;

    r = mn_account_charge(open->account, MN_RESOURCE_SIGNALS, 1);
    if (r < 0)
        return r;
    r = mn_account_charge(open->account, MN_RESOURCE_DESCRIPTORS, DESCRIPTORS);
    if (r < 0)
        mn_account_refund(open->account, MN_RESOURCE_SIGNALS, 1);
    return r;
}

static void refund(MnOpen *open) {
    mn_account_refund(open->account, MN_RESOURCE_SIGNALS, 1);
    mn_account_refund(open->account, MN_RESOURCE_DESCRIPTORS, DESCRIPTORS);
}

static void release_program(MnSignal *self) {
    if (self->job)
        mn_helper_forget(g_steal_pointer(&self->job));
    mn_program_close(&self->program);
}

static void on_found(int r, MnParcel *answer, gpointer data) {
    g_autofree Asking *asking = data;
    MnSignal *self = asking->signal;

    if (r == 0)
        r = mn_helper_prepare(asking->signals->messenger);
    if (r == 0 && !self->signals && !asking->is_charged) { /* it was dropped meanwhile */
        r = charge(asking->open);
        asking->is_charged = r == 0;
    }
    if (r == 0) {
        if (self->signals)
            release_program(self);
        else
            enqueue(self, asking->signals, asking->open);
        mn_program_take(&self->program, asking->uid, answer);
        self->number = asking->number;
    }
    if (r < 0 && asking->is_charged)
        refund(asking->open);
    mn_open_finish(asking->open, r);
}

static int ask(const Asking *asking, pid_t tid) {
    Asking *kept = g_memdup2(asking, sizeof *asking);
    int r = 0;

    kept->is_charged = !asking->signal->signals;
    if (kept->is_charged)
        r = charge(kept->open);
    if (r == 0) {
        r = mn_program_ask_open(kept->signals->helper, tid, kept->uid, on_found, kept);
        if (r == 0)
            return MN_LATER;
        if (kept->is_charged)
            refund(kept->open);
    }
    g_free(kept);
    return r;
}

int mn_signal_write(MnSignals *signals, MnSignal *self, MnOpen *open, const MnWrite *write) {
    int number, r;

    r = mn_signame_parse(write->text, write->len, &number);
    if (r < 0)
        return r;
    if (number == 0) {
        mn_signal_drop(self);
        return 0;
    }
    if (write->caller.uid != open->uid)
        return -EPERM;
    return ask(&(Asking){ .signals = signals, .signal = self, .open = open, .uid = open->uid, .number = number },
               write->caller.tid);
}

void mn_signal_drop(MnSignal *self) {
    if (!self->signals)
        return;
    release_program(self);
    refund(self->open);
    g_queue_unlink(&self->signals->queue, &self->link);
    self->signals = NULL;
}

guint mn_signals_count(const MnSignals *self) {
    return self->queue.length;
}

/* Whoever is dropped leaves his turn to the next. He stays when it is we who were short of something. */
static void on_sent(int r, MnParcel *answer G_GNUC_UNUSED, gpointer data) {
    MnSignal *self = data;
    MnSignals *signals = self->signals;

    self->job = NULL;
    if (r == -ESRCH || r == -EPERM || r == -EBUSY) {
        mn_signal_drop(self);
        mn_signals_send(signals, 1);
    }
}

static int signal_send(MnSignal *self) {
    int r;

    r = mn_program_ask_signal(&self->program, self->signals->messenger, self->number, on_sent, self, &self->job);
    if (r == 0)
        mn_open_note_wakeup(self->open);
    return r;
}

void mn_signals_send(MnSignals *self, guint n) {
    for (guint left = self->queue.length; left > 0 && n > 0; left--) {
        MnSignal *signal = self->queue.head->data;

        g_queue_unlink(&self->queue, &signal->link);
        g_queue_push_tail_link(&self->queue, &signal->link);
        if (!signal->job && signal_send(signal) == 0) /* who has one on its way has had his turn */
            n--;
    }
}
