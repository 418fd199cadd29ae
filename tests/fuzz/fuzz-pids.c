/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/pidlist.h"
#include "target.h"

#include <errno.h>

/* What is accepted is shown in the room there is, and shown it is accepted again as the same list. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GString) shown = g_string_new(NULL);
    g_autoptr(GArray) pids = NULL;
    g_autoptr(GArray) again = NULL;

    if (mn_pid_list_parse((const char *)data, size, NULL, &pids) < 0) {
        g_assert_null(pids);
        return 0;
    }
    for (guint i = 0; i < pids->len; i++) {
        g_assert_cmpint(g_array_index(pids, pid_t, i), >, 0);
        mn_pid_list_append(shown, g_array_index(pids, pid_t, i));
    }
    g_string_append_c(shown, '\n');
    g_assert_cmpint(shown->len, <=, size + 2);
    if (shown->len > MN_PID_LIST_TEXT_MAX)
        return 0;

    g_assert_cmpint(mn_pid_list_parse(shown->str, shown->len, NULL, &again), ==, 0);
    g_assert_cmpint(again->len, ==, pids->len);
    for (guint i = 0; i < pids->len; i++)
        g_assert_cmpint(g_array_index(again, pid_t, i), ==, g_array_index(pids, pid_t, i));
    return 0;
}
