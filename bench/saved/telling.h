/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a cache hears that memory is short: nothing at all, limits of memnotifyfs, or what psi-notify would tell its user. */
#pragma once

#include <stdbool.h>

/* `how` is "none", "psi", or limits for libmemnotifyfs, which finds the server. */
void telling_init(const char *how);

/* Waits for word, so long at most; whether memory is said to be short at present. */
bool telling_wait(int ms);
