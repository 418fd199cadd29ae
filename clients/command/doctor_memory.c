/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be known of the memory that is shown, and of the limits on it. */
#include "doctor.h"

#include "size.h"
#include "style.h"

#include "core/number.h"
#include "core/zone.h"
#include "probe/probe.h"

#include <errno.h>
#include <string.h>

/* Of limits that are found fault with: enough to see what they have in common. */
#define LIMITS_SHOWN 10

static gboolean is_simulated(const CmdExam *exam) {
    return exam->served && exam->served->files[CMD_FILE_SIMULATE].error == 0 &&
           exam->served->files[CMD_FILE_SIMULATE].text->len > 0;
}

void cmd_doctor_check_simulation(CmdExam *exam) {
    g_auto(GStrv) lines = NULL;
    g_autofree char *words = NULL, *command = NULL;

    if (!is_simulated(exam))
        return;
    lines = g_strsplit(g_strchomp(exam->served->files[CMD_FILE_SIMULATE].text->str), "\n", -1);
    words = g_strjoinv(", ", lines);
    command = cmd_exam_command(exam, "simulate reset");
    cmd_exam_add(exam, "simulated", CMD_FAULT, g_strdup_printf("values are not real, they are simulated: %s", words),
                 g_strdup_printf("%s shows memory as it is", command));
}

/* --- whose memory it is --- */

/* What the group can get at most, or for NULL the machine. -errno. */
static int measure_total(MnGroup *group, guint64 *ret) {
    g_autoptr(MnGroup) taken = group;
    g_autoptr(MnProbe) probe = NULL;
    MnMoment moment = { 0 };
    MnNeeds needs = { 0 };
    const char *name;
    int r = mn_probe_new(MN_PROC_DIRECTORY, &probe, &name);

    if (r == 0 && taken)
        r = mn_probe_set_group(probe, g_steal_pointer(&taken), &name);
    if (r < 0)
        return r;
    needs.meters = mn_probe_meter_sources(probe, MN_METER_TOTAL);
    r = mn_probe_look(probe, &needs, &moment);
    if (r == 0)
        *ret = moment.measured.pages[MN_METER_TOTAL];
    return r;
}

static void compare_groups(CmdExam *exam, MnGroup *own) {
    guint64 shown = exam->figures.reading.pages[MN_METER_TOTAL], total = 0;
    char of_shown[CMD_SIZE_BYTES], of_own[CMD_SIZE_BYTES];

    if (is_simulated(exam) || measure_total(own, &total) < 0 || total == shown)
        return;
    cmd_exam_add(exam, "other_group", CMD_HINT,
                 g_strdup_printf("the memory shown is that of a control group with %s in all; that of this program has "
                                 "%s",
                                 cmd_size_print(shown, CMD_UNIT_HUMAN, of_shown),
                                 cmd_size_print(total, CMD_UNIT_HUMAN, of_own)),
                 g_strdup("for programs in this group start memnotifyfs in it, with --source=cgroup"));
}

void cmd_doctor_check_group(CmdExam *exam) {
    g_autoptr(MnGroup) own = NULL;
    int r;

    if (!exam->has_figures)
        return;
    if (exam->figures.is_gone) {
        cmd_exam_add(exam, "group_removed", CMD_FAULT,
                     g_strdup("the control group whose memory is shown has been removed: there are no values"),
                     g_strdup("make it again in the same place, or start memnotifyfs with another --source"));
        return;
    }
    r = mn_group_new_own(&own);
    if (r == -ENXIO)
        cmd_exam_add(exam, "hidden_group", CMD_HINT,
                     g_strdup("the control group of this program cannot be seen, so its limit is not known here"),
                     g_strdup("mount the control groups at /sys/fs/cgroup"));
    if (r < 0)
        return;
    if (exam->figures.is_of_group)
        compare_groups(exam, g_steal_pointer(&own));
    else if (mn_group_is_limited(own))
        cmd_exam_add(
            exam, "not_our_group", CMD_HINT,
            g_strdup_printf("the memory shown is the machine's; this program may have less, by the limit of its "
                            "control group '%s'",
                            mn_group_get_path(own)),
            g_strdup("for programs in this group start memnotifyfs with --source=cgroup"));
}

/* --- limits --- */

/* What the kernel keeps for itself, in pages: below that it ends programs, unless they give something back. 0: it is not
 * known, because it is not this machine's memory that is shown. */
static guint64 find_reserve(const CmdExam *exam) {
    g_autofree char *text = NULL;
    g_auto(MnZones) zones = { 0 };
    guint64 reserve = 0, total;
    gsize len;

    if (exam->figures.is_of_group || measure_total(NULL, &total) < 0 ||
        total != exam->figures.reading.pages[MN_METER_TOTAL] ||
        !g_file_get_contents(MN_PROC_DIRECTORY "/zoneinfo", &text, &len, NULL) || mn_zones_parse(&zones, text, len) < 0)
        return 0;
    for (guint i = 0; i < zones.n; i++)
        if (mn_zone_is_populated(&zones.zones[i]))
            reserve = mn_add(reserve, zones.zones[i].min);
    return reserve;
}

static char *describe(const CmdNamedLimit *limit) {
    g_autoptr(GString) line = g_string_new("'");
    char size[CMD_SIZE_BYTES];

    cmd_style_append_shown(line, limit->threshold, 0);
    g_string_append_printf(line, "': %s %s %s", mn_meters[limit->meter].name, mn_op_names[limit->op],
                           cmd_size_print(limit->limit_pages, CMD_UNIT_HUMAN, size));
    return g_string_free(g_steal_pointer(&line), FALSE);
}

/* The totals move only with the machine, and "total<1" is a way to say that nothing is to be reached. */
static void check_limit(CmdExam *exam, const CmdNamedLimit *limit, guint64 reserve) {
    guint64 whole = cmd_figures_get_whole(&exam->figures, limit->meter);
    g_autofree char *shown = describe(limit);
    char size[CMD_SIZE_BYTES];

    cmd_size_print(limit->meter == MN_METER_FREE && limit->op == MN_OP_BELOW ? reserve : whole, CMD_UNIT_HUMAN, size);
    if (limit->meter == MN_METER_TOTAL || limit->meter == MN_METER_SWAP_TOTAL)
        return;
    if (mn_meters[limit->meter].part == MN_PART_SWAP && whole == 0)
        cmd_exam_add(exam, limit->op == MN_OP_BELOW ? "always_reached" : "never_reached", CMD_FAULT,
                     g_strdup_printf("threshold %s is %s reached: there is no swap", shown,
                                     limit->op == MN_OP_BELOW ? "always" : "never"),
                     g_strdup("add swap with swapon(8), or take another meter"));
    else if (limit->op == MN_OP_AT_LEAST && limit->limit_pages > whole)
        cmd_exam_add(exam, "never_reached", CMD_FAULT,
                     g_strdup_printf("threshold %s is never reached: there are only %s", shown, size),
                     g_strdup("write a smaller limit, or one in per cent"));
    else if (limit->op == MN_OP_BELOW && limit->limit_pages > whole)
        cmd_exam_add(exam, "always_reached", CMD_FAULT,
                     g_strdup_printf("threshold %s is always reached: there is no more", shown),
                     g_strdup("write a smaller limit, or one in per cent"));
    else if (limit->meter == MN_METER_FREE && limit->op == MN_OP_BELOW && limit->limit_pages <= reserve)
        cmd_exam_add(
            exam, "hardly_reached", CMD_HINT,
            g_strdup_printf("threshold %s is hardly ever reached: the kernel keeps %s free for itself", shown, size),
            g_strdup("take 'available', which falls to 0, or write a larger limit"));
}

void cmd_doctor_check_limits(CmdExam *exam) {
    guint before = exam->findings->len, most = before + LIMITS_SHOWN, n;
    guint64 reserve;

    if (!exam->has_figures || exam->figures.is_gone)
        return;
    reserve = find_reserve(exam);
    for (guint i = 0; i < exam->figures.limits->len; i++)
        check_limit(exam, &g_array_index(exam->figures.limits, CmdNamedLimit, i), reserve);
    n = exam->findings->len;
    if (n <= most)
        return;
    g_ptr_array_remove_range(exam->findings, most, n - most);
    cmd_exam_add(exam, "more_limits", CMD_FAULT, g_strdup_printf("so it is with %u more limits", n - most),
                 g_strdup("'memnotify status' lists all"));
}
