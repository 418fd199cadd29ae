/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recordprocesses.h"

#include "style.h"

#include "core/number.h"

#include <stdlib.h>

static int compare(const void *one, const void *other) {
    pid_t a = ((const CmdGrown *)one)->pid, b = ((const CmdGrown *)other)->pid;

    return (a > b) - (a < b);
}

void cmd_record_processes_append(GString *text, CmdGrown *processes, guint n, guint page_bytes) {
    if (n > 0)
        qsort(processes, n, sizeof processes[0], compare);
    for (guint i = 0; i < n; i++) {
        const CmdGrown *process = &processes[i];

        if (i > 0 && process->pid == processes[i - 1].pid)
            continue;
        g_string_append_printf(text, "%d %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " ", process->pid,
                               mn_multiply(process->rss_pages, page_bytes),
                               mn_multiply(process->swap_pages, page_bytes));
        cmd_style_append_shown(text, process->comm, 0);
        g_string_append_c(text, '\n');
    }
}
