/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Closes all descriptors that the program was started with, but the standard ones, `n_handed` that follow them
 * (kernel/manager.h) and `kept_fd`, which is closed on exec; -1 to keep none. A lock or the end of a pipe of whoever has started a daemon is not to live
 * on in it. Call it before anything is opened.
 *
 * A standard descriptor that is closed becomes /dev/null, so that nothing else is opened there and then
 * taken for it. -errno when that cannot be opened. */
int mn_inheritance_drop(guint n_handed, int kept_fd) G_GNUC_WARN_UNUSED_RESULT;
