/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moments FILE SECONDS: what a recording of this machine says last before it was so long up, in the log's time: how many ms before,
 * and the processes that it has then. */
#include "script/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static gint64 now_us(clockid_t id) {
    struct timespec now;

    clock_gettime(id, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_autofree char *processes = NULL;
    gint64 uptime_us, last_us = 0, next_us, booted_us = now_us(CLOCK_REALTIME) - now_us(CLOCK_MONOTONIC);
    MnScript *script;
    guint n = 0;

    if (argc != 3 || !mn_script_open(argv[1], &script, &error)) {
        fprintf(stderr, "moments: %s\n", error ? error->message : "usage: moments FILE SECONDS");
        return EXIT_FAILURE;
    }
    uptime_us = (gint64)(g_ascii_strtod(argv[2], NULL) * G_USEC_PER_SEC);
    while (mn_script_peek(script, &next_us) && mn_script_next(script) == 0) {
        const MnScriptText *text = mn_script_find(script, MN_SCRIPT_PROCESSES);

        if (mn_script_get_date_us(script) - booted_us > uptime_us)
            break;
        last_us = mn_script_get_date_us(script) - booted_us;
        n++;
        g_free(processes);
        processes = g_strdup(text ? text->text : "");
    }
    printf("moments: %u\nbefore: %d ms\n%s", n, (int)((uptime_us - last_us) / 1000), processes ? processes : "");
    mn_script_free(script);
    return EXIT_SUCCESS;
}
