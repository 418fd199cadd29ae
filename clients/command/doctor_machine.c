/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the machine lets memnotifyfs do: mount, hear of stalls, survive; and what it has refused to users. */
#include "doctor.h"

#include "kernel/privilege.h"
#include "quota/quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- mounting --- */

/* A line "what; what to do". */
static void add_reason(CmdExam *exam, const char *id, const char *why) {
    const char *end = strstr(why, "; ");

    if (end)
        cmd_exam_add(exam, id, CMD_FAULT, g_strndup(why, (gsize)(end - why)), g_strdup(end + 2));
    else
        cmd_exam_add(exam, id, CMD_FAULT, g_strdup(why), g_strdup("see memnotifyfs(8)"));
}

/* A file with one number. */
static gboolean is_set(const char *path) {
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strtol(text, NULL, 10) != 0;
}

/* Whoever may not mount has fusermount3, or a user namespace as memnotify-run makes it. */
static void check_user(CmdExam *exam) {
    const char *why = mn_why_no_mount();

    if (why)
        add_reason(exam, "may_not_mount", why);
    if (is_set("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"))
        cmd_exam_add(
            exam, "restricted_namespaces", CMD_HINT,
            g_strdup("AppArmor keeps programs of users from mounting in namespaces, so memnotify-run cannot"),
            g_strdup("'sysctl kernel.apparmor_restrict_unprivileged_userns=0' permits it, or a profile for it"));
    if (geteuid() != 0 && !mn_may_allow_other())
        cmd_exam_add(exam, "no_allow_other", CMD_HINT,
                     g_strdup("what a user mounts here only he can see: /etc/fuse.conf has no line user_allow_other"),
                     g_strdup("add that line, if others are to see it with '-o allow_other'"));
}

void cmd_doctor_check_mounting(CmdExam *exam) {
    const char *device;

    if (exam->served)
        return;
    device = mn_why_no_device();
    if (device)
        add_reason(exam, "no_device", device);
    else if (!mn_may_mount())
        check_user(exam);
}

/* --- the kernel's word --- */

void cmd_doctor_check_pressure(CmdExam *exam) {
    g_autofree char *text = NULL;

    if (g_file_get_contents("/proc/pressure/memory", &text, NULL, NULL))
        return;
    cmd_exam_add(exam, "no_pressure", CMD_HINT,
                 g_strdup("this kernel does not tell how long programs wait for memory: 'pressure' is not served"),
                 g_strdup("start it with psi=1 on its command line; it needs CONFIG_PSI"));
}

/* --- the server when memory is short --- */

void cmd_doctor_check_protection(CmdExam *exam) {
    const CmdServer *server = &exam->server;
    gboolean may_be_killed = server->oom_score_adj >= 0, may_be_swapped = server->locked_kib == 0;

    if (!exam->served || server->pid == 0 || (!may_be_killed && !may_be_swapped))
        return;
    cmd_exam_add(exam, "unprotected", CMD_HINT,
                 g_strdup_printf("when memory is short memnotifyfs, process %d, may be %s%s%s", (int)server->pid,
                                 may_be_killed ? "killed (oom_score_adj)" : "",
                                 may_be_killed && may_be_swapped ? " or " : "",
                                 may_be_swapped ? "swapped out (not locked)" : ""),
                 g_strdup("start it as root with CAP_SYS_RESOURCE and CAP_IPC_LOCK, as memnotifyfs.service does"));
}

/* --- shares of users --- */

static const struct {
    MnResource resource;
    guint64 most;
} shares[] = {
    { MN_RESOURCE_OPENS, MN_OPENS_PER_USER_MAX },
    { MN_RESOURCE_LIMITS, MN_LIMITS_PER_USER_MAX },
    { MN_RESOURCE_THRESHOLDS, MEMNOTIFYFS_THRESHOLDS_PER_USER_MAX },
    { MN_RESOURCE_REGISTRATIONS, MN_REGISTRATIONS_PER_USER_MAX },
    { MN_RESOURCE_VICTIMS, MN_VICTIMS_PER_USER_MAX },
    { MN_RESOURCE_SIGNALS, MN_SIGNALS_PER_USER_MAX },
    { MN_RESOURCE_DESCRIPTORS, MN_DESCRIPTORS_PER_USER_MAX },
    { MN_RESOURCE_TRIGGERS, MN_TRIGGERS_PER_USER_MAX },
};

/* The columns of `users` are a uid and, in their order, the resources: "1000 3 0 2 256 0 0 0 0 0 0". */
static void check_user_row(CmdExam *exam, const char *row) {
    g_auto(GStrv) words = g_strsplit(row, " ", -1);
    guint n = g_strv_length(words);
    long uid = strtol(row, NULL, 10);

    if (uid == 0 || uid == cmd_sight_get_owner(exam->served)) /* they have no share */
        return;
    for (guint i = 0; i < G_N_ELEMENTS(shares); i++) {
        guint column = 1 + shares[i].resource;

        if (column < n && g_ascii_strtoull(words[column], NULL, 10) >= shares[i].most)
            cmd_exam_add(exam, "quota", CMD_FAULT,
                         g_strdup_printf("user %s has all the %s that a user may have: %s", words[0],
                                         mn_resource_get_name(shares[i].resource), words[column]),
                         g_strdup("he is to remove thresholds, or end programs that hold files open"));
    }
}

/* 'memnotifyfs_refusals_total{resource="opens"} 3' */
static guint64 count_refusals(const char *metrics) {
    static const char name[] = "memnotifyfs_refusals_total{";
    guint64 n = 0;

    for (const char *at = strstr(metrics, name); at; at = strstr(at + 1, name)) {
        const char *number = strstr(at, "} ");

        if (number)
            n += g_ascii_strtoull(number + 2, NULL, 10);
    }
    return n;
}

void cmd_doctor_check_quotas(CmdExam *exam) {
    g_auto(GStrv) rows = NULL;
    guint64 n;

    if (!exam->has_figures)
        return;
    rows = g_strsplit(exam->served->files[CMD_FILE_USERS].text->str, "\n", -1);
    for (guint i = 1; i < g_strv_length(rows); i++) /* the first has the names */
        check_user_row(exam, rows[i]);
    n = count_refusals(exam->served->files[CMD_FILE_METRICS].text->str);
    if (n > 0)
        cmd_exam_add(exam, "refusals", CMD_HINT,
                     g_strdup_printf("%" G_GUINT64_FORMAT " requests were refused because a user has his share", n),
                     g_strdup("'users' in the mount tells its owner who holds what; see memnotifyfs(5)"));
}
