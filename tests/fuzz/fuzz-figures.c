/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What memnotify reads of a server that may be anybody's: metrics, and lines of events. */
#include "event.h"
#include "figures.h"
#include "target.h"

#include <errno.h>

static void check_limits(const CmdFigures *figures) {
    for (guint i = 0; i < figures->limits->len; i++) {
        const CmdNamedLimit *limit = &g_array_index(figures->limits, CmdNamedLimit, i);

        g_assert_cmpuint(limit->meter, <, MN_N_METERS);
        g_assert_nonnull(memchr(limit->threshold, '\0', sizeof limit->threshold));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *line = g_strndup((const char *)data, size);
    g_auto(CmdFigures) figures = { 0 };
    CmdEvent event;
    int r = cmd_figures_parse((const char *)data, size, 4096, &figures);

    g_assert_true(r == 0 || (r == -EBADMSG && !figures.limits));
    if (r == 0) {
        g_assert_cmpuint(figures.offered >> MN_N_METERS, ==, 0);
        check_limits(&figures);
    }
    if (cmd_event_parse(line, &event))
        g_assert_nonnull(cmd_event_get_word(&event));
    return 0;
}
