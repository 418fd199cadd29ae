/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes it likely that the daemon works on when memory is nearly gone: locks it in memory and asks
 * the OOM killer to look elsewhere. What is not permitted is left with one warning. Call it in the
 * process that serves, after everything is set up. */
void mn_survival_prepare(void);
