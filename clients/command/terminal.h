/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether standard input and output are a terminal that can be drawn on. Says why not, and returns the exit status. */
int cmd_terminal_check(void);
