/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Opens a pressure-stall trigger, in the file `name` below a directory of the kernel's:
 * pressure/memory of the machine, or memory.pressure of a group. It is a descriptor that reports
 * POLLPRI when tasks have waited for memory for 150 ms within 2 s, the shortest window that needs
 * no privilege. It reports POLLERR for ever once the kernel has ended it: close it then. -errno
 * where the kernel has no PSI or does not let us. */
int mn_psi_open(int directory_fd, const char *name, int *ret_fd) G_GNUC_WARN_UNUSED_RESULT;
