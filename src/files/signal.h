/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals in the place of fasync, which FUSE does not have: a client that wants one at each event
 * writes "signal NAME" to its open file. */
#pragma once

#include "fs/open.h"

struct MnProgram;

/* Part of an open file: whom to signal. All zero: nobody. */
typedef struct MnSignal {
    struct MnProgram *program; /* NULL when nobody */
    int number;
    GList link; /* in MnSignals; its data is this */
} MnSignal;

/* Part of a node: the open files that want a signal, the one that waits longest first. All zero is
 * empty. */
typedef struct MnSignals {
    GQueue queue;
} MnSignals;

/* The write operation of a device: from now on the process that writes is signalled, or with
 * "signal off" is no more. Asking again changes the signal and not the place in the queue. -EINVAL:
 * not such a request. -EPERM: the writer is not who opened the file (so that a program cannot be
 * made to ask by what it prints into a file that others gave it), or may not be signalled by us.
 * Else -errno as mn_program_new(). Nothing has changed then. */
int mn_signal_write(MnSignals *signals, MnSignal *self, const MnOpen *open, const MnWrite *write)
    G_GNUC_WARN_UNUSED_RESULT;

/* The open file is released, or does not want it any more. */
void mn_signal_drop(MnSignals *signals, MnSignal *self);

guint mn_signals_count(const MnSignals *self);

/* Signals the `n` that wait longest and puts them at the end; those that have ended are dropped. */
void mn_signals_send(MnSignals *self, guint n);
