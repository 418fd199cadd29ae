/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reclaim efficiency -> pressure levels, by the rule of the kernel's vmpressure (memcg v1):
 * of each 512 pages scanned, the share that could not be reclaimed. Its second rule, that a reclaim
 * priority of 3 or less is critical, cannot be seen from outside but for its end: before an OOM all
 * priorities were tried in vain, perhaps without a page that was worth scanning. */
#include "vmpressure.h"

#include <string.h>

#define WINDOW_PAGES 512
#define MEDIUM_PERCENT 60
#define CRITICAL_PERCENT 95

guint64 mn_vmpressure_parse_key(const char *text, gsize len, const char *key) {
    const char *end = text + len;
    gsize key_len = strlen(key);

    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', end - line);

        if (!newline)
            return 0; /* a cut line */
        if ((gsize)(newline - line) > key_len && memcmp(line, key, key_len) == 0 && line[key_len] == ' ')
            return g_ascii_strtoull(line + key_len + 1, NULL, 10);
        line = newline + 1;
    }
    return 0;
}

/* A kernel that counts by who reclaims also has the sum, with proactive reclaim in it. */
static guint64 parse_sum(const char *text, gsize len, const char *const keys[3], const char *sum) {
    guint64 parts = 0;

    for (guint i = 0; i < 3; i++)
        parts += mn_vmpressure_parse_key(text, len, keys[i]);
    return parts > 0 ? parts : mn_vmpressure_parse_key(text, len, sum);
}

void mn_vmpressure_parse(const char *text, gsize len, MnVmpressureCounters *ret) {
    static const char *const scans[] = { "pgscan_kswapd", "pgscan_direct", "pgscan_khugepaged" };
    static const char *const steals[] = { "pgsteal_kswapd", "pgsteal_direct", "pgsteal_khugepaged" };

    ret->scanned = parse_sum(text, len, scans, "pgscan");
    ret->reclaimed = parse_sum(text, len, steals, "pgsteal");
    ret->ooms = mn_vmpressure_parse_key(text, len, "oom_kill");
}

void mn_vmpressure_init(MnVmpressure *self, const MnVmpressureCounters *now) {
    self->scanned = now->scanned;
    self->reclaimed = now->reclaimed;
    self->ooms = now->ooms;
}

/* The kernel's arithmetic, whose rounding decides in the end. */
static guint64 percent_lost(guint64 scanned, guint64 reclaimed) {
    guint64 scale = scanned + reclaimed;

    return reclaimed < scanned ? (scale - reclaimed * scale / scanned) * 100 / scale : 0;
}

static MnPressure judge(guint64 scanned, guint64 reclaimed) {
    guint64 percent = percent_lost(scanned, reclaimed);

    return percent >= CRITICAL_PERCENT ? MN_PRESSURE_CRITICAL
           : percent >= MEDIUM_PERCENT ? MN_PRESSURE_MEDIUM
                                       : MN_PRESSURE_LOW;
}

gboolean mn_vmpressure_advance(MnVmpressure *self, const MnVmpressureCounters *now, MnPressure *ret) {
    if (now->scanned < self->scanned || now->reclaimed < self->reclaimed) /* another text */
        mn_vmpressure_init(self, now);
    if (now->ooms > self->ooms)
        *ret = MN_PRESSURE_CRITICAL;
    else if (now->scanned - self->scanned >= WINDOW_PAGES)
        *ret = judge(now->scanned - self->scanned, now->reclaimed - self->reclaimed);
    else
        return FALSE;

    mn_vmpressure_init(self, now);
    return TRUE;
}
