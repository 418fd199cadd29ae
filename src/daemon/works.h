/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/options.h"
#include "files/files.h"
#include "kernel/manager.h"
#include "kernel/statefile.h"
#include "loop/alarm.h"
#include "loop/outbox.h"
#include "oom/oomkiller.h"

/* Everything that the files show, made as the command line wants it. All zero is nothing; manager, quota, helper and messenger
 * stay the caller's, and the latter two end before it is cleared. */
typedef struct MnWorks {
    MnOutbox *outbox;
    MnStateFile *state;
    MnOomKiller *oom_killer; /* NULL without oom=kill */
    MnAlarm *tidying;        /* set when a user who had much has left */
    gboolean is_untidy;
    MnServices services;
} MnWorks;

/* The manager hands over what it has for the socket. `identity` is what this mount is called from one start to the next. FALSE with an error that says what to do; *ret
 * is to be cleared in any case. */
gboolean mn_works_init(MnWorks *ret, const MnOptions *options, const char *mountpoint, const char *identity,
                       MnManager *manager, MnQuota *quota, MnHelper *helper, MnHelper *messenger, GError **error);
/* Somebody can be served from now on. */
void mn_works_begin(MnWorks *self, const MnOptions *options);

void mn_works_clear(MnWorks *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnWorks, mn_works_clear)
