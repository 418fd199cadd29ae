/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/PID/stat and /proc/PID/status -> who a process is and what it has used. */
#include "process.h"

#include "core/number.h"
#include "core/text.h"

#include <errno.h>
#include <string.h>

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD of the kernel's sched.h, shown in stat */

/* The fields after the name, as counted from 0. */
enum {
    STATE = 0,
    PPID = 1,
    FLAGS = 6,
    UTIME = 11,
    STIME = 12,
    NICE = 16,
    START_TIME = 19,
    VSIZE = 20,
    N_FIELDS,
};

/* "000001ffffffffff" */
static int parse_hexadecimal(const char *at, const char *end, guint64 *ret) {
    guint64 number = 0;

    if (at == end || end - at > 16)
        return -EBADMSG;
    for (; at < end; at++) {
        if (!g_ascii_isxdigit(*at))
            return -EBADMSG;
        number = number << 4 | (guint64)g_ascii_xdigit_value(*at);
    }

    *ret = number;
    return 0;
}

/* "-5 " or "4711 ", moving on behind the blank. */
static int parse_field(const char **at, const char *end, gint64 *ret) {
    gboolean is_negative = *at < end && **at == '-';
    guint64 number;

    *at += is_negative;
    if (mn_number_parse(at, end, &number) < 0)
        return -EBADMSG;
    if (*at < end && **at != ' ' && **at != '\n')
        return -EBADMSG;
    *at += *at < end;

    /* A few fields that we skip use all 64 bits. */
    *ret = is_negative ? -(gint64)MIN(number, G_MAXINT64) : (gint64)MIN(number, G_MAXINT64);
    return 0;
}

/* 4711 (a name) S 1 4711 4711 0 -1 4194304 102 0 0 0 17 5 0 0 20 0 1 0 6421 5627904 ... */
int mn_process_parse_stat(const char *text, gsize len, MnProcessStat *ret) {
    MnProcessStat parsed = { 0 };
    gint64 fields[N_FIELDS] = { 0 };
    const char *end = text + len, *at = text;
    const char *open, *close;
    guint64 pid;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;
    if (mn_number_parse(&at, end, &pid) < 0 || pid == 0 || pid > G_MAXINT)
        return -EBADMSG;

    /* The name may hold ") S 1 2 3", but what follows it has no parenthesis. */
    open = memchr(at, '(', end - at);
    close = memrchr(at, ')', end - at);
    if (!open || !close || close < open || end - close < 4)
        return -EBADMSG;
    parsed.pid = pid;
    memcpy(parsed.comm, open + 1, MIN((gsize)(close - open - 1), MN_COMM_MAX));
    parsed.state = close[2];

    at = close + 4;
    for (guint i = STATE + 1; i < N_FIELDS; i++)
        if (parse_field(&at, end, &fields[i]) < 0)
            return -EBADMSG;

    parsed.ppid = MAX(fields[PPID], 0);
    parsed.is_kernel_thread = (fields[FLAGS] & KERNEL_THREAD) != 0;
    parsed.utime_ticks = MAX(fields[UTIME], 0);
    parsed.stime_ticks = MAX(fields[STIME], 0);
    parsed.nice = fields[NICE];
    parsed.start_ticks = MAX(fields[START_TIME], 0);
    parsed.vm_bytes = MAX(fields[VSIZE], 0);
    *ret = parsed;
    return 0;
}

static void skip_blanks(const char **at, const char *end) {
    while (*at < end && (**at == '\t' || **at == ' '))
        (*at)++;
}

/* The numbers of "Uid:\t1000\t1000\t1000\t1000": at most `n`. Returns how many there are, keeping the
 * last in the last place when there are more. */
static guint parse_numbers(const char *at, const char *end, guint64 *numbers, guint n) {
    guint found = 0;

    for (;;) {
        guint64 number;

        skip_blanks(&at, end);
        if (at == end || mn_number_parse(&at, end, &number) < 0)
            return found;
        numbers[MIN(found, n - 1)] = number;
        found++;
    }
}

/* The value of the line that begins with `key`, or FALSE. No value can look like another line: the
 * kernel escapes the name. */
static gboolean find_line(const char *text, const char *end, const char *key, const char **ret_at,
                          const char **ret_end) {
    gsize key_len = strlen(key);

    for (const char *line = text, *newline; line < end; line = newline + 1) {
        newline = memchr(line, '\n', end - line);
        if ((gsize)(newline - line) >= key_len && memcmp(line, key, key_len) == 0) {
            *ret_at = line + key_len;
            *ret_end = newline;
            return TRUE;
        }
    }
    return FALSE;
}

int mn_process_parse_status(const char *text, gsize len, MnProcessStatus *ret) {
    MnProcessStatus parsed = { .n_pids = 1 };
    const char *end = text + len, *at, *line_end;
    guint64 numbers[4];

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    if (!find_line(text, end, "Tgid:", &at, &line_end) || parse_numbers(at, line_end, numbers, 4) != 1)
        return -EBADMSG;
    parsed.tgid = numbers[0];
    parsed.last_pid = numbers[0];

    if (!find_line(text, end, "Uid:", &at, &line_end) || parse_numbers(at, line_end, numbers, 4) != 4)
        return -EBADMSG;
    parsed.uid = numbers[0];
    parsed.euid = numbers[1];
    parsed.fsuid = numbers[3];

    /* Not there without CONFIG_PID_NS. */
    if (find_line(text, end, "NSpid:", &at, &line_end)) {
        parsed.n_pids = parse_numbers(at, line_end, numbers, 1);
        parsed.last_pid = numbers[0];
        if (parsed.n_pids == 0)
            return -EBADMSG;
    }

    if (!find_line(text, end, "CapEff:", &at, &line_end))
        return -EBADMSG;
    skip_blanks(&at, line_end);
    if (parse_hexadecimal(at, line_end, &parsed.capabilities) < 0)
        return -EBADMSG;

    /* Not there for what has no memory of its own. */
    if (find_line(text, end, "VmSwap:", &at, &line_end) && parse_numbers(at, line_end, numbers, 1) == 1)
        parsed.swap_kib = numbers[0];

    *ret = parsed;
    return 0;
}

void mn_comm_append(GString *text, const char *comm) {
    char shown[MN_TEXT_SHOWN_BYTES];

    while (*comm) {
        if (*comm == '\\')
            g_string_append_c(text, '\\');
        g_string_append_len(text, shown, mn_text_show_next(&comm, shown));
    }
}
