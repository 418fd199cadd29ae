/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lastcall.h"

/* Serves systemd-oomd: one connection for each call. */
typedef struct Hook Hook;

/* Where systemd-oomd looks for hooks, as it has it since version 260. */
#define HOOK_DIRECTORY "/run/systemd/oomd.prekill.hook"

/* Takes the listening socket. Of those that connect root, our own user and `uid` may call, who is nobody else where that is -1.
 * Those that were told have grace_ms until the call is answered. Lives as long as the program, in the main loop. */
Hook *hook_new(int fd, LastCall *last_call, uid_t uid, guint grace_ms);
