/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of /proc/oom, in and out: "11 22 33" and "11 22 33 \n". */
#include "pidlist.h"

#include "core/number.h"

#include <errno.h>

static gboolean is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int parse_pid(const char **at, const char *end, pid_t *ret) {
    guint64 number;
    int r;

    r = mn_number_parse(at, end, &number);
    if (r < 0)
        return r;
    if (number == 0 || number > G_MAXINT32 || (*at < end && !is_blank(**at)))
        return -EINVAL;

    *ret = number;
    return 0;
}

int mn_pid_list_parse(const char *text, gsize len, MnFault *fault, GArray **ret) {
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    const char *at = text, *end;
    pid_t pid;

    if (len > MN_PID_LIST_TEXT_MAX)
        return mn_fault_set(fault, MN_PID_LIST_TEXT_MAX, "the text is too long: it may have %d bytes",
                            MN_PID_LIST_TEXT_MAX);
    if (len > 0 && text[len - 1] == '\0')
        len--;
    end = text + len;

    for (;;) {
        while (at < end && is_blank(*at))
            at++;
        if (at == end)
            break;
        if (parse_pid(&at, end, &pid) < 0)
            return mn_fault_set(fault, (gsize)(at - text),
                                "the number of a process is needed here, and a blank behind it");
        if (g_hash_table_add(seen, GINT_TO_POINTER(pid)))
            g_array_append_val(pids, pid);
    }

    *ret = g_steal_pointer(&pids);
    return 0;
}

void mn_pid_list_append(GString *text, pid_t pid) {
    g_string_append_printf(text, "%d ", pid);
}
