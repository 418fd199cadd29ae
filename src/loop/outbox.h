/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/clock.h"

#include <glib.h>

/* Something to tell somebody: part of whoever has it to tell. All zero but for tell(): nothing at present. */
typedef struct MnNotice MnNotice;
struct MnNotice {
    void (*tell)(MnNotice *self);
    MnNotice *next; /* NULL: it is not in the outbox */
};

/* Whose member `notice` it is. */
#define MN_NOTICE_OWNER(notice_, Type) ((Type *)(void *)((char *)(notice_)-G_STRUCT_OFFSET(Type, notice)))

/* How long it tells before others have their turn, and how many at least, however slow the machine is. */
#define MN_OUTBOX_AT_ONCE_US 50
#define MN_OUTBOX_AT_LEAST 4

/* What is to be told when the present turn of the main loop ends.
 *
 * Whoever changes state changes it at once and puts a notice here; however often that happens in a turn, it
 * is told once, when everybody has the new state. So telling may do what it likes: add and remove watches,
 * open and close files, put more notices.
 *
 * Where thousands are to be told, those who ask meanwhile are answered in between: they see the new state, since it
 * was changed first. */
typedef struct MnOutbox MnOutbox;

/* `clock`, which stays the caller's, says how long telling takes. */
MnOutbox *mn_outbox_new(const MnClock *clock);
void mn_outbox_free(MnOutbox *self); /* tells what is left; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnOutbox, mn_outbox_free)

/* tell() is called once before the main loop sleeps, in the order of being put. Allocates nothing. */
void mn_outbox_put(MnOutbox *self, MnNotice *notice);

/* tell() is not called any more; to be done before the notice is freed. */
void mn_outbox_take_back(MnOutbox *self, MnNotice *notice);

/* Whether there is any other to tell. */
gboolean mn_outbox_has_others(const MnOutbox *self, const MnNotice *notice);

/* Tells those that there are now, as many as are told at once. FALSE when there is nothing left to tell. */
gboolean mn_outbox_flush(MnOutbox *self);
