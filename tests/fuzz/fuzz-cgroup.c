/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of control groups, as memory.stat of both versions, as a file of one number, and, cut in
 * two at the first NUL, as those that say where a process finds its group. What is refused changes
 * nothing; what is accepted makes meters that are no more than the total. */
#include "core/cgroupplace.h"
#include "core/meter.h"
#include "target.h"

#include <errno.h>
#include <string.h>

#define PAGE 4096
#define LIMIT (G_GUINT64_CONSTANT(1) << 40)

static void check_meters(MnCgroupVersion version, const MnCgroupStat *stat) {
    MnCgroupState state = {
        .version = version, .limit = LIMIT, .usage = LIMIT / 2, .machine_bytes = 2 * LIMIT, .stat = stat
    };
    MnSample sample = { 0 };
    MnReading reading;

    mn_cgroup_to_sample(&state, PAGE, &sample);
    mn_reading_from_sample(&sample, &reading);
    g_assert_cmpuint(reading.pages[MN_METER_TOTAL], ==, LIMIT / PAGE);
    g_assert_cmpuint(reading.pages[MN_METER_FREE], ==, LIMIT / 2 / PAGE);
    g_assert_cmpuint(reading.pages[MN_METER_AVAILABLE], >=, LIMIT / 2 / PAGE);
    g_assert_cmpuint(reading.pages[MN_METER_AVAILABLE], <=, LIMIT / PAGE);
}

static void check_stat(MnCgroupVersion version, const char *text, gsize len) {
    MnCgroupStat before, stat;
    int r;

    memset(&before, 0x5a, sizeof before);
    stat = before;
    r = mn_cgroup_parse_stat(version, text, len, &stat);
    if (r == 0) {
        check_meters(version, &stat);
        return;
    }
    g_assert_cmpint(r, ==, -EBADMSG);
    g_assert_cmpint(memcmp(&before, &stat, sizeof stat), ==, 0);
}

static void check_number(const char *text, gsize len) {
    guint64 number = 4711;
    int r;

    r = mn_cgroup_parse_number(text, len, &number);
    if (r < 0)
        g_assert_true(r == -EBADMSG && number == 4711);
}

static void check_place(const char *text, gsize len) {
    g_autofree char *groups = g_strndup(text, len);
    gsize groups_len = strlen(groups);
    g_autofree char *mounts = groups_len < len ? g_strndup(text + groups_len + 1, len - groups_len - 1) : g_strdup("");
    MnCgroupVersion version;
    g_autofree char *group = mn_cgroup_find_group(groups, &version);
    g_auto(MnCgroupPlace) place = { 0 };
    const char *rest = mounts;

    while (group && mn_cgroup_place_next(&place, group, version, &rest))
        g_assert_true(place.mountpoint && (!place.directory || g_str_has_prefix(place.directory, place.mountpoint)));
    g_assert_true(!place.mountpoint && !place.directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;

    check_stat(MN_CGROUP_V1, text, size);
    check_stat(MN_CGROUP_V2, text, size);
    check_number(text, size);
    check_place(text, size);
    return 0;
}
