/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "core/herd.h"

/* The pressure of mem_notify, version 6 of 2008: followed from moment to moment while somebody has the device
 * open. */
typedef struct MnMemNotify MnMemNotify;

MnMemNotify *mn_mem_notify_new(MnBoard *board);
void mn_mem_notify_free(MnMemNotify *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnMemNotify, mn_mem_notify_free)

/* notify() is called when some of those who wait are to be told, while moments are: it may only put notices into
 * the outbox. */
void mn_mem_notify_set_notify(MnMemNotify *self, void (*notify)(gpointer data), gpointer data);

/* Somebody has it open, or the last one has closed it. */
void mn_mem_notify_start(MnMemNotify *self);
void mn_mem_notify_stop(MnMemNotify *self);

/* The first zone that is under pressure as it was at the last moment; NULL when none is. */
const MnZone *mn_mem_notify_get_pressed(const MnMemNotify *self);

/* mem_notify_status of a zone: see mn_herd_get_status(). */
int mn_mem_notify_get_status(const MnMemNotify *self, const MnZone *zone);
