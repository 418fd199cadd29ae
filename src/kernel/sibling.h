/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Our programs start each other so. Needs nothing but the C library: memnotify-run has it too. */

/* Becomes the program `name`: the one that lies beside ours, or else the one in PATH. argv[0] is what it is to be called.
 * Returns only if that fails: -errno. */
int mn_sibling_execute(const char *name, char *const argv[]);
