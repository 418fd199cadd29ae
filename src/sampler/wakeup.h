/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "source/group.h"
#include "source/proc.h"

/* What makes a sample due before its time: the kernel's word that memory is short, and that a file of
 * a copied /proc has changed. Embedded in the sampler. */
typedef struct MnWakeup {
    MnProc *proc;
    void (*woken)(gpointer data);
    gpointer data;
    guint changes_source;
    guint pressure_source;
    int pressure_fd;
    gboolean pressure_failed;
} MnWakeup;

void mn_wakeup_init(MnWakeup *self, MnProc *proc, void (*woken)(gpointer data), gpointer data);
void mn_wakeup_clear(MnWakeup *self);

/* From now on until mn_wakeup_stop() woken() is called. `group` may be NULL. */
void mn_wakeup_start(MnWakeup *self, const MnGroup *group);
void mn_wakeup_stop(MnWakeup *self);
