/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces of our own. Exit with EXIT_OURS and one line when they cannot be had. */
#pragma once

/* One in which we remain who we are, and may mount. */
void enter_user_namespace(void);

/* What is mounted outside still arrives; what is mounted here does not get out. */
void enter_mount_namespace(void);

/* What to add to the message when mount(2) has failed for this errno. */
const char *why_no_mount(int error);
