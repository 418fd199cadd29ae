/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "probe/probe.h"

/* What makes a moment due before its time: the kernel's word that memory is short, that a file of a copied /proc has
 * changed, that the group of the meters was removed or made. Part of the schedule. */
typedef struct MnDoorbell {
    MnProbe *probe;
    void (*rings)(gpointer data);
    gpointer data;
    guint changes_source;
    guint group_source;
    guint pressure_source;
    int pressure_fd;
    gboolean is_on;
    gboolean has_no_pressure; /* and never will have */
} MnDoorbell;

void mn_doorbell_init(MnDoorbell *self, MnProbe *probe, void (*rings)(gpointer data), gpointer data);
void mn_doorbell_clear(MnDoorbell *self);

/* From now on until mn_doorbell_stop() rings() is called. Once more at each look: what could not be had, or has ended,
 * is tried again. */
void mn_doorbell_start(MnDoorbell *self);
void mn_doorbell_stop(MnDoorbell *self);
