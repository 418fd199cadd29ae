/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals in the place of fasync, which FUSE does not have: a client that wants one at each event
 * writes "signal NAME" to its open file. */
#pragma once

#include "fs/open.h"
#include "kernel/program.h"

/* Part of a node: the open files that want a signal, the one that waits longest first. */
typedef struct MnSignals {
    MnHelper *helper;    /* finds out who asks */
    MnHelper *messenger; /* signals: what one client asks does not delay what another is told */
    GQueue queue;
} MnSignals;

/* Part of an open file: whom to signal. All zero: nobody. */
typedef struct MnSignal {
    MnSignals *signals; /* NULL when nobody */
    MnOpen *open;       /* whose part it is */
    MnProgram program;
    int number;
    GList link;       /* in the queue; its data is this */
    MnHelperJob *job; /* it is being signalled */
} MnSignal;

/* The write operation of a device: from now on the process that writes is signalled, or with
 * "signal off" is no more. Asking again changes the signal and not the place in the queue. -EINVAL:
 * not such a request. -EPERM: the writer is not who opened the file (so that a program cannot be
 * made to ask by what it prints into a file that others gave it), or may not be signalled by us.
 * -EDQUOT, -ENFILE: too many of them. Else -errno as mn_program_open() and mn_helper_ask(). Nothing has changed then. */
int mn_signal_write(MnSignals *signals, MnSignal *self, MnOpen *open, const MnWrite *write) G_GNUC_WARN_UNUSED_RESULT;

/* The open file is released, or does not want it any more. */
void mn_signal_drop(MnSignal *self);

guint mn_signals_count(const MnSignals *self);

/* Signals the `n` that wait longest and puts them at the end; those that have ended, or whose user may not signal
 * them any more, are dropped. */
void mn_signals_send(MnSignals *self, guint n);
