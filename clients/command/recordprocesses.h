/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "processes.h"

/* Appends the lines of the text MN_SCRIPT_PROCESSES: `PID RSS SWAP NAME`, in bytes, by PID, each process once. Reorders what
 * it is given. */
void cmd_record_processes_append(GString *text, CmdGrown *processes, guint n, guint page_bytes);
