/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The question is the name of the group with its NUL, and then the numbers. */
#include "membership.h"

#include "core/cgroupplace.h"
#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 64

/* A line for each hierarchy, with a path in it. */
#define GROUPS_BYTES 65536

static gboolean is_member(pid_t pid, const char *group, char *groups) {
    char path[PATH_BYTES];
    gsize len;

    if (pid <= 0)
        return FALSE;
    snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    if (mn_process_read_file(AT_FDCWD, path, groups, GROUPS_BYTES - 1, &len) < 0)
        return FALSE;
    groups[len] = '\0';
    return mn_cgroup_is_within(groups, group);
}

static int run(MnParcel *question, MnParcel *answer) {
    g_autofree char *groups = g_malloc(GROUPS_BYTES);
    const char *group = (const char *)question->bytes->data;
    gsize at = strlen(group) + 1;

    if (!mn_process_proc_is_ours())
        return -EPERM;
    for (; at + sizeof(pid_t) <= question->bytes->len; at += sizeof(pid_t)) {
        pid_t pid;

        memcpy(&pid, question->bytes->data + at, sizeof pid);
        if (is_member(pid, group, groups))
            mn_parcel_add(answer, &pid, sizeof pid);
    }
    return 0;
}

static const MnTask task = {
    .name = "look for the members of a control group",
    .limit_ms = MN_HELPER_LIMIT_MS,
    .run = run,
    .is_urgent = TRUE,
};

int mn_membership_ask(MnHelper *helper, uid_t uid, const char *group, const pid_t *pids, guint n, MnAnswered answered,
                      gpointer data, MnHelperJob **ret) {
    g_autoptr(GByteArray) question = g_byte_array_new();

    g_byte_array_append(question, (const guint8 *)group, (guint)strlen(group) + 1);
    g_byte_array_append(question, (const guint8 *)pids, (guint)(n * sizeof *pids));
    return mn_helper_ask(helper, &task, uid, question->data, question->len, NULL, 0, answered, data, ret);
}
