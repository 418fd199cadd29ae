/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scores of a list, and the record of what they were before. */
#include "adjustment.h"

#include "core/number.h"

#include <errno.h>
#include <string.h>

int mn_score_for(guint place) {
    return place < MN_SCORE_MAX ? MN_SCORE_MAX - (int)place : 0;
}

void mn_adjuster_render(const MnAdjuster *adjuster, GString *text) {
    g_string_append_printf(text, "%s %d %" G_GUINT64_FORMAT "\n", adjuster->boot_id, adjuster->pid,
                           adjuster->start_ticks);
}

void mn_adjustment_render(const MnAdjustment *adjustment, GString *text) {
    g_string_append_printf(text, "%d %" G_GUINT64_FORMAT " %d %d\n", adjustment->pid, adjustment->start_ticks,
                           adjustment->old_score, adjustment->set_score);
}

/* A decimal number from min to max, ended by `terminator`, which is taken too. */
static int parse_number(const char **at, const char *end, gint64 min, guint64 max, char terminator, gint64 *ret) {
    gboolean is_negative = *at < end && **at == '-';
    guint64 number;

    *at += is_negative;
    if (mn_number_parse(at, end, &number) < 0 || *at == end || **at != terminator)
        return -EBADMSG;
    if (is_negative ? number > (guint64)-min : number > max)
        return -EBADMSG;

    (*at)++;
    *ret = is_negative ? -(gint64)number : (gint64)number;
    return 0;
}

static int parse_adjuster(const char **at, const char *end, MnAdjuster *ret) {
    gint64 pid, start_ticks;

    if (end - *at <= MN_BOOT_ID_CHARS || (*at)[MN_BOOT_ID_CHARS] != ' ')
        return -EBADMSG;
    memcpy(ret->boot_id, *at, MN_BOOT_ID_CHARS);
    ret->boot_id[MN_BOOT_ID_CHARS] = '\0';
    *at += MN_BOOT_ID_CHARS + 1;

    if (parse_number(at, end, 0, G_MAXINT32, ' ', &pid) < 0 ||
        parse_number(at, end, 0, G_MAXINT64, '\n', &start_ticks) < 0)
        return -EBADMSG;
    ret->pid = pid;
    ret->start_ticks = start_ticks;
    return 0;
}

static int parse_adjustment(const char **at, const char *end, MnAdjustment *ret) {
    gint64 pid, start_ticks, old_score, set_score;

    if (parse_number(at, end, 0, G_MAXINT32, ' ', &pid) < 0 ||
        parse_number(at, end, 0, G_MAXINT64, ' ', &start_ticks) < 0 ||
        parse_number(at, end, -MN_SCORE_MAX, MN_SCORE_MAX, ' ', &old_score) < 0 ||
        parse_number(at, end, -MN_SCORE_MAX, MN_SCORE_MAX, '\n', &set_score) < 0)
        return -EBADMSG;

    *ret = (MnAdjustment){ pid, start_ticks, old_score, set_score };
    return 0;
}

int mn_adjustments_parse(const char *text, gsize len, MnAdjuster *ret_adjuster, GArray **ret_adjustments) {
    g_autoptr(GArray) adjustments = g_array_new(FALSE, FALSE, sizeof(MnAdjustment));
    const char *at = text, *end = text + len;
    MnAdjustment adjustment;
    MnAdjuster adjuster;
    int r;

    r = parse_adjuster(&at, end, &adjuster);
    while (r == 0 && at < end) {
        r = parse_adjustment(&at, end, &adjustment);
        if (r == 0)
            g_array_append_val(adjustments, adjustment);
    }
    if (r < 0)
        return r;

    *ret_adjuster = adjuster;
    *ret_adjustments = g_steal_pointer(&adjustments);
    return 0;
}
