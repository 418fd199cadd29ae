/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* After how many seconds the kernel gives up a FUSE request that was not answered, and with it the
 * whole connection; 0 for never. An administrator may change it at any time. Source: the sysctls
 * fs.fuse.default_request_timeout and fs.fuse.max_request_timeout, since protocol 7.43. */
guint mn_request_timeout_s(void);
